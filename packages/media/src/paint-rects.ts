import type { Bitmap, Rect } from '@dfl/core'
import { kernels, type MediaKernels, type Region, regionOf } from './kernels.js'
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

/** Rows of a bitmap in the kernels' memory. */
interface Rows {
  bytes: number
  load(at: number): void
  /** Where a row of the bitmap is; beyond its edges, that is the nearest one. */
  row(y: number): number
}

/** Those of the rows from `top` to `bottom` − 1 that a bitmap has. */
function rowsOf(memory: MediaKernels, { data, width, height, channels }: Bitmap, top: number, bottom: number): Rows {
  const within = (y: number) => Math.max(0, Math.min(height - 1, y))
  const first = within(top)
  const stride = width * channels
  const region = regionOf(data, stride, { left: 0, top: first, right: stride, bottom: within(bottom - 1) + 1 })
  let from = 0
  return {
    bytes: region.length * data.BYTES_PER_ELEMENT,
    load(at) {
      from = at
      region.load(memory, at)
    },
    row: (y) => from + (within(y) - first) * stride * data.BYTES_PER_ELEMENT,
  }
}

/** Tells the kernels how samples of the bitmap become the picture's. */
function usePaint(memory: MediaKernels, layout: PlaneLayout, bitmap: Bitmap): void {
  const t = transform(layout)
  const scale = t.lumaSpan / peakOf(bitmap)
  // The pixels that make one chroma sample: pairs in each shared direction, and 1-2-1 across for samples on the left ones.
  const { chromaShiftX: sx } = layout
  const left = sx === 1 && layout.chromaSite === 'left'
  const chroma = t.chromaSpan / peakOf(bitmap) / ((sx === 0 ? 1 : left ? 4 : 2) * 2)
  memory.call.usePaint(
    bitmap.data instanceof Uint16Array,
    bitmap.channels,
    ...[t.kr * scale, t.kg * scale, t.kb * scale, t.lumaOffset + 0.5],
    ...[t.kr, t.kg, t.kb, chroma / (2 * (1 - t.kb)), chroma / (2 * (1 - t.kr)), t.chromaOffset + 0.5],
    ...[2 ** layout.bitDepth - 1, sx, left ? 1 : 0],
  )
}

function paintLuma(planes: Planes, layout: PlaneLayout, { bitmap, before, x, y }: Painting, box: Box) {
  const memory = kernels()
  const luma = planes.data[0]!
  const stride = planes.strides[0]! * luma.BYTES_PER_ELEMENT
  const region = regionOf(luma, planes.strides[0]!, box)
  const now = rowsOf(memory, bitmap, box.top - y, box.bottom - y)
  const old = before && rowsOf(memory, before, box.top - y, box.bottom - y)
  const [at, nowAt, oldAt] = memory.room(region.length * luma.BYTES_PER_ELEMENT, now.bytes, old?.bytes ?? 0) as [
    ...[number, number, number],
  ]
  usePaint(memory, layout, bitmap)
  region.load(memory, at)
  now.load(nowAt)
  old?.load(oldAt)
  const left = (box.left - x) * bitmap.channels * bitmap.data.BYTES_PER_ELEMENT
  for (let row = box.top; row < box.bottom; row++) {
    const was = old ? old.row(row - y) + left : 0
    memory.call.paintLuma(now.row(row - y) + left, was, box.right - box.left, at + (row - box.top) * stride)
  }
  region.store(memory, at)
}

function paintChroma(planes: Planes, layout: PlaneLayout, { bitmap, before, x, y }: Painting, box: Box) {
  const { chromaShiftX: sx, chromaShiftY: sy } = layout
  const memory = kernels()
  const [first, top] = [box.left >> sx, box.top >> sy]
  const count = ((box.right - 1) >> sx) + 1 - first
  const bottom = ((box.bottom - 1) >> sy) + 1
  // One column more on the left, for samples that it has a share in.
  const columns = (count << sx) + 1
  const { BYTES_PER_ELEMENT: size } = planes.data[1]!
  const [u, v] = ([1, 2] as const).map((plane) => {
    const region = regionOf(planes.data[plane]!, planes.strides[plane]!, {
      left: first,
      top,
      right: first + count,
      bottom,
    })
    return { region, stride: planes.strides[plane]! * size }
  }) as [{ region: Region; stride: number }, { region: Region; stride: number }]
  const now = rowsOf(memory, bitmap, (top << sy) - y, (bottom << sy) - y)
  const old = before && rowsOf(memory, before, (top << sy) - y, (bottom << sy) - y)
  const line = columns * bitmap.channels * bitmap.data.BYTES_PER_ELEMENT
  const ints = (columns + 4) * 4
  const [uAt, vAt, nowAt, oldAt, upper, lower, upperWas, lowerWas, sums, changed] = memory.room(
    ...[u.region.length * size, v.region.length * size, now.bytes, old?.bytes ?? 0],
    ...[line, line, line, line, 3 * ints, ints],
  ) as [...[number, number, number, number, number], ...[number, number, number, number, number]]
  usePaint(memory, layout, bitmap)
  u.region.load(memory, uAt)
  v.region.load(memory, vAt)
  now.load(nowAt)
  old?.load(oldAt)
  const from = (first << sx) - 1 - x
  const copy = (rows: Rows, row: number, to: number) =>
    memory.call.bitmapRow(rows.row(row), bitmap.width, from, columns, to)
  for (let cy = top; cy < bottom; cy++) {
    const row = (cy << sy) - y
    copy(now, row, upper)
    copy(now, row + sy, lower)
    if (old) {
      copy(old, row, upperWas)
      copy(old, row + sy, lowerWas)
    }
    const was = old ? upperWas : 0
    if (!memory.call.sumColumns(upper, lower, was, lowerWas, columns, sums, changed)) continue
    memory.call.paintChroma(sums, changed, count, uAt + (cy - top) * u.stride, vAt + (cy - top) * v.stride)
  }
  u.region.store(memory, uAt)
  v.region.store(memory, vAt)
}
