import { DflError } from '@dfl/core'
import { exrWithXmp, isExr, xmpOfExr } from './exr-xmp.js'
import { isJpeg, jpegWithXmp, xmpOfJpeg } from './jpeg-xmp.js'
import { isPng, pngWithXmp, xmpOfPng } from './png-xmp.js'
import { isTiff, tiffWithXmp, xmpOfTiff } from './tiff-xmp.js'
import { isWebp, webpWithXmp, xmpOfWebp } from './webp-xmp.js'
import { syntheticXmp } from './xmp.js'

const FORMATS = [
  { name: 'PNG', is: isPng, read: xmpOfPng, write: pngWithXmp },
  { name: 'JPEG', is: isJpeg, read: xmpOfJpeg, write: jpegWithXmp },
  { name: 'TIFF', is: isTiff, read: xmpOfTiff, write: tiffWithXmp },
  { name: 'WebP', is: isWebp, read: xmpOfWebp, write: webpWithXmp },
  { name: 'OpenEXR', is: isExr, read: xmpOfExr, write: exrWithXmp },
] as const

/**
 * The image file with XMP that says it is synthetic. No sample changes, and metadata that was there stays.
 *
 * @param bytes A whole file: PNG, JPEG, TIFF, WebP or OpenEXR.
 * @throws DflError `UNSUPPORTED_MEDIA` for another format, `CORRUPT_FILE` for a damaged file.
 */
export function markImage(bytes: Uint8Array): Buffer {
  const file = asBuffer(bytes)
  const format = FORMATS.find(({ is }) => is(file))
  if (!format)
    throw new DflError(
      'UNSUPPORTED_MEDIA',
      `Expected a ${FORMATS.map(({ name }) => name).join(', ')} image, but got another file. Choose one of these formats.`,
    )
  return format.write(file, syntheticXmp(format.read(file)))
}

/** Whether a file that begins with these bytes, 16 or more, is an image that `markImage` knows. */
export const isImage = (head: Buffer): boolean => FORMATS.some(({ is }) => is(head))

/** The XMP packet of an image file; nothing where it has none, or is none of the formats that `markImage` knows. */
export function xmpOfImage(bytes: Uint8Array): string | undefined {
  const file = asBuffer(bytes)
  return FORMATS.find(({ is }) => is(file))?.read(file)
}

const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array) => Buffer.from(buffer, byteOffset, byteLength)
