import type { GraphNode, OnnxGraph } from '../onnx/index.js'
import { executionOrder } from './order.js'
import { bytesOf, shapesOf } from './shapes.js'

/** What a graph takes besides its inputs and outputs. */
export interface GraphBytes {
  /** Most bytes of values between nodes that are needed at one time. */
  values: number
  /** Bytes of the constants. */
  constants: number
}

/** Operators whose result is what they are given, in the same memory. */
const VIEWS: ReadonlySet<string> = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten'])

/** Operators that ONNX Runtime's CPU has in 16 bits: those that move values. */
const MOVES: ReadonlySet<string> = new Set([
  ...VIEWS,
  ...['Transpose', 'Slice', 'Split', 'Concat', 'Gather', 'Expand', 'Tile', 'Pad', 'Identity', 'Cast'],
])

/**
 * What a graph takes when ONNX Runtime runs it and gives each value up after its last reader.
 *
 * @param widening  Bytes for each byte of a 16-bit value that an operator works on, where it has to be made 32 bits wide meanwhile.
 */
export function bytesOfGraph(graph: OnnxGraph, widening = 0): GraphBytes {
  const types = shapesOf(graph)
  const outside = new Set([...graph.inputs, ...graph.outputs].map(({ name }) => name))
  const order = executionOrder(graph.nodes)
  const owners = new Map<string, string>()
  const owner = (name: string) => owners.get(name) ?? name
  for (const { op, inputs, outputs } of order)
    if (VIEWS.has(op) && !outside.has(outputs[0]!) && !outside.has(inputs[0]!))
      owners.set(outputs[0]!, owner(inputs[0]!))
  const own = ({ outputs }: GraphNode) =>
    outputs.filter((name) => name && owner(name) === name && !outside.has(name) && types.has(name))
  const readers = new Map<string, number>()
  order.forEach(({ inputs, outputs }, i) => {
    for (const name of [...inputs, ...outputs]) readers.set(owner(name), i)
  })
  const ends = new Map<number, string[]>()
  for (const node of order)
    for (const name of own(node)) {
      const last = readers.get(name)!
      ends.set(last, [...(ends.get(last) ?? []), name])
    }
  const bytes = (names: readonly string[]) => names.reduce((sum, name) => sum + bytesOf(types.get(name)!), 0)
  const widened = ({ op, inputs, outputs }: GraphNode) =>
    MOVES.has(op) ? 0 : widening * bytes([...inputs, ...outputs].filter((name) => types.get(name)?.type === 'float16'))
  let live = 0
  let most = 0
  order.forEach((node, i) => {
    live += bytes(own(node))
    most = Math.max(most, live + widened(node))
    live -= bytes(ends.get(i) ?? [])
  })
  const constants = [...graph.constants.values()].reduce((sum, { data }) => sum + data.length, 0)
  return { values: most, constants }
}
