import { crc32 } from 'node:zlib'
import { broken } from './broken.js'

const KEYWORD = 'XML:com.adobe.xmp'

interface Chunk {
  type: string
  /** Where it begins and ends in the file. */
  start: number
  end: number
}

/** Whether these are the bytes of a PNG file. */
export const isPng = (bytes: Buffer) => bytes.subarray(0, 8).equals(Buffer.from('89504e470d0a1a0a', 'hex'))

/** The XMP packet of a PNG file. Source: XMP Specification Part 3 (2020), 1.1.5 */
export function xmpOfPng(bytes: Buffer): string | undefined {
  const chunk = chunksOf(bytes).find((one) => isXmp(bytes, one))
  // Keyword, two bytes about compression, empty language and translated keyword.
  return chunk && bytes.toString('utf8', chunk.start + 8 + KEYWORD.length + 5, chunk.end - 4)
}

/** The PNG file with this XMP packet in place of its own; every other chunk stays as it is. */
export function pngWithXmp(bytes: Buffer, xmp: string): Buffer {
  const chunks = chunksOf(bytes)
  const pictures = chunks.find(({ type }) => type === 'IDAT')
  if (!pictures) throw broken('PNG')
  const content = Buffer.from(`${KEYWORD}\0\0\0\0\0${xmp}`)
  const chunk = Buffer.alloc(content.length + 12)
  chunk.writeUInt32BE(content.length, 0)
  chunk.write('iTXt', 4, 'latin1')
  content.copy(chunk, 8)
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + content.length)), 8 + content.length)
  const kept = (list: Chunk[]) =>
    list.filter((one) => !isXmp(bytes, one)).map((one) => bytes.subarray(one.start, one.end))
  const at = chunks.indexOf(pictures)
  return Buffer.concat([bytes.subarray(0, 8), ...kept(chunks.slice(0, at)), chunk, ...kept(chunks.slice(at))])
}

const isXmp = (bytes: Buffer, { type, start }: Chunk) =>
  type === 'iTXt' && bytes.toString('latin1', start + 8, start + 8 + KEYWORD.length) === KEYWORD

function chunksOf(bytes: Buffer): Chunk[] {
  const chunks: Chunk[] = []
  for (let start = 8; start < bytes.length; ) {
    const end = start + 12 <= bytes.length ? start + 12 + bytes.readUInt32BE(start) : Number.POSITIVE_INFINITY
    if (end > bytes.length) throw broken('PNG')
    chunks.push({ type: bytes.toString('latin1', start + 4, start + 8), start, end })
    start = end
  }
  return chunks
}
