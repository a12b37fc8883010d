import type { Bitmap, Rect } from '@dfl/core'
import { lumaWeights } from './color.js'

/** How the samples of a picture lie in memory and what they mean. */
export interface PlaneLayout {
  /** How many pixels share a chroma sample, as a power of two: 4:2:0 is 1 and 1, 4:4:4 is 0 and 0. */
  chromaShiftX: 0 | 1
  chromaShiftY: 0 | 1
  gray: boolean
  /** 8 to 12. */
  bitDepth: number
  fullRange: boolean
  /** H.273 name, or 'unknown'. */
  matrix: string
  /** Whether chroma sits between the pixels that share it ('center': JPEG) or on the left ones ('left': MPEG). */
  chromaSite: 'left' | 'center'
}

/** Luma and chroma samples: one array for each plane with the number of its elements per row. */
export interface Planes {
  data: readonly (Uint8Array | Uint16Array)[]
  strides: readonly number[]
  width: number
  height: number
}

/** The pixel formats whose samples are read and painted directly; all others are converted to one of them first. */
export const PLANAR_FORMATS: Readonly<Record<string, Pick<PlaneLayout, 'chromaShiftX' | 'chromaShiftY' | 'bitDepth'>>> =
  {
    gray: { chromaShiftX: 0, chromaShiftY: 0, bitDepth: 8 },
    ...Object.fromEntries(
      (['420', '422', '444'] as const).flatMap((kind) => {
        const shifts = { chromaShiftX: kind === '444' ? 0 : 1, chromaShiftY: kind === '420' ? 1 : 0 } as const
        return [
          [`yuv${kind}p`, { ...shifts, bitDepth: 8 }],
          [`yuv${kind}p10le`, { ...shifts, bitDepth: 10 }],
          [`yuv${kind}p12le`, { ...shifts, bitDepth: 12 }],
        ]
      }),
    ),
  }

/** The numbers of the transform between Y'CbCr samples and R'G'B' bytes. */
function transform(layout: PlaneLayout, height: number) {
  const { kr, kb } = lumaWeights(layout.matrix, height)
  const one = 2 ** (layout.bitDepth - 8)
  const lumaOffset = layout.fullRange ? 0 : 16 * one
  const lumaSpan = layout.fullRange ? 2 ** layout.bitDepth - 1 : 219 * one
  const chromaSpan = layout.fullRange ? 2 ** layout.bitDepth - 1 : 224 * one
  return { kr, kb, kg: 1 - kr - kb, lumaOffset, lumaSpan, chromaOffset: 128 * one, chromaSpan }
}

/**
 * The picture as RGB bytes, in its coded orientation.
 *
 * Chroma is interpolated linearly from where the layout says it sits.
 *
 * Source: ITU-T H.273, section 8.3 (equations 23 to 58).
 */
