import { DflError } from '@dfl/core'
import { broken } from './broken.js'

const SIGNATURE = 'http://ns.adobe.com/xap/1.0/\0'

interface Segment {
  marker: number
  start: number
  end: number
}

/** Whether these are the bytes of a JPEG file. */
export const isJpeg = (bytes: Buffer) => bytes.length > 3 && bytes.readUInt16BE(0) === 0xffd8 && bytes[2] === 0xff

/** The XMP packet of a JPEG file. Source: XMP Specification Part 3 (2020), 1.1.3 */
export function xmpOfJpeg(bytes: Buffer): string | undefined {
  const segment = segmentsOf(bytes).find((one) => isXmp(bytes, one))
  return segment && bytes.toString('utf8', segment.start + 4 + SIGNATURE.length, segment.end)
}

/** The JPEG file with this XMP packet in place of its own, after JFIF's and EXIF's segments; all else stays as it is. */
export function jpegWithXmp(bytes: Buffer, xmp: string): Buffer {
  const content = Buffer.from(SIGNATURE + xmp)
  if (content.length > 0xffff - 2)
    throw new DflError(
      'UNSUPPORTED_MEDIA',
      `Expected XMP of at most 65502 bytes for a JPEG file, but got ${content.length - SIGNATURE.length}. Shorten the metadata of the image.`,
    )
  const head = Buffer.from([0xff, 0xe1, 0, 0])
  head.writeUInt16BE(content.length + 2, 2)
  const segments = segmentsOf(bytes)
  const kept = segments.filter((one) => !isXmp(bytes, one))
  const first = kept.filter(({ marker, start }) => marker === 0xe0 || isExif(bytes, { marker, start }))
  const rest = kept.filter((one) => !first.includes(one))
  const parts = (list: Segment[]) => list.map(({ start, end }) => bytes.subarray(start, end))
  const picture = bytes.subarray(segments.at(-1)?.end ?? 2)
  return Buffer.concat([bytes.subarray(0, 2), ...parts(first), head, content, ...parts(rest), picture])
}

const isXmp = (bytes: Buffer, { marker, start }: Segment) =>
  marker === 0xe1 && bytes.toString('latin1', start + 4, start + 4 + SIGNATURE.length) === SIGNATURE

const isExif = (bytes: Buffer, { marker, start }: Pick<Segment, 'marker' | 'start'>) =>
  marker === 0xe1 && bytes.toString('latin1', start + 4, start + 10) === 'Exif\0\0'

/** The segments before the picture's own tables: APPn and comments. */
function segmentsOf(bytes: Buffer): Segment[] {
  const segments: Segment[] = []
  for (let start = 2; ; ) {
    if (start + 4 > bytes.length || bytes[start] !== 0xff) throw broken('JPEG')
    const marker = bytes[start + 1]!
    if (marker !== 0xfe && (marker < 0xe0 || marker > 0xef)) return segments
    const end = start + 2 + bytes.readUInt16BE(start + 2)
    segments.push({ marker, start, end })
    start = end
  }
}
