import type { TensorType } from '../memory/shapes.js'
import type { GraphConstant, GraphNode, OnnxGraph } from '../onnx/index.js'
import { sizeOf } from '../trace/trace.js'

/** What 16-bit floats make quick. */
export const PRODUCTS: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul'])

/** Operators that only move values: the same values in 16 bits, before or after. */
export const MOVES: ReadonlySet<string> = new Set([
  ...['Reshape', 'Transpose', 'Slice', 'Split', 'Concat', 'Gather', 'Expand', 'Tile', 'Pad'],
  ...['Squeeze', 'Unsqueeze', 'Identity'],
])

/**
 * Operators that are safe in 16 bits between products: what they give is of the size of what they get, or within -1..1.
 * Not among them is what sums over many values, divides, or grows beyond bounds: reductions, exponentials, logarithms, powers,
 * roots.
 */
export const ELEMENTWISE: ReadonlySet<string> = new Set([
  ...['Add', 'Sub', 'Mul', 'Neg', 'Abs', 'Max', 'Min', 'Where', 'Clip', 'MaxPool'],
  ...['Relu', 'LeakyRelu', 'PRelu', 'Elu', 'Sigmoid', 'Tanh'],
])

/** Operators that give no floats, and are in 16 bits where what they compare is. */
export const COMPARISONS: ReadonlySet<string> = new Set(['Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'Equal'])

/** Numbers of 16 bits with all of their digits. */
const [SMALLEST, LARGEST] = [2 ** -14, 65504] as const

/**
 * The nodes of a graph that are to compute in 16-bit floats; all others keep 32.
 *
 * **Products** do that have learned: those of a tensor of the state, and gradients of such a tensor. Blurs and Gram matrices of a
 * loss do not. **What lies between them** does, if all that it computes with comes from such products, from outside or from
 * constants, and if no result of the function is made of it without a further product. So losses, their own gradients, norms
 * and the optimiser keep 32 bits.
 *
 * @param isResult  Which of the graph's outputs the caller gets, by name.
 */
export function chooseNodes(
  graph: OnnxGraph,
  types: ReadonlyMap<string, TensorType>,
  isResult: (output: string) => boolean,
): Set<GraphNode> {
  const isFloat = (name: string) => types.get(name)?.type === 'float32'
  const floatsOf = ({ inputs }: GraphNode) => inputs.filter(isFloat)
  const { fixed, given, weights } = origins(graph, types)
  const isProduct = ({ op, inputs }: GraphNode) =>
    PRODUCTS.has(op) && inputs.slice(0, 2).every((name) => isFloat(name) && !fixed.has(name))
  const isMove = (node: GraphNode) => MOVES.has(node.op) || (node.op === 'Cast' && floatsOf(node).length === 0)
  const isSafe = (node: GraphNode) => isMove(node) || ELEMENTWISE.has(node.op) || PRODUCTS.has(node.op)
  const fits = (node: GraphNode) =>
    node.outputs.every(isFloat) && node.inputs.every((name) => fitsHalf(graph.constants.get(name)))

  const chosen = new Set<GraphNode>()
  const toProduct = new Set<string>() // Values that a further product is made of.
  const toResult = new Set(graph.outputs.flatMap(({ name }) => (isResult(name) ? [name] : []))) // Without a product in between.
  for (const node of [...graph.nodes].reverse()) {
    const leads = (values: ReadonlySet<string>) => node.outputs.some((name) => values.has(name))
    const product = isProduct(node)
    const ofWeights = node.inputs.slice(0, 2).some((name) => weights.has(name))
    if (product && fits(node) && (ofWeights || !(leads(toProduct) || leads(toResult)))) chosen.add(node)
    if (product || leads(toProduct)) for (const name of node.inputs) toProduct.add(name)
    if (!chosen.has(node) && leads(toResult)) for (const name of node.inputs) toResult.add(name)
  }

  const between = new Set<string>() // Values that are made of chosen products, and of nothing that needs 32 bits.
  for (const node of graph.nodes) {
    const operands = floatsOf(node)
    const follows =
      isSafe(node) &&
      fits(node) &&
      !node.outputs.some((name) => toResult.has(name)) &&
      operands.some((name) => between.has(name)) &&
      operands.every((name) => between.has(name) || given.has(name))
    if (chosen.has(node) || follows) for (const name of node.outputs) between.add(name)
  }

  const readers = readersOf(graph)
  const outside = new Set(graph.outputs.map(({ name }) => name))
  for (const node of [...graph.nodes].reverse()) {
    const read = node.outputs.flatMap((name) => readers.get(name) ?? [])
    if (chosen.has(node) || read.length === 0 || node.outputs.some((name) => outside.has(name)) || !fits(node)) continue
    if (node.outputs.every((name) => between.has(name)) && read.some((reader) => chosen.has(reader))) chosen.add(node)
    // Fewer bytes are moved, and what several nodes see in several shapes is rounded once.
    else if (isMove(node) && read.every((reader) => chosen.has(reader))) chosen.add(node)
  }

  const rounded = new Set([...chosen].flatMap(({ outputs }) => outputs))
  for (const node of graph.nodes) {
    const operands = floatsOf(node)
    const comparable = operands.every((name) => rounded.has(name) || fitsHalf(graph.constants.get(name) ?? null))
    if (COMPARISONS.has(node.op) && comparable && operands.some((name) => rounded.has(name))) chosen.add(node)
  }
  return chosen
}

/** Where values come from: constants; those and what comes from outside, moved and combined; a tensor of the state, moved or scaled. */
function origins(graph: OnnxGraph, types: ReadonlyMap<string, TensorType>) {
  const fixed = new Set(graph.constants.keys())
  const given = new Set([...fixed, ...graph.inputs.map(({ name }) => name)])
  const weights = new Set(graph.inputs.flatMap(({ name }) => (name.startsWith('state:') ? [name] : [])))
  for (const { op, inputs, outputs } of graph.nodes) {
    const floats = inputs.filter((name) => types.get(name)?.type === 'float32')
    const isSafe = MOVES.has(op) || ELEMENTWISE.has(op)
    const isNumber = (name: string) => fixed.has(name) || sizeOf(types.get(name)!.shape) === 1
    if (inputs.every((name) => name === '' || fixed.has(name))) for (const name of outputs) fixed.add(name)
    if ((isSafe || op === 'Cast') && floats.every((name) => given.has(name)))
      for (const name of outputs) given.add(name)
    if (
      isSafe &&
      floats.some((name) => weights.has(name)) &&
      floats.every((name) => weights.has(name) || isNumber(name))
    )
      for (const name of outputs) weights.add(name)
  }
  return { fixed, given, weights }
}

/** Whether a constant keeps its digits in 16 bits, by its largest value; null is none, and what is no float fits. */
function fitsHalf(constant: GraphConstant | null | undefined): boolean {
  if (constant === null) return false
  if (constant?.type !== 'float32') return true
  let largest = 0
  for (const value of floatsIn(constant)) largest = Math.max(largest, Math.abs(value))
  return largest === 0 || (largest >= SMALLEST && largest <= LARGEST)
}

/** The values of a float32 constant. */
export const floatsIn = ({ data }: GraphConstant): Float32Array => new Float32Array(data.slice().buffer)

function readersOf(graph: OnnxGraph): Map<string, GraphNode[]> {
  const readers = new Map<string, GraphNode[]>()
  for (const node of graph.nodes)
    for (const name of node.inputs) {
      const known = readers.get(name)
      if (known) known.push(node)
      else readers.set(name, [node])
    }
  return readers
}
