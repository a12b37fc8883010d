import { basename, extname } from 'node:path'
import { type Bitmap, DflError, type Pixels } from '@dfl/core'
import { alignedPng } from './aligned-png.js'
import { checksumOf } from './open-faceset.js'

/**
 * The file of a face's mask, and its name in the folder `masks`.
 *
 * The name ends in the content's checksum: a new mask gets another file, so that metadata never means a half-changed one.
 *
 * @param mask [M, M, 1].
 */
export async function maskFile(filename: string, mask: Pixels | Bitmap): Promise<{ name: string; bytes: Uint8Array }> {
  const { width, height, channels } = mask
  if (width !== height || channels !== 1)
    throw new DflError(
      'BAD_SHAPE',
      `Expected a square of 1 channel for the mask of '${filename}', but got ${width} x ${height} of ${channels}. ` +
        'Pass one value for each pixel of the aligned image, or of a smaller copy of it.',
    )
  const bytes = await alignedPng(mask)
  return { name: `${basename(filename, extname(filename))}.${checksumOf(bytes)}.png`, bytes }
}
