import { broken } from './broken.js'

const XMP_FLAG = 0x04
const ALPHA_FLAG = 0x10

interface Chunk {
  type: string
  content: Buffer
}

/** Whether these are the bytes of a WebP file. */
export const isWebp = (bytes: Buffer) =>
  bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP'

/** The XMP packet of a WebP file. Source: WebP Container Specification (RFC 9649), 2.7.1.5 */
export function xmpOfWebp(bytes: Buffer): string | undefined {
  return chunksOf(bytes)
    .find(({ type }) => type === 'XMP ')
    ?.content.toString('utf8')
}

/** The WebP file with this XMP packet in place of its own. A file in the simple format becomes one in the extended format. */
export function webpWithXmp(bytes: Buffer, xmp: string): Buffer {
  const chunks = chunksOf(bytes).filter(({ type }) => type !== 'XMP ')
  const described = chunks.find(({ type }) => type === 'VP8X')
  const extended = described ? Buffer.from(described.content) : descriptionOf(chunks)
  extended[0]! |= XMP_FLAG
  const rest = chunks.filter(({ type }) => type !== 'VP8X')
  const all = [{ type: 'VP8X', content: extended }, ...rest, { type: 'XMP ', content: Buffer.from(xmp) }].map(toBytes)
  const head = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1')
  head.writeUInt32LE(4 + all.reduce((sum, one) => sum + one.length, 0), 4)
  return Buffer.concat([head, ...all])
}

/** The chunk that begins the extended format, from the picture's own header. */
function descriptionOf(chunks: readonly Chunk[]): Buffer {
  const picture = chunks.find(({ type }) => type === 'VP8 ' || type === 'VP8L')
  if (!picture || picture.content.length < 10) throw broken('WebP')
  const { type, content } = picture
  const bits = content.readUInt32LE(1)
  const lossless = type === 'VP8L'
  const width = lossless ? (bits & 0x3fff) + 1 : content.readUInt16LE(6) & 0x3fff
  const height = lossless ? ((bits >>> 14) & 0x3fff) + 1 : content.readUInt16LE(8) & 0x3fff
  const out = Buffer.alloc(10)
  out[0] = lossless && (bits >>> 28) & 1 ? ALPHA_FLAG : 0
  out.writeUIntLE(width - 1, 4, 3)
  out.writeUIntLE(height - 1, 7, 3)
  return out
}

function toBytes({ type, content }: Chunk): Buffer {
  const out = Buffer.alloc(8 + content.length + (content.length & 1))
  out.write(type, 0, 'latin1')
  out.writeUInt32LE(content.length, 4)
  content.copy(out, 8)
  return out
}

function chunksOf(bytes: Buffer): Chunk[] {
  const chunks: Chunk[] = []
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4)
    if (at + 8 + length > bytes.length) throw broken('WebP')
    chunks.push({ type: bytes.toString('latin1', at, at + 4), content: bytes.subarray(at + 8, at + 8 + length) })
    at += 8 + length + (length & 1)
  }
  return chunks
}
