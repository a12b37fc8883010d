import type { FaceType, Landmarks, Rect } from '@dfl/core'
import { faceCorners } from './face-square.js'

/**
 * Left and top are multiples of this: where an image is made much smaller, blocks of whole pixels are averaged on a grid
 * that begins at the image's corner, and must not move when only the part around a face is at hand.
 */
const GRID = 12

/**
 * The rectangle of the frame that cutting a face reads, its filters included. May reach beyond the frame.
 *
 * @param landmarks  In pixels of the frame.
 * @param size  Side of the aligned image, in pixels.
 */
export function readRect(landmarks: Landmarks, faceType: FaceType, size: number): Rect {
  const corners = faceCorners(landmarks, faceType)
  const side = Math.hypot(corners[1][0] - corners[0][0], corners[1][1] - corners[0][1])
  const reach = Math.ceil(5 * Math.max(1, side / size)) + 4
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)]
  const x = Math.floor((Math.min(...xs) - reach) / GRID) * GRID
  const y = Math.floor((Math.min(...ys) - reach) / GRID) * GRID
  return { x, y, width: Math.ceil(Math.max(...xs) + reach) - x, height: Math.ceil(Math.max(...ys) + reach) - y }
}
