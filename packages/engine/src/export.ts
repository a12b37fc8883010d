import type { CompileSpec, Traceable } from './compile.js'
import { PORTABLE } from './kernels/portable.js'
import type { OnnxGraph } from './onnx/index.js'
import { forOpset } from './onnx/opset.js'
import { checkResult, checkShape, inputsOf, stateShapesOf } from './spec.js'
import type { State } from './state.js'
import type { tf } from './tf.js'
import { record } from './trace/record.js'

/** What an exported file holds. */
export interface ExportOptions {
  /** Whose values become the file's weights, under their names. Without it, state is an input and `next:…` an output. */
  state?: State
  /** ONNX's operator set, 12 to 28. Most runtimes take 17. */
  opset?: number
}

/**
 * The function as the bytes of an ONNX file for other runtimes: forward functions and whole train steps.
 *
 * Inputs, outputs and weights have the names that the function gives them. It is the function that `compile` runs, written
 * only with ONNX's own operators; images keep their layout, channels last.
 *
 * @throws DflError `UNSUPPORTED_OP` for an op that is not covered, or that the operator set does not have.
 */
export function exportOnnx(fn: Traceable, spec: CompileSpec, options: ExportOptions = {}): Uint8Array {
  const opset = options.opset ?? 17
  const stateShapes = stateShapesOf(spec)
  const inputs = inputsOf(spec)
  const { trace, outputs } = record(
    (placeholder) => {
      const state: Record<string, tf.Tensor> = {}
      for (const [name, shape] of Object.entries(stateShapes)) {
        if (options.state) checkShape(name, options.state.get(name).shape, shape)
        state[name] = placeholder(name, { shape, dtype: 'float32', name: `state:${name}` })
      }
      const given: Record<string, tf.Tensor> = {}
      for (const { name, shape, dtype } of inputs)
        given[name] = placeholder(name, { shape, dtype, name: `input:${name}` })
      const result = checkResult(fn(state, given))
      const next: Record<string, tf.Tensor> = {}
      for (const [name, tensor] of Object.entries(result.state ?? {})) {
        checkShape(name, tensor.shape, stateShapes[name])
        next[`next:${name}`] = tensor
      }
      return { ...next, ...Object.fromEntries(Object.entries(result.outputs).map(([k, v]) => [`output:${k}`, v])) }
    },
    { kernels: PORTABLE, portable: true },
  )
  const { graph } = trace
  for (const { name, shape, dtype } of inputs) graph.input(`input:${name}`, dtype, shape)
  for (const [name, shape] of Object.entries(stateShapes)) {
    if (!options.state) graph.input(`state:${name}`, 'float32', shape)
    else {
      const { data } = options.state.get(name)
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
      graph.constants.set(`state:${name}`, { type: 'float32', shape, data: bytes })
    }
  }
  for (const [name, value] of Object.entries(outputs)) graph.output(name, value.dtype, value.shape, trace.name(value))
  graph.prune()
  forOpset(graph, opset)
  graph.prune() // the axes that became attributes
  rename(graph)
  return graph.build('dfl', opset)
}

/** Takes the prefixes off the names that the function gave, and puts one before all others, so that none are equal. */
function rename(graph: OnnxGraph): void {
  const taken = new Set<string>()
  const named = new Map<string, string>()
  for (const name of [
    ...graph.inputs.map((port) => port.name),
    ...graph.outputs.map((port) => port.name),
    ...[...graph.constants.keys()].filter((key) => key.startsWith('state:')),
  ]) {
    const short = name.replace(/^(input|output|state):/, '')
    const free = taken.has(short) ? name : short // an input and an output of one name: the latter keeps its prefix
    taken.add(free)
    named.set(name, free)
  }
  const of = (name: string) => (name === '' ? '' : (named.get(name) ?? `/${name}`))
  for (const node of graph.nodes) {
    node.inputs = node.inputs.map(of)
    node.outputs = node.outputs.map(of)
  }
  for (const port of [...graph.inputs, ...graph.outputs]) port.name = of(port.name)
  const constants = [...graph.constants]
  graph.constants.clear()
  for (const [name, constant] of constants) graph.constants.set(of(name), constant)
}
