import { open } from 'node:fs/promises'
import { extname } from 'node:path'

/** Bit of the flags of an extended WebP that says that pictures follow each other. */
const ANIMATION = 0x02

/**
 * Whether an image file is an animated WebP, of which no more than the first picture is read.
 *
 * Source: WebP container specification, https://developers.google.com/speed/webp/docs/riff_container
 */
export async function isAnimatedWebp(path: string): Promise<boolean> {
  if (extname(path).toLowerCase() !== '.webp') return false
  const head = Buffer.alloc(21)
  const file = await open(path)
  try {
    await file.read(head, 0, head.length, 0)
  } finally {
    await file.close()
  }
  const isExtended = head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 16) === 'WEBPVP8X'
  return isExtended && (head[20]! & ANIMATION) !== 0
}
