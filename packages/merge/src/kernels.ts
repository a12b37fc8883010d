import { lazyKernels } from '@dfl/core/wasm'
import module from '../kernels/main.ts?wasm'

/** What `kernels/` exports; addresses in bytes. */
interface Functions {
  likenesses(
    side: number,
    mask: number,
    out: number,
    frame: number,
    width: number,
    height: number,
    channels: number,
    words: boolean,
    toFrame: number,
    ...grids: readonly number[]
  ): void
  connect(side: number, mask: number, likeness: number, ...grids: readonly number[]): void
}

/** The compiled loops of this package. */
export const kernels = lazyKernels<Functions>(module)
