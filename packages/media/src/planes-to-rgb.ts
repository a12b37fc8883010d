import type { Bitmap } from '@dfl/core'
import { chromaLine } from './chroma-line.js'
import { type Box, type PlaneLayout, type Planes, RGB_PLANES, transform } from './planes.js'
import { planesToWords, toBytes } from './planes-to-words.js'

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
  // Fixed point has too few digits for more.
  if (layout.bitDepth > 12 || (layout.kind === 'rgb' && layout.bitDepth > 8))
    return toBytes(planesToWords(planes, layout, box))
  const out = new Uint8Array(width * height * 3)
  if (layout.kind === 'rgb') {
    for (const [channel, plane] of RGB_PLANES.entries())
      for (let y = 0, o = channel; y < height; y++) {
        let i = (box.top + y) * planes.strides[plane]! + box.left
        for (const end = i + width; i < end; i++, o += 3) out[o] = planes.data[plane]![i]!
      }
    return { data: out, width, height, channels: 3 }
  }
  const t = transform(layout)
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
    if (layout.kind === 'yuv') {
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
