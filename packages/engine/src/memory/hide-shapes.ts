import type { GraphNode, OnnxGraph } from '../onnx/index.js'
import { bytesOf, shapesOf } from './shapes.js'

/** Bytes from which on it pays. */
const LARGE = 2 ** 18

/** Nodes that give large values a shape. */
function givenShapes(graph: OnnxGraph): GraphNode[] {
  const types = shapesOf(graph)
  return graph.nodes.filter(({ op, inputs, outputs }) => {
    const type = types.get(outputs[0]!)
    return op === 'Reshape' && type && bytesOf(type) >= LARGE && graph.constants.has(inputs[1]!)
  })
}

/** An input by whose shape a number is known to be one when the graph runs, and not before. */
const probeOf = ({ inputs }: OnnxGraph) =>
  inputs.find(({ shape }) => shape.length > 0 && shape.every((size) => size! > 0))

/** Whether `hideShapes` changes a graph: one without large values that are given a shape stays as it is. */
export const hasShapesToHide = (graph: OnnxGraph): boolean => !!probeOf(graph) && givenShapes(graph).length > 0

/**
 * Hides the shapes of large values from ONNX Runtime while it plans.
 *
 * For a value whose shape it knows it takes the memory of an earlier one of that shape that nobody reads any more, however
 * long that was ago, and holds that memory in between: in a train step, from the forward pass to the backward pass. So
 * inputs have free sizes, and shapes that values are given are products with a number that is known to be one only when the
 * graph runs.
 */
export function hideShapes(graph: OnnxGraph): void {
  const probe = probeOf(graph)
  const large = givenShapes(graph)
  if (!probe || large.length === 0) return
  const first: GraphNode[] = []
  const add = (op: string, inputs: string[], attributes: GraphNode['attributes'] = {}) => {
    const output = graph.unique(op.toLowerCase())
    first.push({ op, domain: '', inputs, outputs: [output], attributes })
    return output
  }
  const one = add('Min', [add('Shape', [probe.name], { start: 0, end: 1 }), graph.i64([1])])
  const hidden = new Map<string, string>()
  for (const node of large) {
    const shape = node.inputs[1]!
    if (!hidden.has(shape)) hidden.set(shape, add('Mul', [shape, one]))
    node.inputs[1] = hidden.get(shape)!
  }
  graph.nodes = [...first, ...graph.nodes]
  graph.inputs.forEach((input, i) => {
    graph.inputs[i] = { ...input, shape: input.shape.map(() => undefined) }
  })
}
