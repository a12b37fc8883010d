import type { OnnxGraph } from '../onnx/index.js'
import { sizeOf } from '../trace/trace.js'
import { bytesOfGraph } from './lifetimes.js'

/** What running a compiled function takes, in bytes; on a device with memory of its own only `base` is taken here. */
export interface MemoryEstimate {
  /** The tensors of the state that it reads or replaces. */
  state: number
  /** New values of the state before they replace the old ones: gradients, in a train step. */
  next: number
  /** Values between operations, at the time when most of them are needed. */
  activations: number
  /** Node, TensorFlow.js, ONNX Runtime, and the graph itself. */
  base: number
  /** All of them. */
  total: number
}

/** Bytes of a process that has the engine loaded and ran something. */
const LOADED = 215 * 2 ** 20

/**
 * What ONNX Runtime's arena takes for each byte in use: it gives out pieces of up to twice the size that is asked for.
 * Measured on train steps of DF at 64 to 128 px, which it fits to 7 %.
 */
const POOLED = 2.05

/** What a graph takes, before a byte of it is allocated. */
export function estimateOf(
  graph: OnnxGraph,
  { state, next }: Record<'state' | 'next', readonly (readonly number[])[]>,
): MemoryEstimate {
  const sum = (shapes: readonly (readonly number[])[]) => shapes.reduce((bytes, shape) => bytes + 4 * sizeOf(shape), 0)
  const { values, constants } = bytesOfGraph(graph)
  const parts = {
    state: sum(state),
    next: sum(next),
    activations: Math.round(POOLED * values),
    base: LOADED + 3 * constants,
  }
  return { ...parts, total: parts.state + parts.next + parts.activations + parts.base }
}
