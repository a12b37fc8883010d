import type { Bitmap, Rect } from '@dfl/core'
import { paste, resize } from '@dfl/image'
import { encodeImage, type Frame, type FrameChange } from '@dfl/media'

/** Width of the pictures of frames, in pixels. */
const WIDTH = 320

/** A small picture of a frame with what was painted on it, as a data URI. */
export async function framePicture(frame: Frame, change?: FrameChange): Promise<string> {
  const reduce = 2 ** Math.max(0, Math.floor(Math.log2(frame.width / WIDTH)))
  const whole: Rect = { x: 0, y: 0, width: frame.width, height: frame.height }
  const small = resize(frame.part(whole, reduce).bitmap, {
    width: Math.ceil(frame.width / reduce),
    height: Math.ceil(frame.height / reduce),
  })
  if (change) {
    const { bitmap, x = 0, y = 0 } = change
    const part = resize(bitmap as Bitmap, {
      width: Math.max(1, Math.floor(bitmap.width / reduce)),
      height: Math.max(1, Math.floor(bitmap.height / reduce)),
    })
    paste(small, part, Math.round(x / reduce), Math.round(y / reduce))
  }
  const height = Math.max(1, Math.round((frame.height * WIDTH) / frame.width))
  const bytes = await encodeImage(resize(small, { width: WIDTH, height }), 'jpg', { quality: 72 })
  return `data:image/jpeg;base64,${bytes.toString('base64')}`
}
