import type { Raster } from '@dfl/core'
import { type Kernels, lazyKernels } from '@dfl/core/wasm'
import module from '../kernels/main.ts?wasm'

/** What `kernels/` exports; addresses and sizes in bytes. */
interface Functions {
  resizeLine(...numbers: readonly number[]): void
  sumLines(...numbers: readonly number[]): void
  blurLines(data: number, ...numbers: readonly (number | boolean)[]): void
  gatherTile(...numbers: readonly (number | boolean)[]): void
  useTile(...numbers: readonly number[]): void
  linearRow(x: number, y: number, from: number, to: number, out: number): void
  cubicRow(x: number, y: number, from: number, to: number, out: number): void
  lanczosRow(x: number, y: number, from: number, to: number, out: number): void
  layRow(count: number, colours: number, alpha: number, pixels: number, channels: number, words: boolean): void
}

/** The compiled loops of this package. */
export type ImageKernels = Kernels<Functions>

export const kernels = lazyKernels<Functions>(module)

/** Memory of the kernels as an array like the one given. */
export function viewLike(memory: ImageKernels, data: Raster['data'], at: number, length: number): Raster['data'] {
  if (data instanceof Float32Array) return memory.floats(at, length)
  return data instanceof Uint16Array ? memory.words(at, length) : memory.bytes(at, length)
}
