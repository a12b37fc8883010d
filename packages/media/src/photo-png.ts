import { promisify } from 'node:util'
import { constants, crc32, deflate } from 'node:zlib'
import { type Bitmap, DflError } from '@dfl/core'
import { SIGNATURE } from './png-chunks.js'

/** What the header calls gray and RGB. */
const COLOUR_TYPES: Readonly<Record<number, number>> = { 1: 0, 3: 2 }
const FILTER_AVERAGE = 3

/**
 * The bytes of a PNG file for something that a camera saw, or a mask of it: half the work of `encodeImage`, and as small.
 *
 * Each sample is stored as its difference from the mean of its neighbours to the left and above, and deflated by how often
 * a difference comes, not by looking for patterns: photographs have none. Drawings and text do; leave them to `encodeImage`.
 *
 * @param photo [H, W, 1 or 3] bytes.
 *
 * Source: https://www.w3.org/TR/png-3/#9Filters
 */
export async function encodePhotoPng({ data, width, height, channels }: Bitmap): Promise<Uint8Array> {
  const colourType = COLOUR_TYPES[channels]
  if (!(data instanceof Uint8Array) || colourType === undefined || data.length !== width * height * channels)
    throw new DflError(
      'BAD_SHAPE',
      `Expected bytes of ${width} x ${height} pixels of 1 or 3 channels for \`photo\`, but got ${data.length} ${data instanceof Uint8Array ? 'bytes' : 'words'} of ${channels}. Use encodeImage().`,
    )
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, colourType], 8)
  const filtered = differences(data, width * channels, channels)
  // Gray is a mask more often than not, and most of that is runs of one value.
  const strategy = channels === 1 ? constants.Z_RLE : constants.Z_HUFFMAN_ONLY
  const chunkSize = Math.max(1024, filtered.length)
  const packed = await promisify(deflate)(filtered, { level: 1, strategy, memLevel: 9, chunkSize })
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', packed), chunk('IEND', Buffer.alloc(0))])
}

/** Each row of `stride` bytes as differences from the mean of left and above, the filter's number before it. */
function differences(data: Uint8Array, stride: number, channels: number): Uint8Array {
  const rows = data.length / stride
  const out = new Uint8Array(rows * (stride + 1))
  for (let row = 0, i = 0, o = 0; row < rows; row++) {
    out[o++] = FILTER_AVERAGE
    for (const end = i + channels; i < end; i++, o++) out[o] = data[i]! - (row === 0 ? 0 : data[i - stride]! >> 1)
    const end = (row + 1) * stride
    // Without a question for each sample; the first row has nothing above it.
    if (row === 0) for (; i < end; i++, o++) out[o] = data[i]! - (data[i - channels]! >> 1)
    else for (; i < end; i++, o++) out[o] = data[i]! - ((data[i - channels]! + data[i - stride]!) >> 1)
  }
  return out
}

/** A chunk with its length and checksum. */
function chunk(type: string, content: Uint8Array): Buffer {
  const out = Buffer.alloc(content.length + 12)
  out.writeUInt32BE(content.length, 0)
  out.write(type, 4, 'latin1')
  out.set(content, 8)
  out.writeUInt32BE(crc32(out.subarray(4, content.length + 8)), content.length + 8)
  return out
}