export function planesToRgb(planes: Planes, layout: PlaneLayout): Bitmap {
  const { width, height } = planes
  const t = transform(layout, height)
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
  const uLine = new Int32Array(width + 1)
  const vLine = new Int32Array(width + 1)
  for (let y = 0; y < height; y++) {
    if (!layout.gray) {
      chromaLine(planes, 1, layout, y, t.chromaOffset, uLine)
      chromaLine(planes, 2, layout, y, t.chromaOffset, vLine)
    }
    rgbRow(
      luma.subarray(y * stride, y * stride + width),
      uLine,
      vLine,
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

/** Writes row `y` of a chroma plane, interpolated to full width, without its offset, times 16. */
function chromaLine(planes: Planes, plane: 1 | 2, layout: PlaneLayout, y: number, offset: number, out: Int32Array) {
  const data = planes.data[plane]!
  const stride = planes.strides[plane]!
  const { width, height } = planes
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
    for (let x = 0; x < width; x++) out[x] = 4 * (3 * data[near + x]! + data[far + x]! - zero)
    return
  }
  const count = (width + 1) >> 1
  let before = 3 * data[near]! + data[far]! - zero
  let here = before
  const center = layout.chromaSite === 'center'
  for (let c = 0; c < count; c++) {
    const next = c + 1 < count ? c + 1 : c
    const after = 3 * data[near + next]! + data[far + next]! - zero
    if (center) {
      out[2 * c] = 3 * here + before
      out[2 * c + 1] = 3 * here + after
    } else {
      out[2 * c] = 4 * here
      out[2 * c + 1] = 2 * (here + after)
    }
    before = here
    here = after
  }
}

/**
 * Paints rectangles of an RGB bitmap over the samples of a picture; samples outside them are not touched.
 *
 * A pixel that equals the one in `before` keeps its sample, so the soft edge of a mask ends without a seam. A chroma
 * sample is painted when one of the pixels that it is computed from was, in the rectangle grown to even edges.
 *
 * @param planes The samples, changed in place; of the same size as `bitmap`.
 * @param bitmap [H, W, C] bytes, RGB or gray, in the coded orientation.
 * @param rects In pixels of `bitmap`; parts outside it are ignored, fractions are rounded outwards.
 * @param before What `bitmap` was before it was changed. Without it every pixel of the rectangles counts as changed.
 *
 * Source: ITU-T H.273, section 8.3, inverted.
 */
export function paintRects(
  planes: Planes,
  layout: PlaneLayout,
  change: { bitmap: Bitmap; rects: readonly Rect[]; before?: Bitmap },
): void {
  for (const rect of change.rects) {
    const left = Math.max(0, Math.floor(rect.x))
    const top = Math.max(0, Math.floor(rect.y))
    const right = Math.min(planes.width, Math.ceil(rect.x + rect.width))
    const bottom = Math.min(planes.height, Math.ceil(rect.y + rect.height))
    if (right <= left || bottom <= top) continue
    paintLuma(planes, layout, change, { left, top, right, bottom })
    if (!layout.gray) paintChroma(planes, layout, change, { left, top, right, bottom })
  }
}

interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

function paintLuma(planes: Planes, layout: PlaneLayout, change: { bitmap: Bitmap; before?: Bitmap }, box: Box) {
  const t = transform(layout, planes.height)
  const { data, channels, width } = change.bitmap
  const old = change.before?.data
  const g = channels === 1 ? 0 : 1
  const b = channels === 1 ? 0 : 2
  const scale = t.lumaSpan / 255
  const [kr, kg, kb] = [t.kr * scale, t.kg * scale, t.kb * scale]
  const offset = t.lumaOffset + 0.5
  const luma = planes.data[0]!
  for (let y = box.top; y < box.bottom; y++) {
    let i = (y * width + box.left) * channels
    let o = y * planes.strides[0]! + box.left
    for (let x = box.left; x < box.right; x++, i += channels, o++) {
      if (old !== undefined && data[i] === old[i] && data[i + g] === old[i + g] && data[i + b] === old[i + b]) continue
      luma[o] = (kr * data[i]! + kg * data[i + g]! + kb * data[i + b]! + offset) | 0
    }
  }
}

function paintChroma(planes: Planes, layout: PlaneLayout, change: { bitmap: Bitmap; before?: Bitmap }, box: Box) {
  const t = transform(layout, planes.height)
  const { data, channels, width, height } = change.bitmap
  const old = change.before?.data
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
  for (let cy = box.top >> sy; cy <= (box.bottom - 1) >> sy; cy++) {
    for (let cx = box.left >> sx; cx <= (box.right - 1) >> sx; cx++) {
      let sumR = 0
      let sumG = 0
      let sumB = 0
      let changed = old === undefined
      for (let dy = 0; dy <= sy; dy++) {
        const row = Math.min(height - 1, (cy << sy) + dy) * width
        for (let dx = leftmost; dx <= sx; dx++) {
          const x = Math.max(0, Math.min(width - 1, (cx << sx) + dx))
          const weight = dx === 0 ? middle : 1
          const i = (row + x) * channels
          const pr = data[i]!
          const pg = data[i + g]!
          const pb = data[i + b]!
          sumR += weight * pr
          sumG += weight * pg
          sumB += weight * pb
          if (!changed) changed = pr !== old![i] || pg !== old![i + g] || pb !== old![i + b]
        }
      }
      if (!changed) continue
      const y = t.kr * sumR + t.kg * sumG + t.kb * sumB
      u[cy * planes.strides[1]! + cx] = Math.min(top, (blue * (sumB - y) + offset) | 0)
      v[cy * planes.strides[2]! + cx] = Math.min(top, (red * (sumR - y) + offset) | 0)
    }
  }
}
