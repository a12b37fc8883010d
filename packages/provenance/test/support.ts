import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crc32, deflateSync } from 'node:zlib'
import { type Origin, type Seal, selfMadeIdentity } from '../src/index.js'

/** The demo's DST: 24 frames a second, sound, the index before the pictures. */
export const CLIP = fileURLToPath(new URL('../../../examples/footage/pair1-dst.mp4', import.meta.url))

export const ORIGIN: Origin = {
  tool: { name: 'dfl', version: '1.2.3' },
  dst: { name: 'b.mp4', format: 'video/mp4', sha256: 'ab'.repeat(32) },
  model: { architecture: 'df', iterations: 1200, sha256: 'cd'.repeat(32) },
  consent: { sha256: 'ef'.repeat(32) },
}

/** A folder that is gone when the test is over. */
export async function scratchFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'dfl-provenance-'))
  return {
    at: (name = '') => join(folder, name),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** A seal of a self-made identity that is kept in `folder`. */
export const sealIn = async (folder: string): Promise<Seal> => ({
  origin: ORIGIN,
  identity: await selfMadeIdentity(folder),
})

/** A PNG of 2 x 2 red pixels, as the format's specification has it. */
export function png(...more: Buffer[]): Buffer {
  const header = Buffer.from([0, 0, 0, 2, 0, 0, 0, 2, 8, 2, 0, 0, 0])
  const rows = Buffer.from([0, 255, 0, 0, 255, 0, 0, 0, 255, 0, 0, 255, 0, 0])
  const end = [pngChunk('IDAT', deflateSync(rows)), pngChunk('IEND', Buffer.alloc(0))]
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), pngChunk('IHDR', header), ...more, ...end])
}

export function pngChunk(type: string, content: Buffer): Buffer {
  const chunk = Buffer.alloc(content.length + 12)
  chunk.writeUInt32BE(content.length, 0)
  chunk.write(type, 4, 'latin1')
  content.copy(chunk, 8)
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + content.length)), 8 + content.length)
  return chunk
}

/** A gray TIFF of 2 x 1 pixels with two directory entries more than it needs. */
export function tiff({ little = true } = {}): Buffer {
  const bytes = Buffer.alloc(8 + 2 + 8 * 12 + 4 + 2)
  const short = (at: number, value: number) =>
    little ? bytes.writeUInt16LE(value, at) : bytes.writeUInt16BE(value, at)
  const long = (at: number, value: number) => (little ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at))
  bytes.write(little ? 'II' : 'MM', 0, 'latin1')
  short(2, 42)
  long(4, 8)
  const samples = bytes.length - 2
  const entries = [
    [256, 2],
    [257, 1],
    [258, 8],
    [259, 1],
    [262, 1],
    [273, samples],
    [278, 1],
    [279, 2],
  ] as const
  short(8, entries.length)
  entries.forEach(([tag, value], i) => {
    const at = 10 + 12 * i
    short(at, tag)
    short(at + 2, 4)
    long(at + 4, 1)
    long(at + 8, value)
  })
  bytes.set([17, 211], samples)
  return bytes
}

/** An OpenEXR file of two rows, one block each, with made-up blocks. */
export function exr(): Buffer {
  const attribute = (name: string, type: string, value: Buffer) => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(value.length)
    return Buffer.concat([Buffer.from(`${name}\0${type}\0`), length, value])
  }
  const head = Buffer.from('762f310102000000', 'hex')
  const header = Buffer.concat([head, attribute('owner', 'string', Buffer.from('Ada')), Buffer.alloc(1)])
  const blocks = [Buffer.from('first block'), Buffer.from('second block')]
  const table = Buffer.alloc(16)
  table.writeBigUInt64LE(BigInt(header.length + 16), 0)
  table.writeBigUInt64LE(BigInt(header.length + 16 + blocks[0]!.length), 8)
  return Buffer.concat([header, table, ...blocks])
}

/** The frame of a lossless WebP of 3 x 5 pixels: its header is true, its pixels are not there. */
export function webp(): Buffer {
  const content = Buffer.alloc(12)
  content[0] = 0x2f
  content.writeUInt32LE(((5 - 1) << 14) | (3 - 1), 1)
  const head = Buffer.from('RIFF\0\0\0\0WEBPVP8L\0\0\0\0', 'latin1')
  head.writeUInt32LE(12 + content.length, 4)
  head.writeUInt32LE(content.length, 16)
  return Buffer.concat([head, content])
}

/** A JPEG as far as its metadata goes: JFIF's segment, a comment, and the picture's own tables. */
export const jpeg = () =>
  Buffer.concat([
    Buffer.from('ffd8ffe000104a46494600010101004800480000', 'hex'),
    Buffer.from('fffe0005416461', 'hex'),
    Buffer.from('ffdb0004000000ffd9', 'hex'),
  ])
