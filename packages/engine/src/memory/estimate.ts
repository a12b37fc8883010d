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
const LOADED = 190 * 2 ** 20

/** ONNX Runtime's pools hold free pieces between values that are in use. */
const POOLED = 1.25

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
