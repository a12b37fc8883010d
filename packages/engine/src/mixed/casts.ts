import { numberToHalf } from '../half.js'
import { shapesOf } from '../memory/shapes.js'
import { ELEMENT_TYPES, type GraphNode, type OnnxGraph } from '../onnx/index.js'
import { chooseNodes, floatsIn } from './choose.js'

/**
 * Makes a graph of float32 compute in mixed precision: the nodes of `chooseNodes` in 16-bit floats, all others as they are.
 *
 * Inputs and outputs stay float32. Each value is rounded once and widened once, however many nodes want it so; constants are rounded
 * here. What goes from one chosen node to another is never widened in between.
 *
 * @param isResult  Which of the graph's outputs the caller gets, by name.
 *
 * Source: Micikevicius et al. 2018, https://arxiv.org/abs/1710.03740
 */
export function computeInHalf(graph: OnnxGraph, isResult: (output: string) => boolean): void {
  const types = shapesOf(graph)
  const isFloat = (name: string) => types.get(name)?.type === 'float32'
  const chosen = chooseNodes(graph, types, isResult)
  const wanted = new Set(graph.outputs.map(({ name }) => name)) // In 32 bits.
  for (const node of graph.nodes) if (!chosen.has(node)) for (const name of node.inputs) wanted.add(name)
  const halves = new Map<string, string>()
  const nodes: GraphNode[] = []
  const cast = (from: string, output: string, type: 'float16' | 'float32') =>
    nodes.push({ op: 'Cast', domain: '', inputs: [from], outputs: [output], attributes: { to: ELEMENT_TYPES[type] } })
  const halfOf = (name: string): string => {
    const known = halves.get(name)
    if (known !== undefined) return known
    const constant = graph.constants.get(name)
    const half = constant
      ? graph.constant('float16', constant.shape, Uint16Array.from(floatsIn(constant), numberToHalf))
      : graph.unique('half')
    if (!constant) cast(name, half, 'float16')
    halves.set(name, half)
    return half
  }
  for (const node of graph.nodes) {
    if (!chosen.has(node)) {
      nodes.push(node)
      continue
    }
    const inputs = node.inputs.map((name) => (isFloat(name) ? halfOf(name) : name))
    const outputs = node.outputs.map((name) => (isFloat(name) ? graph.unique('half') : name))
    const attributes = node.op === 'Cast' ? { to: ELEMENT_TYPES.float16 } : node.attributes
    nodes.push({ ...node, inputs, outputs, attributes })
    node.outputs.forEach((name, i) => {
      if (!isFloat(name)) return
      halves.set(name, outputs[i]!)
      if (wanted.has(name)) cast(outputs[i]!, name, 'float32')
    })
  }
  graph.nodes = nodes
  graph.prune() // Constants that are only wanted in 16 bits.
}
