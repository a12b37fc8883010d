import type { Bitmap, Rect } from '@dfl/core'
import { kernels, type MediaKernels, viewLike } from './kernels.js'
import { type Box, type PlaneLayout, type Planes, RGB_PLANES, transform } from './planes.js'

/** What is painted: an RGB bitmap, where it lies in the picture, and which rectangles of it. */
export interface Painting {
  /** [h, w, C] bytes or 16-bit words, RGB or gray, in the coded orientation. */
  bitmap: Bitmap
  /** Column and row of the picture at which the bitmap begins. */
  x: number
  y: number
  /** In pixels of the picture; parts outside the bitmap are ignored, fractions are rounded outwards. */
  rects: readonly Rect[]
  /** What `bitmap` was before it was changed, of the same kind. Without it every pixel of the rectangles counts as changed. */
  before?: Bitmap
}

/**
 * Paints rectangles of an RGB bitmap over the samples of a picture; samples outside them are not touched.
 *
 * A pixel that equals the one in `before` keeps its sample, so the soft edge of a mask ends without a seam. A chroma
 * sample is painted when one of the pixels that it is computed from was, in the rectangle grown to even edges. Where the
 * bitmap ends, pixels beyond it count as its last ones.
 *
 * @param planes The samples, changed in place.
 *
 * Source: ITU-T H.273, section 8.3, inverted.
 */
export function paintRects(planes: Planes, layout: PlaneLayout, painting: Painting): void {
  const { bitmap, x, y } = painting
  for (const rect of painting.rects) {
    const left = Math.max(0, x, Math.floor(rect.x))
    const top = Math.max(0, y, Math.floor(rect.y))
    const right = Math.min(planes.width, x + bitmap.width, Math.ceil(rect.x + rect.width))
    const bottom = Math.min(planes.height, y + bitmap.height, Math.ceil(rect.y + rect.height))
    if (right <= left || bottom <= top) continue
    const box = { left, top, right, bottom }
    if (layout.kind === 'rgb') {
      paintRgb(planes, layout, painting, box)
      continue
    }
    paintLuma(planes, layout, painting, box)
    if (layout.kind === 'yuv') paintChroma(planes, layout, painting, box)
  }
}

const peakOf = ({ data }: Bitmap) => (data instanceof Uint16Array ? 65535 : 255)

function paintRgb(planes: Planes, layout: PlaneLayout, { bitmap, before, x, y }: Painting, box: Box) {
  const { data, channels, width } = bitmap
  const scale = (2 ** layout.bitDepth - 1) / peakOf(bitmap)
  const [g, b] = channels === 1 ? [0, 0] : [1, 2]
  const offsets = [0, g, b]
  const old = before?.data
  for (let row = box.top; row < box.bottom; row++) {
    let i = ((row - y) * width + box.left - x) * channels
    for (let column = box.left; column < box.right; column++, i += channels) {
      if (old && data[i] === old[i] && data[i + g] === old[i + g] && data[i + b] === old[i + b]) continue
      for (let k = 0; k < 3; k++) {
        const plane = RGB_PLANES[k]!
        planes.data[plane]![row * planes.strides[plane]! + column] = data[i + offsets[k]!]! * scale + 0.5
      }
    }
  }
}

/** Rows of the bitmap that the kernels read: as it is, and as it was. */
interface Rows {
  memory: MediaKernels
  /** Writes a stretch of a row to `at`; past the bitmap's edges, the edge goes on. Where it is as it was, or 0. */
  copy(row: number, from: number, count: number, places: { now: number; before: number }): number
}

