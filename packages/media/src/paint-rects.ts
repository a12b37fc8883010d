import type { Bitmap, Rect } from '@dfl/core'
import { type Box, type PlaneLayout, type Planes, transform } from './planes.js'

/** What is painted: an RGB bitmap, where it lies in the picture, and which rectangles of it. */
export interface Painting {
  /** [h, w, C] bytes, RGB or gray, in the coded orientation. */
  bitmap: Bitmap
  /** Column and row of the picture at which the bitmap begins. */
  x: number
  y: number
  /** In pixels of the picture; parts outside the bitmap are ignored, fractions are rounded outwards. */
  rects: readonly Rect[]
  /** What `bitmap` was before it was changed. Without it every pixel of the rectangles counts as changed. */
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
    paintLuma(planes, layout, painting, { left, top, right, bottom })
    if (!layout.gray) paintChroma(planes, layout, painting, { left, top, right, bottom })
  }
}

function paintLuma(planes: Planes, layout: PlaneLayout, { bitmap, before, x, y }: Painting, box: Box) {
  const t = transform(layout)
  const { data, channels, width } = bitmap
  const old = before?.data ?? NOTHING
  const compare = before !== undefined
  const g = channels === 1 ? 0 : 1
  const b = channels === 1 ? 0 : 2
  const scale = t.lumaSpan / 255
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

function paintChroma(planes: Planes, layout: PlaneLayout, { bitmap, before, x, y }: Painting, box: Box) {
  const t = transform(layout)
  const { data, channels, width, height } = bitmap
  const old = before?.data ?? NOTHING
  const g = channels === 1 ? 0 : 1
  const b = channels === 1 ? 0 : 2
  const { chromaShiftX: sx, chromaShiftY: sy } = layout
  // The pixels that make one chroma sample: pairs in each shared direction, and 1-2-1 across for samples on the left ones.
  const leftmost = sx === 1 && layout.chromaSite === 'left' ? -1 : 0
  const middle = leftmost === -1 ? 2 : 1
  const total = (sx === 0 ? 1 : leftmost === -1 ? 4 : 2) << sy
  const scale = t.chromaSpan / 255 / total
  const blue = scale / (2 * (1 - t.kb))
  const red = scale / (2 * (1 - t.kr))
  const top = 2 ** layout.bitDepth - 1
  const offset = t.chromaOffset + 0.5
  const [u, v] = [planes.data[1]!, planes.data[2]!]
  const column = (at: number) => Math.max(0, Math.min(width - 1, at - x)) * channels
  for (let cy = box.top >> sy; cy <= (box.bottom - 1) >> sy; cy++) {
    const upper = Math.max(0, Math.min(height - 1, (cy << sy) - y)) * width * channels
    const lower = Math.max(0, Math.min(height - 1, (cy << sy) + sy - y)) * width * channels
    for (let cx = box.left >> sx; cx <= (box.right - 1) >> sx; cx++) {
      let sumR = 0
      let sumG = 0
      let sumB = 0
      let changed = before === undefined
      for (let dx = leftmost; dx <= sx; dx++) {
        const at = column((cx << sx) + dx)
        const weight = dx === 0 ? middle : 1
        for (let dy = 0, row = upper; dy <= sy; dy++, row = lower) {
          const i = row + at
          const pr = data[i]!
          const pg = data[i + g]!
          const pb = data[i + b]!
          sumR += weight * pr
          sumG += weight * pg
          sumB += weight * pb
          if (!changed) changed = pr !== old[i] || pg !== old[i + g] || pb !== old[i + b]
        }
      }
      if (!changed) continue
      const luma = t.kr * sumR + t.kg * sumG + t.kb * sumB
      u[cy * planes.strides[1]! + cx] = Math.min(top, (blue * (sumB - luma) + offset) | 0)
      v[cy * planes.strides[2]! + cx] = Math.min(top, (red * (sumR - luma) + offset) | 0)
    }
  }
}
