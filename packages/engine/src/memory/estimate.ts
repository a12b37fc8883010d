import { totalmem } from 'node:os'
import { DflError } from '@dfl/core'
import type { OnnxGraph } from '../onnx/index.js'
import type { Program } from '../trace/tape.js'
import { sizeOf } from '../trace/trace.js'
import { bytesOfGraph } from './lifetimes.js'

/** What running a compiled function takes, in bytes; on a device with memory of its own only `base` is taken here. */
export interface MemoryEstimate {
  /** The tensors of the state that it reads or replaces. */
  state: number
  /** New values of the state before they replace the old ones: gradients, in a train step. */
  next: number
  /** Values between operations, at the time when most of them are needed, and what ONNX Runtime takes for them. */
  activations: number
  /** Node, TensorFlow.js, ONNX Runtime, and the graph itself. */
  base: number
  /** All of them. */
  total: number
}

/**
 * What a process takes besides the values that are alive. Measured as the peaks of train steps, all of which it fits to 11 %: DF
 * with and without -ud and LIAE-UD at 64 to 128 px and batch 4 and 8, the network of the presets, an autoencoder, a residual net.
 */
const MEASURED = {
  /** Node, TensorFlow.js and ONNX Runtime. */
  loaded: 57 * 2 ** 20,
  /** Of an operation of the graph: in the trace, in ONNX and in ONNX Runtime. */
  node: 0.038 * 2 ** 20,
  /** For each byte of a constant: it is in the graph, in the file and in ONNX Runtime. */
  constants: 4.5,
  /** For each byte of a value: ONNX Runtime's arena gives out pieces of up to twice the size that is asked for. */
  values: 2.08,
  /** The same where ONNX Runtime knows all shapes, and lets a result take the place of what it was made of. */
  knownValues: 0.9,
  /** For each byte of a 16-bit value while the CPU works on it: it does so in 32 bits. */
  widening: 1.7,
}

/** The same on TensorFlow's CPU build 2.15: the peaks of DF train steps at 64 and 96 px, which it fits to 4 %. */
const ON_TENSORFLOW = {
  /** Its library. */
  library: 280 * 2 ** 20,
  /** A tensor of the state is here, there, and once more on its way. */
  state: 3,
  /** For each byte of a value: what kernels take for themselves, and pieces of memory that are not used again. */
  values: 2.8,
}

/**
 * What a graph takes, before a byte of it is allocated.
 *
 * @param hidden  Whether shapes will be hidden from ONNX Runtime.
 * @param onCpu  Whether it is the CPU that runs it.
 */
export function estimateOf(
  graph: OnnxGraph,
  {
    state,
    next,
    hidden,
    onCpu,
  }: Record<'state' | 'next', readonly (readonly number[])[]> & Record<'hidden' | 'onCpu', boolean>,
): MemoryEstimate {
  const { loaded, node, ...per } = MEASURED
  const { values, constants } = bytesOfGraph(graph, onCpu ? per.widening : 0)
  const parts = {
    state: bytesOf(state),
    next: bytesOf(next),
    activations: Math.round((hidden ? per.values : per.knownValues) * values),
    base: Math.round(loaded + node * graph.nodes.length + per.constants * constants),
  }
  return { ...parts, total: parts.state + parts.next + parts.activations + parts.base }
}

/** What a program takes, called kernel by kernel on TensorFlow. */
export function estimateOfProgram(
  { peakBytes, constants }: Program,
  { state, next }: Record<'state' | 'next', readonly (readonly number[])[]>,
): MemoryEstimate {
  const parts = {
    state: ON_TENSORFLOW.state * bytesOf(state),
    next: bytesOf(next),
    activations: Math.round(ON_TENSORFLOW.values * peakBytes),
    base: Math.round(
      MEASURED.loaded + ON_TENSORFLOW.library + MEASURED.constants * bytesOf(constants.map(({ value }) => value.shape)),
    ),
  }
  return { ...parts, total: parts.state + parts.next + parts.activations + parts.base }
}

const bytesOf = (shapes: readonly (readonly number[])[]) =>
  shapes.reduce((bytes, shape) => bytes + 4 * sizeOf(shape), 0)

/** Bytes that this process may have at most: the machine's, or a container's limit. */
export const memoryLimit = (): number => Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem())

/**
 * Refuses what cannot fit even with nothing else in memory, before anything of it is allocated.
 *
 * @throws DflError `BAD_STATE`.
 */
export function expectToFit({ total, state, next, activations }: MemoryEstimate, limit: number): void {
  if (total <= limit) return
  const gb = (bytes: number) => (bytes / 1e9).toFixed(1)
  throw new DflError(
    'BAD_STATE',
    `Expected a function that fits into ${gb(limit)} GB of memory, but got one that takes about ${gb(total)} GB: ${gb(state)} for state, ${gb(next)} for gradients, ${gb(activations)} for activations. Take a smaller batch or network; for activations alone, \`checkpoint\` parts of it.`,
    { data: { needed: total, limit } },
  )
}
