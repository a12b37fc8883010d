import type { Bitmap, Rect } from '@dfl/core'
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

function paintLuma(planes: Planes, layout: PlaneLayout, { bitmap, before, x, y }: Painting, box: Box) {
  const t = transform(layout)
  const { data, channels, width } = bitmap
  const old = before?.data ?? NOTHING
  const compare = before !== undefined
  const g = channels === 1 ? 0 : 1
  const b = channels === 1 ? 0 : 2
  const scale = t.lumaSpan / peakOf(bitmap)
  const [kr, kg, kb] = [t.kr * scale, t.kg * scale, t.kb * scale]
  const offset = t.lumaOffset + 0.5
  const luma = planes.data[0]!
  for (let row = box.top; row < box.bottom; row++) {
    let i = ((row - y) * width + box.left - x) * channels
    let o = row * planes.strides[0]! + box.left
    const end = o + box.right - box.left
    for (; o < end; i += channels, o++) {
      if (compare && data[i] === old[i] && data[i + g] === old[i + g] && data[i + b] === old[i + b]) continue
      luma[o] = (kr * data[i]! + kg * data[i + g]! + kb * data[i + b]! + offset) | 0
    }
  }
}

const NOTHING = new Uint8Array(0)

function paintChroma(planes: Planes, layout: PlaneLayout, painting: Painting, box: Box) {
  const t = transform(layout)
  const { bitmap, x, y } = painting
  const { chromaShiftX: sx, chromaShiftY: sy } = layout
  // The pixels that make one chroma sample: pairs in each shared direction, and 1-2-1 across for samples on the left ones.
  const left = sx === 1 && layout.chromaSite === 'left'
  const scale = t.chromaSpan / peakOf(bitmap) / ((sx === 0 ? 1 : left ? 4 : 2) * 2)
  const blue = scale / (2 * (1 - t.kb))
  const red = scale / (2 * (1 - t.kr))
  const highest = 2 ** layout.bitDepth - 1
  const offset = t.chromaOffset + 0.5
  const [u, v] = [planes.data[1]!, planes.data[2]!]
  const first = box.left >> sx
  const end = ((box.right - 1) >> sx) + 1
  // One column more on the left, for samples that it has a share in.
  const columns: Columns = {
    sums: new Float64Array((((end - first) << sx) + 1) * 3),
    changed: new Uint8Array(((end - first) << sx) + 1),
  }
  const { sums, changed } = columns
  const inBitmap = (at: number, length: number) => Math.max(0, Math.min(length - 1, at))
  for (let cy = box.top >> sy; cy <= (box.bottom - 1) >> sy; cy++) {
    const upper = inBitmap((cy << sy) - y, bitmap.height)
    const lower = inBitmap((cy << sy) + sy - y, bitmap.height)
    if (!sumColumns(painting, { upper, lower, from: (first << sx) - 1 - x }, columns)) continue
    let [uAt, vAt] = [cy * planes.strides[1]! + first, cy * planes.strides[2]! + first]
    for (let c = first, k = 1; c < end; c++, k += 1 << sx, uAt++, vAt++) {
      const touched = changed[k]! | (sx ? changed[k + 1]! : 0) | (left ? changed[k - 1]! : 0)
      if (!touched) continue
      const i = 3 * k
      let [r, g, b] = [sums[i]!, sums[i + 1]!, sums[i + 2]!]
      if (left) {
        r += r + sums[i - 3]! + sums[i + 3]!
        g += g + sums[i - 2]! + sums[i + 4]!
        b += b + sums[i - 1]! + sums[i + 5]!
      } else if (sx) {
        r += sums[i + 3]!
        g += sums[i + 4]!
        b += sums[i + 5]!
      }
      const luma = t.kr * r + t.kg * g + t.kb * b
      u[uAt] = Math.min(highest, (blue * (b - luma) + offset) | 0)
      v[vAt] = Math.min(highest, (red * (r - luma) + offset) | 0)
    }
  }
}

/** Two rows of pixels added up: [n, 3] red, green and blue of both, and whether one of the two was changed. */
interface Columns {
  sums: Float64Array
  changed: Uint8Array
}

/** Fills the columns from column `from` of the bitmap on; past its edges, the edge goes on. Whether any was changed. */
function sumColumns(
  { bitmap, before }: Painting,
  rows: { upper: number; lower: number; from: number },
  { sums, changed }: Columns,
): boolean {
  const { data, width, channels } = bitmap
  const old = before?.data ?? NOTHING
  const compare = before !== undefined
  const g = channels === 1 ? 0 : 1
  const b = channels === 1 ? 0 : 2
  let any = 0
  for (let k = 0, o = 0; k < changed.length; k++, o += 3) {
    const column = rows.from + k
    const at = (column < 0 ? 0 : column < width ? column : width - 1) * channels
    const p = rows.upper * width * channels + at
    const q = rows.lower * width * channels + at
    const [pr, pg, pb, qr, qg, qb] = [data[p]!, data[p + g]!, data[p + b]!, data[q]!, data[q + g]!, data[q + b]!]
    sums[o] = pr + qr
    sums[o + 1] = pg + qg
    sums[o + 2] = pb + qb
    const same =
      compare &&
      pr === old[p] &&
      pg === old[p + g] &&
      pb === old[p + b] &&
      qr === old[q] &&
      qg === old[q + g] &&
      qb === old[q + b]
    changed[k] = same ? 0 : 1
    any |= changed[k]!
  }
  return any !== 0
}
