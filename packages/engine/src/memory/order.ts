import type { GraphNode, OnnxGraph } from '../onnx/index.js'

/**
 * The order in which ONNX Runtime runs nodes: it goes from results to what they need, beginning with the last result, and
 * among what a node needs with what was added last.
 */
export function executionOrder(nodes: readonly GraphNode[]): GraphNode[] {
  const makers = new Map(nodes.flatMap(({ outputs }, i) => outputs.map((name) => [name, i] as const)))
  const needed = nodes.map(({ inputs }) => {
    const found = new Set(inputs.flatMap((name) => makers.get(name) ?? []))
    return [...found].sort((a, b) => a - b)
  })
  const read = new Set(needed.flat())
  const stack = nodes.flatMap((_, i) => (read.has(i) ? [] : [{ i, ready: false }]))
  const visited = new Set<number>()
  const order: GraphNode[] = []
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { i, ready } = top
    if (ready) order.push(nodes[i]!)
    if (ready || visited.has(i)) continue
    visited.add(i)
    stack.push(
      { i, ready: true },
      ...needed[i]!.filter((at) => !visited.has(at)).map((at) => ({ i: at, ready: false })),
    )
  }
  return order
}

/**
 * Puts the nodes that make results behind the others, those last that are to run first: gradients as they were recorded,
 * so that what the forward pass left is given up layer by layer, and what is `late` after all of them. Otherwise ONNX
 * Runtime would begin with the gradient of the first layer, and keep all activations for the others.
 */
export function orderResults(graph: OnnxGraph, late: (output: string) => boolean): void {
  const read = new Set(graph.nodes.flatMap(({ inputs }) => inputs))
  const results = graph.nodes.filter(({ outputs }) => !outputs.some((name) => read.has(name)))
  const isResult = new Set(results)
  const isLate = ({ outputs }: GraphNode) => outputs.every(late)
  graph.nodes = [
    ...graph.nodes.filter((node) => !isResult.has(node)),
    ...results.filter(isLate).reverse(),
    ...results.filter((node) => !isLate(node)).reverse(),
  ]
}
