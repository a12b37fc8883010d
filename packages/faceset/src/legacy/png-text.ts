import { inflateSync } from 'node:zlib'
import { DflError } from '@dfl/core'

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
/** Longest text that is unpacked, in bytes. */
const MAX_TEXT = 2 ** 24

/**
 * A text that a PNG file carries; nothing where it has none of that name.
 *
 * @throws DflError `CORRUPT_FILE` when the bytes are no whole PNG file, or the text unpacks to more than 16 MiB.
 *
 * Source: PNG specification, 11.3.3 Textual information, https://www.w3.org/TR/png-3/
 */
export function readPngText(png: Uint8Array, keyword: string, place: string): string | undefined {
  const broken = (got: string, cause?: unknown) =>
    new DflError(
      'CORRUPT_FILE',
      `Expected a PNG file in \`${place}\`, but got ${got}. Take it from a backup, or leave it out.`,
      {
        data: { path: place },
        cause,
      },
    )
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength)
  if (!SIGNATURE.every((byte, i) => bytes[i] === byte)) throw broken('something else')
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    const type = bytes.toString('latin1', at + 4, at + 8)
    const end = at + 8 + length
    if (end + 4 > bytes.length) throw broken('a file that is cut off')
    const chunk = bytes.subarray(at + 8, end)
    const name = chunk.toString('latin1', 0, Math.max(0, chunk.indexOf(0)))
    if (name === keyword && ['tEXt', 'zTXt', 'iTXt'].includes(type)) {
      try {
        return textOf(type, chunk.subarray(name.length + 1))
      } catch (cause) {
        throw broken('a text in it that cannot be unpacked', cause)
      }
    }
    if (type === 'IEND') return undefined
    at = end + 4
  }
  throw broken('a file that is cut off')
}

function textOf(type: string, rest: Buffer): string {
  if (type === 'tEXt') return rest.toString('latin1')
  const unpack = (packed: Uint8Array) => inflateSync(packed, { maxOutputLength: MAX_TEXT })
  if (type === 'zTXt') return unpack(rest.subarray(1)).toString('latin1')
  const language = rest.indexOf(0, 2)
  const translated = language < 0 ? -1 : rest.indexOf(0, language + 1)
  if (translated < 0) throw new Error('The text has no beginning.')
  const content = rest.subarray(translated + 1)
  return (rest[0] === 1 ? unpack(content) : content).toString('utf8')
}
