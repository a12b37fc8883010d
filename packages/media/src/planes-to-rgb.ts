import type { Bitmap } from '@dfl/core'
import { type Box, type PlaneLayout, type Planes, transform } from './planes.js'

/**
 * The picture, or a part of it, as RGB bytes, in its coded orientation.
 *
 * Chroma is interpolated linearly from where the layout says it sits.
 *
 * @param box Inside the picture; all of it if not given.
 *
 * Source: ITU-T H.273, section 8.3 (equations 23 to 58).
 */
export function planesToRgb(
  planes: Planes,
  layout: PlaneLayout,
  box: Box = { left: 0, top: 0, right: planes.width, bottom: planes.height },
): Bitmap {
  const [width, height] = [box.right - box.left, box.bottom - box.top]
  const t = transform(layout)
  const out = new Uint8Array(width * height * 3)
  const luma = planes.data[0]!
  const stride = planes.strides[0]!
  // Fixed point: luma factors carry 2^shift, chroma lines carry 16 times their value, so their factors carry 2^shift/16.
  const shift = 24 - layout.bitDepth
  const scale = 2 ** shift
  const yFactor = Math.round((255 / t.lumaSpan) * scale)
  const chroma = (factor: number) => Math.round((((255 / t.chromaSpan) * scale) / 16) * factor)
  const factors: Factors = {
    shift,
    y: yFactor,
    rv: chroma(2 * (1 - t.kr)),
    bu: chroma(2 * (1 - t.kb)),
    gu: chroma((2 * t.kb * (1 - t.kb)) / t.kg),
    gv: chroma((2 * t.kr * (1 - t.kr)) / t.kg),
    round: (1 << (shift - 1)) - t.lumaOffset * yFactor,
  }
  // Where pairs of columns share a sample, lines begin at the left one of a pair.
  const lead = layout.chromaShiftX ? box.left & 1 : 0
  const uLine = new Int32Array(width + 2)
  const vLine = new Int32Array(width + 2)
  for (let y = 0; y < height; y++) {
    if (!layout.gray) {
      chromaLine(planes, 1, layout, { ...box, top: box.top + y }, t.chromaOffset, uLine)
      chromaLine(planes, 2, layout, { ...box, top: box.top + y }, t.chromaOffset, vLine)
    }
    const from = (box.top + y) * stride + box.left
    rgbRow(
      luma.subarray(from, from + width),
      uLine.subarray(lead),
      vLine.subarray(lead),
      factors,
      out.subarray(y * width * 3, (y + 1) * width * 3),
    )
  }
  return { data: out, width, height, channels: 3 }
}

interface Factors {
  shift: number
  y: number
  rv: number
  bu: number
  gu: number
  gv: number
  round: number
}

/**
 * One row of pixels; a function of its own, so that it is compiled well after a few rows. Each `| 0` keeps a sum a
 * 32-bit integer for the compiler.
 */
function rgbRow(luma: Uint8Array | Uint16Array, uLine: Int32Array, vLine: Int32Array, f: Factors, out: Uint8Array) {
  const { shift, y, rv, bu, gu, gv, round } = f
  const count = luma.length
  for (let x = 0, o = 0; x < count; x++, o += 3) {
    const l = (Math.imul(luma[x]!, y) + round) | 0
    const u = uLine[x]!
    const v = vLine[x]!
    const green = (Math.imul(gu, u) + Math.imul(gv, v)) | 0
    out[o] = CLAMP[LOW + (((l + Math.imul(rv, v)) | 0) >> shift)]!
    out[o + 1] = CLAMP[LOW + (((l - green) | 0) >> shift)]!
    out[o + 2] = CLAMP[LOW + (((l + Math.imul(bu, u)) | 0) >> shift)]!
  }
}

/** Bytes for whole numbers from -LOW up: a table is faster than comparing or a clamped array. */
const LOW = 512
const CLAMP = Uint8Array.from({ length: 1536 }, (_, i) => Math.max(0, Math.min(255, i - LOW)))

/**
 * Writes the top row of a box of a chroma plane, interpolated to full width, without its offset, times 16. Where pairs of
 * columns share a sample, it begins at the left one of a pair.
 */
function chromaLine(planes: Planes, plane: 1 | 2, layout: PlaneLayout, box: Box, offset: number, out: Int32Array) {
  const data = planes.data[plane]!
  const stride = planes.strides[plane]!
  const { width, height } = planes
  const { left, right, top: y } = box
  let near = y * stride
  let far = near
  if (layout.chromaShiftY) {
    const last = ((height + 1) >> 1) - 1
    const row = y >> 1
    near = row * stride
    far = Math.min(last, Math.max(0, row + (y & 1 ? 1 : -1))) * stride
  }
  // 3 parts of the nearer row and 1 of the farther one; where rows are not shared both are the same row.
  const zero = 4 * offset
  if (!layout.chromaShiftX) {
    for (let x = left; x < right; x++) out[x - left] = 4 * (3 * data[near + x]! + data[far + x]! - zero)
    return
  }
  const last = ((width + 1) >> 1) - 1
  const first = left >> 1
  const end = (right + 1) >> 1
  const previous = Math.max(0, first - 1)
  let before = 3 * data[near + previous]! + data[far + previous]! - zero
  let here = 3 * data[near + first]! + data[far + first]! - zero
  const center = layout.chromaSite === 'center'
  for (let c = first, o = 0; c < end; c++, o += 2) {
    const next = c < last ? c + 1 : last
    const after = 3 * data[near + next]! + data[far + next]! - zero
    if (center) {
      out[o] = 3 * here + before
      out[o + 1] = 3 * here + after
    } else {
      out[o] = 4 * here
      out[o + 1] = 2 * (here + after)
    }
    before = here
    here = after
  }
}
