import { totalmem } from 'node:os'
import { DflError } from '@dfl/core'
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
