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
  acrossRow(y: number, x: number, step: number, count: number, cubic: boolean, out: number, plane: number): void
  downRow(
    y: number,
    step: number,
    from: number,
    to: number,
    cubic: boolean,
    ...places: readonly [lines: number, line: number, plane: number, out: number]
  ): void
  toLab(count: number, pixels: number, where: number): void
  fromLab(count: number, pixels: number): void
  layRow(count: number, colours: number, alpha: number, pixels: number, channels: number, words: boolean): void
}

/** The compiled loops of this package. */
export type ImageKernels = Kernels<Functions>

export const kernels = lazyKernels<Functions>(module)
