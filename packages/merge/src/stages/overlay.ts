import type { Bitmap, Pixels, Rect } from '@dfl/core'
import { applyAffine, invertAffine, multiplyAffine, translation, warpAffine } from '@dfl/image'
import { type MergeFace, type MergeStage, squareMat } from '../merge-face.js'

/** How far from the edge of the square the mask is faded to 0, in pixels of a face whose crop is 256 pixels wide. */
const EDGE = 4

/**
 * A stage that lays the face over its frame as the mask says, at the frame's full resolution.
 *
 * Close to the edge of the square the mask fades to 0 whatever it was, so that the square itself never shows. Pixels
 * whose mask is 0 keep the frame's samples exactly.
 */
export function overlay(): MergeStage {
  return (face) => {
    const rect = coveredRect(face)
    if (!rect) return face
    const size = { width: rect.width, height: rect.height }
    const toRect = multiplyAffine(translation(-rect.x, -rect.y), invertAffine(face.imageToFaceMat))
    const maskToRect = multiplyAffine(toRect, squareMat(face.mask.width, face.dst.width))
    const alpha = warpAffine(fadeAtEdges(face.mask), maskToRect, size)
    const painted = warpAffine(face.face, toRect, size, { interpolation: 'cubic', border: 'replicate', where: alpha })
    return { ...face, patch: { rect, bitmap: blend(face.frame, rect, painted, alpha), alpha } }
  }
}

/** The smallest rectangle of the frame that holds all of the mask, or nothing where that is empty. */
function coveredRect({ mask, imageToFaceMat, dst, frame }: MergeFace): Rect | undefined {
  const { data, width } = mask
  let left = width
  let right = -1
  let top = width
  let bottom = -1
  for (let y = 0; y < mask.height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[y * width + x]! < 1 / 512) continue
      if (x < left) left = x
      if (x > right) right = x
      if (y < top) top = y
      bottom = y
    }
  }
  if (right < 0) return undefined
  const toFrame = multiplyAffine(invertAffine(imageToFaceMat), squareMat(width, dst.width))
  const reach = 1 // the linear kernel's reach round a pixel of the mask
  const corners = [left - reach, right + reach].flatMap((x) =>
    [top - reach, bottom + reach].map((y) => applyAffine(toFrame, [x, y])),
  )
  const xs = corners.map(([x]) => x)
  const ys = corners.map(([, y]) => y)
  const x0 = Math.max(0, Math.floor(Math.min(...xs)))
  const y0 = Math.max(0, Math.floor(Math.min(...ys)))
  const x1 = Math.min(frame.width, Math.ceil(Math.max(...xs)) + 1)
  const y1 = Math.min(frame.height, Math.ceil(Math.max(...ys)) + 1)
  return x1 > x0 && y1 > y0 ? { x: x0, y: y0, width: x1 - x0, height: y1 - y0 } : undefined
}

/** A copy of the mask that falls smoothly to 0 at the edge of the square. */
function fadeAtEdges(mask: Pixels): Pixels {
  const { width, height } = mask
  const band = (EDGE * width) / 256
  const ramp = Float32Array.from({ length: Math.ceil(band) + 1 }, (_, i) => {
    const t = Math.min(1, i / band)
    return t * t * (3 - 2 * t)
  })
  const factor = (i: number, length: number) => ramp[Math.min(i, length - 1 - i, ramp.length - 1)]!
  const data = mask.data.slice()
  for (let y = 0; y < height; y++) {
    const fy = factor(y, height)
    const inner = fy === 1 ? ramp.length : width >> 1
    for (let x = 0; x < inner; x++) {
      const f = fy * factor(x, width)
      data[y * width + x]! *= f
      data[(y + 1) * width - 1 - x]! *= f
    }
    if (fy !== 1 && width % 2 === 1) data[y * width + inner]! *= fy
  }
  return { ...mask, data }
}

/** The frame's samples in `rect` with `painted` over them as `alpha` says; `alpha` is cut to 0..1 in place. */
function blend(frame: Bitmap, rect: Rect, painted: Pixels, alpha: Pixels): Bitmap {
  const { channels, data } = frame
  const wide = data instanceof Uint16Array
  const length = rect.width * rect.height * channels
  const out = wide ? new Uint16Array(length) : new Uint8Array(length)
  const row = rect.width * channels
  for (let y = 0; y < rect.height; y++) {
    const from = ((rect.y + y) * frame.width + rect.x) * channels
    out.set(data.subarray(from, from + row), y * row)
  }
  const pixels = { colour: painted.data, alpha: alpha.data, channels }
  if (out instanceof Uint8Array) blendBytes(out, pixels)
  else blendWords(out, pixels)
  return { data: out, width: rect.width, height: rect.height, channels }
}

interface Paint {
  /** [count, 3] */
  colour: Float32Array
  /** [count] */
  alpha: Float32Array
  channels: number
}

/* One loop for each kind of samples: a shared one would look up their kind for every sample. */

function blendBytes(out: Uint8Array, { colour, alpha, channels }: Paint): void {
  const painted = Math.min(3, channels)
  for (let i = 0, at = 0; i < alpha.length; i++, at += channels) {
    const share = shareOf(alpha[i]!)
    alpha[i] = share
    if (share === 0) continue
    for (let c = 0; c < painted; c++) {
      const v = colour[i * 3 + c]!
      const to = v > 0 ? (v < 1 ? v * 255 : 255) : 0
      out[at + c] = out[at + c]! + share * (to - out[at + c]!) + 0.5
    }
  }
}

function blendWords(out: Uint16Array, { colour, alpha, channels }: Paint): void {
  const painted = Math.min(3, channels)
  for (let i = 0, at = 0; i < alpha.length; i++, at += channels) {
    const share = shareOf(alpha[i]!)
    alpha[i] = share
    if (share === 0) continue
    for (let c = 0; c < painted; c++) {
      const v = colour[i * 3 + c]!
      const to = v > 0 ? (v < 1 ? v * 65535 : 65535) : 0
      out[at + c] = out[at + c]! + share * (to - out[at + c]!) + 0.5
    }
  }
}

/** Below a 512th nothing would change. */
const shareOf = (alpha: number) => (alpha > 1 / 512 ? (alpha < 1 ? alpha : 1) : 0)
