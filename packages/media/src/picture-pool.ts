import type { AvFrame, AvPixelFormat, Libav } from './libav.js'
import { blank } from './video-frame.js'

/** A picture to fill. The caller frees it. */
export interface RoomForPicture {
  picture: AvFrame
  /** Its planes, as `AvFrame.data` gives them; valid until the pool is closed or the memory is taken again. */
  data: readonly Uint8Array[]
}

/** Memory for pictures of one format and size. Must be closed after those who use the pictures. */
export interface PicturePool {
  /** Memory that nobody uses any more, or new memory: what it held is lost, properties are not set. */
  take(): RoomForPicture
  close(): void
}

/**
 * Pictures whose memory is used again as soon as an encoder has let go of it.
 *
 * New memory for each picture costs as much as copying into it; and libav makes new views of a picture each time they are
 * asked for, which count as garbage of the picture's size, so that they are kept as well.
 */
export function picturePool(
  libav: Libav,
  format: AvPixelFormat,
  { width, height }: { width: number; height: number },
): PicturePool {
  const kept: RoomForPicture[] = []
  const make = () => {
    const picture = blank(libav, format, width, height)
    const room = { picture, data: picture.data! }
    kept.push(room)
    return room
  }
  return {
    take() {
      // Whoever holds a picture holds a reference to its memory.
      const { picture, data } = kept.find((room) => room.picture.isWritable) ?? make()
      return { picture: picture.clone()!, data }
    },
    close() {
      for (const { picture } of kept.splice(0)) picture.free()
    },
  }
}
