import { eyesMouthMask, hullMask } from '@dfl/align'
import { type Landmarks, median, type Pixels } from '@dfl/core'

/** From luma to light, as nearly all video has it. */
export const GAMMA = 2.2

/** Where the light on a face comes from, and how bright it is. */
export interface FaceLight {
  /** Brighter on the picture's right above 0, on its left below: change across half the face over its brightness. */
  right: number
  /** Brighter above, or below. */
  up: number
  /** Mean luma of the face, 0..1. */
  brightness: number
}

/**
 * The light on a face: a slope laid through the linear luminance of its skin, as if the face were a ball, and the share of
 * the face that is clipped. Eyes and mouth do not count. A beard looks like light from above; left and right are even.
 *
 * @param image [S, S, 3], an aligned face.
 * @param landmarks In pixels of `image`.
 * Source: first-order harmonics of Basri and Jacobs 2003, https://doi.org/10.1109/TPAMI.2003.1177153
 */
export function faceLight(image: Pixels, landmarks: Landmarks): { light: FaceLight; clipped: number } {
  const size = { width: image.width, height: image.height }
  const face = hullMask(landmarks, size)
  const without = eyesMouthMask(landmarks, size)
  const [left, right, brow, chin] = [landmarks[1], landmarks[15], landmarks[27], landmarks[8]]
  const [cx, cy] = [(left[0] + right[0]) / 2, (brow[1] + chin[1]) / 2]
  const rx = Math.max(1, Math.hypot(right[0] - left[0], right[1] - left[1]) / 2)
  const ry = Math.max(1, Math.hypot(chin[0] - brow[0], chin[1] - brow[1]) * 0.7)
  // Sums for the slope: weights, places, values.
  let [w, sx, sy, sv, sxx, sxy, syy, sxv, syv, luma, clipped] = Array(11).fill(0) as number[]
  for (let i = 0, y = 0; y < image.height; y++)
    for (let x = 0; x < image.width; x++, i++) {
      const weight = face.data[i] * (1 - without.data[i])
      if (weight <= 0) continue
      const [r, g, b] = [image.data[3 * i], image.data[3 * i + 1], image.data[3 * i + 2]]
      const bright = 0.299 * r + 0.587 * g + 0.114 * b
      const value = Math.max(0, bright) ** GAMMA
      const u = (x - cx) / rx
      const v = (cy - y) / ry
      w += weight
      sx += weight * u
      sy += weight * v
      sv += weight * value
      sxx += weight * u * u
      sxy += weight * u * v
      syy += weight * v * v
      sxv += weight * u * value
      syv += weight * v * value
      luma += weight * bright
      if (Math.max(r, g, b) > 0.985 || Math.max(r, g, b) < 0.03) clipped += weight
    }
  if (w === 0) return { light: { right: 0, up: 0, brightness: 0 }, clipped: 0 }
  const xx = sxx - (sx * sx) / w
  const yy = syy - (sy * sy) / w
  const xy = sxy - (sx * sy) / w
  const xv = sxv - (sx * sv) / w
  const yv = syv - (sy * sv) / w
  const determinant = xx * yy - xy * xy || 1
  const mean = sv / w || 1e-6
  return {
    light: {
      right: (yy * xv - xy * yv) / determinant / mean,
      up: (xx * yv - xy * xv) / determinant / mean,
      brightness: luma / w,
    },
    clipped: clipped / w,
  }
}

/**
 * How many stops brighter the skin of DST's faces is than SRC's: by its light, by its colour or by both. 0 where a side has
 * no faces.
 */
export function skinStops(src: readonly { light: FaceLight }[], dst: readonly { light: FaceLight }[]): number {
  if (Math.min(src.length, dst.length) === 0) return 0
  const [a, b] = [src, dst].map((faces) => Math.max(0.01, median(faces.map(({ light }) => light.brightness))))
  return GAMMA * Math.log2(b / a)
}
