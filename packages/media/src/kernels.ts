import { type Kernels, lazyKernels } from '@dfl/core/wasm'
import module from '../kernels/main.ts?wasm'
import type { Box } from './planes.js'

/** What `kernels/` exports; addresses in bytes. */
interface Functions {
  useFactors(words: boolean, ...numbers: readonly number[]): void
  chromaSamples(from: number, size: number, count: number, isFirst: boolean, isLast: boolean, to: number): void
  chromaRow(
    near: number,
    far: number,
    words: boolean,
    count: number,
    shared: boolean,
    center: boolean,
    zero: number,
    sums: number,
    out: number,
  ): void
  rgbRow(luma: number, u: number, v: number, count: number, out: number): void
  usePaint(words: boolean, channels: number, ...numbers: readonly number[]): void
  bitmapRow(row: number, width: number, from: number, count: number, to: number): void
  paintLuma(now: number, before: number, count: number, luma: number): void
  sumColumns(
    upper: number,
    lower: number,
    upperBefore: number,
    lowerBefore: number,
    count: number,
    sums: number,
    changed: number,
  ): number
  paintChroma(sums: number, changed: number, count: number, u: number, v: number): void
}

/** The compiled loops of this package. */
export type MediaKernels = Kernels<Functions>

export const kernels = lazyKernels<Functions>(module)

/** Samples as a decoder has them. */
export type Samples = Uint8Array | Uint16Array

/** Rows of samples that lie in the kernels' memory as they lie in the array: with what is between the rows that are needed. */
export interface Region {
  /** Samples from the first row's first one to the end of the last row. */
  length: number
  /** Copies the samples to an address, or back from there. */
  load(memory: MediaKernels, at: number): void
  store(memory: MediaKernels, at: number): void
}

/**
 * Some rows of an array of samples, each `stride` samples after the one before: copied at once, as to copy row by row
 * costs more than to copy what lies between them.
 *
 * @param rows `top` to `bottom` − 1, and in them `left` to `right` − 1.
 */
export function regionOf(data: Samples, stride: number, { left, top, right, bottom }: Box): Region {
  const samples = data.subarray(top * stride + left, (bottom - 1) * stride + right)
  const { length } = samples
  return {
    length,
    load: (memory, at) => memory.viewLike(data, at, length).set(samples),
    store: (memory, at) => samples.set(memory.viewLike(data, at, length)),
  }
}
