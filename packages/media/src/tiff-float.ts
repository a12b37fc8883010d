import { deflateSync, inflateSync } from 'node:zlib'
import { unsupported } from './errors.js'
import { halfFloats } from './half-floats.js'
import type { ImageSamples } from './image-samples.js'
import { floatPredictor, integerPredictor, undoFloatPredictor, unpackLzw } from './tiff-packing.js'

/*
 * TIFF files of floats. The image library rounds these to its own colours, so that they are read and written here: what is
 * common in film and research (strips or tiles, 16 and 32 bits, no packing, deflate or LZW), and nothing else.
 *
 * Source: TIFF Revision 6.0; Adobe Photoshop TIFF Technical Note 3 (floating point predictor).
 */

const TAG = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  stripOffsets: 273,
  samples: 277,
  rowsPerStrip: 278,
  stripBytes: 279,
  planar: 284,
  predictor: 317,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileBytes: 325,
  extraSamples: 338,
  sampleFormat: 339,
} as const
/** Bytes of the types of values, by their number. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8]
const SHORT = 3
const LONG = 4
const FLOATS = 3
const DEFLATE = 8
const FLOAT_PREDICTOR = 3

/** Whether the bytes are a TIFF file of floats. */
export function isFloatTiff(bytes: Uint8Array): boolean {
  const tags = readTags(bytes)
  return tags?.(TAG.sampleFormat)[0] === FLOATS
}

/** Width and height of a TIFF file of floats. */
export function floatTiffSize(bytes: Uint8Array): { width: number; height: number } {
  const tags = readTags(bytes)
  return { width: tags?.(TAG.width)[0] ?? 0, height: tags?.(TAG.height)[0] ?? 0 }
}

/** The samples of a TIFF file of floats, bit for bit. */
export function decodeFloatTiff(bytes: Uint8Array, path: string): ImageSamples {
  const tags = readTags(bytes)!
  const one = (tag: number, usual: number) => tags(tag)[0] ?? usual
  const width = one(TAG.width, 0)
  const height = one(TAG.height, 0)
  const channels = one(TAG.samples, 1)
  const bits = one(TAG.bits, 32)
  const compression = one(TAG.compression, 1)
  const predictor = one(TAG.predictor, 1)
  const wrong = (expected: string, got: string) =>
    unsupported(path, expected, got, 'Write it as 32-bit float TIFF with deflate, or as EXR.')
  if (![1, 3, 4, 2].includes(channels)) throw wrong('1 to 4 channels', String(channels))
  if ((bits !== 32 && bits !== 16) || tags(TAG.bits).some((b) => b !== bits))
    throw wrong('16 or 32 bits', String(tags(TAG.bits)))
  if (![1, 5, DEFLATE, 32946].includes(compression))
    throw wrong('deflate, LZW or no packing', `compression ${compression}`)
  if (width <= 0 || height <= 0 || width * height > 2 ** 28)
    throw wrong('a picture of at most 2^28 pixels', `${width} x ${height}`)
  const tiled = tags(TAG.tileWidth).length > 0
  const tileWidth = tiled ? one(TAG.tileWidth, width) : width
  const tileHeight = tiled ? one(TAG.tileHeight, height) : Math.min(height, one(TAG.rowsPerStrip, height))
  const offsets = tags(tiled ? TAG.tileOffsets : TAG.stripOffsets)
  const counts = tags(tiled ? TAG.tileBytes : TAG.stripBytes)
  const separate = one(TAG.planar, 1) === 2
  const each = separate ? 1 : channels
  const across = Math.ceil(width / tileWidth)
  const perPlane = across * Math.ceil(height / tileHeight)
  const bytesEach = bits / 8
  const data = new Float32Array(width * height * channels)
  const halves = bits === 16 ? halfFloats() : undefined
  const little = bytes[0] === 0x49
  for (let n = 0; n < perPlane * (separate ? channels : 1); n++) {
    const plane = Math.floor(n / perPlane)
    const [left, top] = [((n % perPlane) % across) * tileWidth, Math.floor((n % perPlane) / across) * tileHeight]
    const rows = tiled ? tileHeight : Math.min(tileHeight, height - top)
    const rowBytes = tileWidth * each * bytesEach
    const offset = offsets[n] ?? bytes.length
    const packed = bytes.subarray(offset, offset + (counts[n] ?? bytes.length))
    let raw: Uint8Array
    try {
      raw =
        compression === 1
          ? packed.slice()
          : compression === 5
            ? unpackLzw(packed, rows * rowBytes)
            : inflateSync(packed, { maxOutputLength: rows * rowBytes + 64 })
    } catch (error) {
      throw unsupported(
        path,
        'an image',
        `one that cannot be unpacked ('${(error as Error).message}')`,
        'Check that the file is whole.',
        error,
      )
    }
    if (raw.length < rows * rowBytes)
      throw unsupported(path, 'an image', 'one that is cut off', 'Check that the file is whole.')
    // The predictor of floats puts the most significant bytes first, whatever the file's order.
    const order = predictor === FLOAT_PREDICTOR ? false : little
    for (let y = 0; y < rows && top + y < height; y++) {
      const row = raw.subarray(y * rowBytes, (y + 1) * rowBytes)
      const line = predictor === FLOAT_PREDICTOR ? undoFloatPredictor(row, each, bytesEach) : row
      const view = new DataView(line.buffer, line.byteOffset, line.byteLength)
      if (predictor === 2) integerPredictor(view, { each, bytesEach, little })
      const columns = Math.min(tileWidth, width - left)
      for (let x = 0; x < columns; x++)
        for (let k = 0; k < each; k++) {
          const at = (x * each + k) * bytesEach
          const o = ((top + y) * width + left + x) * channels + (separate ? plane : k)
          data[o] = halves ? halves[view.getUint16(at, order)]! : view.getFloat32(at, order)
        }
    }
  }
  return { data, width, height, channels: channels as 1 | 2 | 3 | 4 }
}

