import { type Kernels, lazyKernels } from '@dfl/core/wasm'
import module from '../kernels/main.ts?wasm'

/** What `kernels/` exports; addresses in bytes. */
interface Functions {
  useFactors(words: boolean, ...numbers: readonly number[]): void
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

/** The kernels' memory as an array like the one given. */
export const viewLike = (memory: MediaKernels, data: Samples, at: number, length: number): Samples =>
  data instanceof Uint16Array ? memory.words(at, length) : memory.bytes(at, length)
