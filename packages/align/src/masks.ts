import type { Landmarks, Pixels, Point } from '@dfl/core'
import { convexHull, createPixels, dilate, fillPolygons, gaussianBlur } from '@dfl/image'
import { checkLandmarks, midpoint, range } from './landmarks.js'

/** Side of a square mask, or its width and height, in pixels. */
export type MaskSize = number | { width: number; height: number }

/**
 * Where the face is, from jaw to raised brows: [H, W, 1] float32 0..1, edges covered in part.
 *
 * Raised brows reach past the head where it is turned away; who knows the outline of the head passes it as `within`.
 *
 * @param landmarks  In pixels of the mask.
 * @param options  `eyebrowsExpandMod`: how far the brows are raised, 1 (default) by half their distance to the eyes.
 * `within`: corners of a polygon, in pixels of the mask, beyond which it is 0.
 *
 * Source: hulls as DeepFaceLab; with exact coverage instead of whole pixels
 */
export function hullMask(
  landmarks: Landmarks,
  size: MaskSize,
  { eyebrowsExpandMod = 1, within }: { eyebrowsExpandMod?: number; within?: readonly Point[] } = {},
): Pixels {
  checkLandmarks(landmarks)
  const raised = raiseBrows(landmarks, eyebrowsExpandMod)
  const pick = (first: number, last: number) => range(raised, first, last)
  const chin = raised[8]
  const parts: Point[][] = [
    [...pick(0, 8), raised[17]],
    [...pick(8, 16), raised[26]],
    [...pick(17, 19), chin],
    [...pick(24, 26), chin],
    [...pick(19, 24), chin],
    [...pick(17, 21), raised[27], ...pick(31, 35), chin],
    [...pick(22, 26), raised[27], ...pick(31, 35), chin],
    pick(27, 35),
  ]
  const mask = fillHulls(parts, size)
  if (within) {
    const inside = createPixels(mask.width, mask.height, 1)
    fillPolygons(inside, [within])
    for (let i = 0; i < mask.data.length; i++) mask.data[i] *= inside.data[i]
  }
  return mask
}

/** The landmarks with each brow point moved away from the eye below it by half of `mod` times their distance. */
function raiseBrows(landmarks: Landmarks, mod: number): Point[] {
  // Beyond the outer corner the eye line goes on a quarter of the way to the end of the jaw.
  const outerLeft = midpoint(landmarks[36], midpoint(landmarks[36], landmarks[0]))
  const outerRight = midpoint(landmarks[45], midpoint(landmarks[45], landmarks[16]))
  const eyeLine = [outerLeft, ...range(landmarks, 36, 39), ...range(landmarks, 42, 45), outerRight]
  return landmarks.map((point, i) => {
    if (i < 17 || i > 26) return point
    const below = eyeLine[i - 17]
    return [point[0] + 0.5 * mod * (point[0] - below[0]), point[1] + 0.5 * mod * (point[1] - below[1])]
  })
}

/** Both eyes, grown and softened a little: [H, W, 1] float32 0..1. Landmarks in pixels of the mask. */
export function eyesMask(landmarks: Landmarks, size: MaskSize): Pixels {
  checkLandmarks(landmarks)
  return softened([range(landmarks, 36, 41), range(landmarks, 42, 47)], size)
}

/** The opening between the lips, grown and softened a little: [H, W, 1] float32 0..1. Landmarks in pixels of the mask. */
export function mouthMask(landmarks: Landmarks, size: MaskSize): Pixels {
  checkLandmarks(landmarks)
  return softened([range(landmarks, 60, 67)], size)
}

/** Eyes and mouth together: [H, W, 1] float32 0..1. Landmarks in pixels of the mask. */
export function eyesMouthMask(landmarks: Landmarks, size: MaskSize): Pixels {
  checkLandmarks(landmarks)
  return softened([range(landmarks, 36, 41), range(landmarks, 42, 47), range(landmarks, 60, 67)], size)
}

/** Hulls grown by a 64th of the mask's height and blurred by about a hundredth. */
function softened(parts: readonly (readonly Point[])[], size: MaskSize): Pixels {
  const mask = fillHulls(parts, size)
  // A Gaussian window of a 16th of the height has this sigma by OpenCV's rule, which DeepFaceLab's masks follow.
  const window = mask.height / 16
  return gaussianBlur(dilate(mask, mask.height / 64), 0.3 * ((window - 1) / 2 - 1) + 0.8, { border: 'zero' })
}

function fillHulls(parts: readonly (readonly Point[])[], size: MaskSize): Pixels {
  const { width, height } = typeof size === 'number' ? { width: size, height: size } : size
  const mask = createPixels(width, height, 1)
  const hulls = parts.map((points) => convexHull(points)).filter((hull) => hull.length >= 3)
  fillPolygons(mask, hulls)
  return mask
}
