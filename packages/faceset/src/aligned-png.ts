import type { Bitmap, Pixels } from '@dfl/core'
import { toBitmap } from '@dfl/image'
import { encodeImage, encodePhotoPng } from '@dfl/media'

/**
 * The bytes of an image file of a face, without loss: `FacesetWriter.add` stores them as they are.
 *
 * @param image [S, S, 3]: bytes and 16-bit words are kept exactly, floats become bytes.
 */
export async function alignedPng(image: Pixels | Bitmap): Promise<Uint8Array> {
  const { data } = image
  if (data instanceof Uint16Array) return encodeImage(image, 'png', { bits: '16' })
  return encodePhotoPng(data instanceof Uint8Array ? (image as Bitmap) : toBitmap(image as Pixels))
}