/** Copies rows of a painting for the kernels, which know how its samples become the picture's. */
function rowsOf(memory: MediaKernels, layout: PlaneLayout, { bitmap, before }: Painting): Rows {
  const t = transform(layout)
  const { width, height, channels } = bitmap
  const scale = t.lumaSpan / peakOf(bitmap)
  // The pixels that make one chroma sample: pairs in each shared direction, and 1-2-1 across for samples on the left ones.
  const { chromaShiftX: sx } = layout
  const left = sx === 1 && layout.chromaSite === 'left'
  const chroma = t.chromaSpan / peakOf(bitmap) / ((sx === 0 ? 1 : left ? 4 : 2) * 2)
  memory.call.usePaint(
    bitmap.data instanceof Uint16Array,
    channels,
    ...[t.kr * scale, t.kg * scale, t.kb * scale, t.lumaOffset + 0.5],
    ...[t.kr, t.kg, t.kb, chroma / (2 * (1 - t.kb)), chroma / (2 * (1 - t.kr)), t.chromaOffset + 0.5],
    ...[2 ** layout.bitDepth - 1, sx, left ? 1 : 0],
  )
  const put = ({ data }: Bitmap, at: number, row: number, from: number, count: number) => {
    const to = viewLike(memory, data, at, count * channels)
    const line = Math.max(0, Math.min(height - 1, row)) * width
    const first = Math.max(0, Math.min(width - 1, from))
    const end = Math.max(first + 1, Math.min(width, from + count))
    to.set(data.subarray((line + first) * channels, (line + end) * channels), (first - from) * channels)
    for (let i = first - from - 1; i >= 0; i--) to.copyWithin(i * channels, (i + 1) * channels, (i + 2) * channels)
    for (let i = end - from; i < count; i++) to.copyWithin(i * channels, (i - 1) * channels, i * channels)
  }
  return {
    memory,
    copy(row, from, count, places) {
      put(bitmap, places.now, row, from, count)
      if (!before) return 0
      put(before, places.before, row, from, count)
      return places.before
    },
  }
}

function paintLuma(planes: Planes, layout: PlaneLayout, painting: Painting, box: Box) {
  const { bitmap, x, y } = painting
  const memory = kernels()
  const count = box.right - box.left
  const luma = planes.data[0]!
  const bytes = count * bitmap.channels * bitmap.data.BYTES_PER_ELEMENT
  const [now, before, line] = memory.room(bytes, bytes, count * luma.BYTES_PER_ELEMENT) as [number, number, number]
  const rows = rowsOf(memory, layout, painting)
  const samples = viewLike(memory, luma, line, count)
  for (let row = box.top; row < box.bottom; row++) {
    const old = rows.copy(row - y, box.left - x, count, { now, before })
    const at = row * planes.strides[0]! + box.left
    samples.set(luma.subarray(at, at + count))
    memory.call.paintLuma(now, old, count, line)
    luma.set(samples, at)
  }
}

function paintChroma(planes: Planes, layout: PlaneLayout, painting: Painting, box: Box) {
  const { bitmap, x, y } = painting
  const { chromaShiftX: sx, chromaShiftY: sy } = layout
  const memory = kernels()
  const first = box.left >> sx
  const count = ((box.right - 1) >> sx) + 1 - first
  // One column more on the left, for samples that it has a share in.
  const columns = (count << sx) + 1
  const bytes = columns * bitmap.channels * bitmap.data.BYTES_PER_ELEMENT
  const ints = (columns + 4) * 4
  const [u, v] = [planes.data[1]!, planes.data[2]!]
  const line = count * u.BYTES_PER_ELEMENT
  const places = memory.room(bytes, bytes, bytes, bytes, 3 * ints, ints, line, line)
  const [upper, upperBefore, lower, lowerBefore, sums, changed, uLine, vLine] = places as [
    ...[number, number, number, number],
    ...[number, number, number, number],
  ]
  const rows = rowsOf(memory, layout, painting)
  const [us, vs] = [viewLike(memory, u, uLine, count), viewLike(memory, v, vLine, count)]
  const from = (first << sx) - 1 - x
  for (let cy = box.top >> sy; cy <= (box.bottom - 1) >> sy; cy++) {
    const row = (cy << sy) - y
    const old = rows.copy(row, from, columns, { now: upper, before: upperBefore })
    rows.copy(row + sy, from, columns, { now: lower, before: lowerBefore })
    if (!memory.call.sumColumns(upper, lower, old, lowerBefore, columns, sums, changed)) continue
    const [uAt, vAt] = [cy * planes.strides[1]! + first, cy * planes.strides[2]! + first]
    us.set(u.subarray(uAt, uAt + count))
    vs.set(v.subarray(vAt, vAt + count))
    memory.call.paintChroma(sums, changed, count, uLine, vLine)
    u.set(us, uAt)
    v.set(vs, vAt)
  }
}
