import { DflError } from '@dfl/core'

/** The marker of the segment in which DeepFaceLab keeps its metadata. */
const APP15 = 0xef
/** Longest content of a segment, in bytes. */
export const MAX_SEGMENT = 0xffff - 2

/** One segment of a JPEG file before its pixels: the marker's second byte, and its bytes with marker and length. */
interface Segment {
  marker: number
  from: number
  to: number
}

/**
 * The metadata segment of a JPEG file; nothing where it has none.
 *
 * @throws DflError `CORRUPT_FILE` when the bytes are no whole JPEG file up to its pixels.
 */
export function readApp15(jpeg: Uint8Array, place: string): Uint8Array | undefined {
  const segment = segmentsOf(jpeg, place).find(({ marker }) => marker === APP15)
  return segment && jpeg.subarray(segment.from + 4, segment.to)
}

/**
 * The same JPEG file with other metadata, or without: its pixels are not touched.
 *
 * @param content At most `MAX_SEGMENT` bytes.
 */
export function withApp15(jpeg: Uint8Array, content: Uint8Array | undefined, place: string): Buffer {
  const segments = segmentsOf(jpeg, place)
  const kept = segments.filter(({ marker }) => marker !== APP15)
  // Behind the last of the application segments, where DeepFaceLab puts it too.
  const last = kept.findLastIndex(({ marker }) => marker >= 0xe0 && marker <= 0xef)
  const parts: Uint8Array[] = [jpeg.subarray(0, 2)]
  const add = () => {
    if (!content) return
    const head = Buffer.from([0xff, APP15, 0, 0])
    head.writeUInt16BE(content.length + 2, 2)
    parts.push(head, content)
  }
  if (last < 0) add()
  kept.forEach(({ from, to }, i) => {
    parts.push(jpeg.subarray(from, to))
    if (i === last) add()
  })
  parts.push(jpeg.subarray(segments.at(-1)?.to ?? 2))
  return Buffer.concat(parts)
}

/** The segments before the pixels begin. */
function segmentsOf(jpeg: Uint8Array, place: string): Segment[] {
  const broken = (got: string) =>
    new DflError(
      'CORRUPT_FILE',
      `Expected a JPEG file in \`${place}\`, but got ${got}. Take it from a backup, or leave it out.`,
      {
        data: { path: place },
      },
    )
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) throw broken('something else')
  const segments: Segment[] = []
  let at = 2
  for (;;) {
    const from = at
    if (jpeg[at] !== 0xff) throw broken('a file that is cut off or damaged')
    while (jpeg[at + 1] === 0xff) at++ // Filling is allowed before a marker.
    const marker = jpeg[at + 1]
    if (marker === undefined) throw broken('a file that is cut off')
    if (marker === 0xda) return segments // The pixels.
    if (marker === 0xd9) throw broken('a file without pixels')
    const length = at + 3 < jpeg.length ? (jpeg[at + 2]! << 8) | jpeg[at + 3]! : 0
    const to = at + 2 + length
    if (length < 2 || to > jpeg.length) throw broken('a file that is cut off or damaged')
    segments.push({ marker, from: at, to })
    at = to
    if (at <= from) throw broken('a file that is damaged')
  }
}