/** A TIFF file of 32-bit floats, losslessly packed. */
export function encodeFloatTiff({ data, width, height, channels }: ImageSamples & { data: Float32Array }): Buffer {
  const rowsPerStrip = Math.max(1, Math.min(height, Math.floor(2 ** 18 / (width * channels))))
  const strips: Buffer[] = []
  for (let top = 0; top < height; top += rowsPerStrip) {
    const rows = Math.min(rowsPerStrip, height - top)
    const raw = Buffer.alloc(rows * width * channels * 4)
    for (let y = 0; y < rows; y++) {
      const row = data.subarray((top + y) * width * channels, (top + y + 1) * width * channels)
      floatPredictor(row, channels, raw.subarray(y * row.length * 4, (y + 1) * row.length * 4))
    }
    strips.push(deflateSync(raw, { level: 4 }))
  }
  const entries: [tag: number, type: number, values: number[]][] = [
    [TAG.width, LONG, [width]],
    [TAG.height, LONG, [height]],
    [TAG.bits, SHORT, Array.from({ length: channels }, () => 32)],
    [TAG.compression, SHORT, [DEFLATE]],
    [TAG.photometric, SHORT, [channels < 3 ? 1 : 2]],
    [TAG.stripOffsets, LONG, strips.map(() => 0)],
    [TAG.samples, SHORT, [channels]],
    [TAG.rowsPerStrip, LONG, [rowsPerStrip]],
    [TAG.stripBytes, LONG, strips.map(({ length }) => length)],
    [TAG.planar, SHORT, [1]],
    [TAG.predictor, SHORT, [FLOAT_PREDICTOR]],
    ...(channels % 2 === 0 ? [[TAG.extraSamples, SHORT, [2]] as [number, number, number[]]] : []),
    [TAG.sampleFormat, SHORT, Array.from({ length: channels }, () => FLOATS)],
  ]
  // Header, directory, values that are too long to stand in it, strips.
  const directory = 2 + entries.length * 12 + 4
  const longBytes = (type: number, values: number[]) => {
    const bytes = values.length * TYPE_BYTES[type]!
    return bytes > 4 ? bytes + (bytes % 2) : 0
  }
  let at = 8 + directory + entries.reduce((sum, [, type, values]) => sum + longBytes(type, values), 0)
  for (const [i, strip] of strips.entries()) {
    entries[5]![2][i] = at
    at += strip.length
  }
  const head = Buffer.alloc(at - strips.reduce((sum, { length }) => sum + length, 0))
  head.write('II*\0', 0, 'latin1')
  head.writeUInt32LE(8, 4)
  head.writeUInt16LE(entries.length, 8)
  let beyond = 8 + directory
  for (const [i, [tag, type, values]] of entries.entries()) {
    const entry = 10 + i * 12
    head.writeUInt16LE(tag, entry)
    head.writeUInt16LE(type, entry + 2)
    head.writeUInt32LE(values.length, entry + 4)
    const long = longBytes(type, values)
    let to = long ? beyond : entry + 8
    if (long) head.writeUInt32LE(beyond, entry + 8)
    beyond += long
    for (const value of values) to = type === SHORT ? head.writeUInt16LE(value, to) : head.writeUInt32LE(value, to)
  }
  return Buffer.concat([head, ...strips])
}

/** Looks up the values of the first directory's tags; nothing where the bytes are no TIFF. */
function readTags(bytes: Uint8Array): ((tag: number) => number[]) | undefined {
  if (bytes.length < 8) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const little = bytes[0] === 0x49 && bytes[1] === 0x49
  if (!little && !(bytes[0] === 0x4d && bytes[1] === 0x4d)) return undefined
  if (view.getUint16(2, little) !== 42) return undefined
  const start = view.getUint32(4, little)
  if (start + 2 > bytes.length) return undefined
  const count = view.getUint16(start, little)
  const found = new Map<number, number[]>()
  for (let i = 0; i < count; i++) {
    const entry = start + 2 + i * 12
    if (entry + 12 > bytes.length) break
    const type = view.getUint16(entry + 2, little)
    const size = TYPE_BYTES[type] ?? 0
    const length = view.getUint32(entry + 4, little)
    if ((type !== SHORT && type !== LONG) || length > 2 ** 24) continue
    const from = size * length > 4 ? view.getUint32(entry + 8, little) : entry + 8
    if (from + size * length > bytes.length) continue
    const value = (n: number) =>
      type === SHORT ? view.getUint16(from + 2 * n, little) : view.getUint32(from + 4 * n, little)
    found.set(
      view.getUint16(entry, little),
      Array.from({ length }, (_, n) => value(n)),
    )
  }
  return (tag) => found.get(tag) ?? []
}
