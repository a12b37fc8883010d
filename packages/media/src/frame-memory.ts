import { memoryPool } from '@dfl/core'
import type { AvFrame, AvPixelFormat, Libav } from './libav.js'
import { type PicturePool, picturePool, type RoomForPicture } from './picture-pool.js'

/** Memory for what is made of the frames of one clip while they are open. Closed when the clip's walk ends. */
export interface FrameMemory {
  /** Memory for a copy of a picture. The caller frees the picture. */
  pictureLike(picture: AvFrame): RoomForPicture
  /** Bytes that hold whatever was there, until they are given back. */
  bytes(length: number): Uint8Array
  giveBack(bytes: readonly Uint8Array[]): void
  close(): void
}

/** Below so many bytes new memory costs less than a piece that is kept. */
const LEAST = 2 ** 18

/** Memory that frames use one after the other. */
export function frameMemory(libav: Libav): FrameMemory {
  const pool = memoryPool((bytes) => new ArrayBuffer(bytes))
  let pictures: PicturePool | undefined
  return {
    pictureLike(picture) {
      pictures ??= picturePool(libav, picture.format as AvPixelFormat, picture)
      return pictures.take()
    },
    bytes: (length) => (length < LEAST ? new Uint8Array(length) : new Uint8Array(pool.take(length), 0, length)),
    giveBack(bytes) {
      for (const { buffer, length } of bytes) if (length >= LEAST) pool.give(buffer as ArrayBuffer)
    },
    close: () => pictures?.close(),
  }
}
