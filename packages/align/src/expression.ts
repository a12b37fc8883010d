import type { Landmarks } from '@dfl/core'
import { fitHead } from './head-fit.js'

/**
 * How far the eyes are open: mean distance of the lids over the distance of the outer corners of the eyes, about 0 when
 * shut and 0.1 when open.
 *
 * Measured against an average head laid under the landmarks, so neither size nor a turn or nod of the head changes it
 * much.
 *
 * @param landmarks  In pixels of any image with square pixels.
 */
export function eyeOpening(landmarks: Landmarks): number {
  return meanGap(landmarks, [
    [37, 41],
    [38, 40],
    [43, 47],
    [44, 46],
  ])
}

/**
 * How far the mouth is open: mean distance of the inner lips over the distance of the outer corners of the eyes, 0 when
 * shut and up to about 0.6.
 *
 * @param landmarks  In pixels of any image with square pixels.
 */
export function mouthOpening(landmarks: Landmarks): number {
  return meanGap(landmarks, [
    [61, 67],
    [62, 66],
    [63, 65],
  ])
}

/** Mean distance of pairs of landmarks along the head's upward axis, as long as it looks from the front. */
function meanGap(landmarks: Landmarks, pairs: readonly (readonly [upper: number, lower: number])[]): number {
  const { rotation, scale } = fitHead(landmarks)
  // The head's upward axis as seen in the image, y down; a nodding head shortens it.
  const [x, y] = [rotation[1] * scale, -rotation[4] * scale]
  const square = Math.max(x * x + y * y, (0.3 * scale) ** 2)
  let sum = 0
  for (const [upper, lower] of pairs) {
    const [u, v] = [landmarks[upper], landmarks[lower]]
    sum += ((u[0] - v[0]) * x + (u[1] - v[1]) * y) / square
  }
  return Math.max(0, sum / pairs.length)
}
