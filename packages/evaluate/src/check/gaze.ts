import type { Landmarks, Pixels } from '@dfl/core'

/** Width of an eye, in pixels, and height over width, below which nothing is said of it. */
const LEAST_WIDTH = 8
const LEAST_OPEN = 0.16

/**
 * Where the eyes look relative to the head, −1 to its own right .. 1 to its own left, from how dark each part of the
 * eyes is; `undefined` where both are shut or too small.
 *
 * @param gray [H, W, 1], an upright face.
 * @param landmarks In pixels of `gray`.
 */
export function gazeSide(gray: Pixels, landmarks: Landmarks): number | undefined {
  const sides = [eyeSide(gray, landmarks.slice(36, 42)), eyeSide(gray, landmarks.slice(42, 48))]
  const told = sides.filter((side) => side !== undefined)
  return told.length === 0 ? undefined : told.reduce((sum, side) => sum + side, 0) / told.length
}

/** Where the dark middle of one eye is between its corners, −1..1. */
function eyeSide({ data, width, height }: Pixels, eye: Landmarks): number | undefined {
  const [from, to] = [eye[0], eye[3]]
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]]
  const long = Math.hypot(dx, dy)
  const open =
    (Math.hypot(eye[1][0] - eye[5][0], eye[1][1] - eye[5][1]) +
      Math.hypot(eye[2][0] - eye[4][0], eye[2][1] - eye[4][1])) /
    2
  if (long < LEAST_WIDTH || open < LEAST_OPEN * long) return undefined
  const columns = 24
  // Darkness along the eye, a few rows about the line of its corners, brightest taken as white.
  const profile = Array.from({ length: columns }, (_, k) => {
    const t = (k + 0.5) / columns
    let sum = 0
    for (let row = -2; row <= 2; row++) {
      const off = (row / 2) * 0.3 * open
      const x = Math.round(from[0] + t * dx - (off * dy) / long)
      const y = Math.round(from[1] + t * dy + (off * dx) / long)
      if (x < 0 || y < 0 || x >= width || y >= height) return 1
      sum += data[y * width + x] / 5
    }
    return sum
  }).slice(3, -3)
  const white = Math.max(...profile)
  const black = Math.min(...profile)
  if (white - black < 0.03) return undefined
  let [sum, at] = [0, 0]
  profile.forEach((value, k) => {
    const dark = ((white - value) / (white - black)) ** 3
    sum += dark
    at += dark * (k + 0.5)
  })
  return Math.max(-1, Math.min(1, 2 * (at / sum / profile.length) - 1))
}
