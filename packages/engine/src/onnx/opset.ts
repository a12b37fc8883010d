import { DflError } from '@dfl/core'
import type { OnnxGraph } from './graph.js'

/** The operator sets that graphs can be written for, oldest and newest. */
export const OPSET_RANGE = [12, 28] as const

/** The file format's version that came with an operator set. Source: https://onnx.ai/onnx/api/helper.html, OP_SET_ID_VERSION_MAP */
export const irVersion = (opset: number) => 7 + [15, 19, 21, 23, 24, 25, 28].filter((first) => opset >= first).length

/** Since when reductions take their axes as an input; before, as an attribute. */
const AXES_AS_INPUT: Readonly<Record<string, number>> = {
  ReduceSum: 13,
  ReduceMean: 18,
  ReduceMax: 18,
  ReduceMin: 18,
  ReduceProd: 18,
}

/** Rewrites a graph of operator set 20 for another one. */
export function forOpset(graph: OnnxGraph, opset: number): void {
  const [oldest, newest] = OPSET_RANGE
  if (!Number.isInteger(opset) || opset < oldest || opset > newest)
    throw new DflError(
      'BAD_OPTION',
      `Expected a whole number from ${oldest} to ${newest} for \`opset\`, but got ${opset}. Most runtimes take 17.`,
    )
  for (const node of graph.nodes) {
    if (node.domain)
      throw new DflError(
        'UNSUPPORTED_OP',
        `Expected only ONNX's own operators in an exported graph, but got \`${node.domain}.${node.op}\`. Report it: this is a mistake of the engine.`,
      )
    const since = node.op === 'BitwiseAnd' ? 18 : node.attributes.reduction ? 16 : oldest
    if (opset < since)
      throw new DflError(
        'UNSUPPORTED_OP',
        `Expected operators of opset ${opset}, but got \`${node.op}\`${node.attributes.reduction ? ' with a sum' : ''}, which is part of opset ${since}. Export with \`opset: ${since}\` or a newer one.`,
        { data: { op: node.op, since } },
      )
    if (opset < (AXES_AS_INPUT[node.op] ?? 0) && node.inputs[1]) {
      const axes = graph.constants.get(node.inputs[1])!
      const values = new BigInt64Array(axes.data.slice().buffer)
      node.attributes = { ...node.attributes, axes: Array.from(values, Number) }
      node.inputs = [node.inputs[0]!]
    }
  }
}
