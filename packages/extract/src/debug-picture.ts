import type { Bitmap, FaceMeta, Point } from '@dfl/core'
import { applyAffineAll, convexHull, invertAffine } from '@dfl/image'

type Color = readonly [red: number, green: number, blue: number]

const GREEN: Color = [0, 255, 0]
const YELLOW: Color = [255, 220, 0]
const BLUE: Color = [60, 120, 255]
const RED: Color = [255, 40, 40]

/**
 * A copy of a frame with its faces drawn in: landmarks (green), their outline (yellow), box (blue), and the aligned
 * image's square (red) with its upper left corner marked.
 *
 * @param frame  [H, W, 3] bytes.
 */
export function debugPicture(frame: Bitmap, faces: readonly FaceMeta[]): Bitmap {
  const out = { ...frame, data: Uint8Array.from(frame.data) }
  const thickness = Math.max(1, Math.round(Math.max(frame.width, frame.height) / 900))
  for (const { sourceLandmarks, sourceRect, imageToFaceMat, size } of faces) {
    const { x, y, width, height } = sourceRect
    outline(out, convexHull(sourceLandmarks), YELLOW, thickness)
    outline(out, corners(x, y, x + width, y + height), BLUE, thickness)
    const faceToImageMat = invertAffine(imageToFaceMat)
    outline(out, applyAffineAll(faceToImageMat, corners(-0.5, -0.5, size - 0.5, size - 0.5)), RED, thickness)
    const mark: Point[] = [
      [-0.5, -0.5],
      [size / 10, -0.5],
      [-0.5, size / 10],
    ]
    outline(out, applyAffineAll(faceToImageMat, mark), RED, thickness)
    for (const point of sourceLandmarks) dot(out, point, GREEN, thickness + 1)
  }
  return out
}

const corners = (left: number, top: number, right: number, bottom: number): Point[] => [
  [left, top],
  [right, top],
  [right, bottom],
  [left, bottom],
]

function outline(image: Bitmap, points: readonly Point[], color: Color, thickness: number): void {
  for (const [i, from] of points.entries()) {
    const to = points[(i + 1) % points.length]!
    const steps = Math.min(10_000, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1])) + 1)
    for (let k = 0; k <= steps; k++) {
      const t = k / steps
      dot(image, [from[0] + (to[0] - from[0]) * t, from[1] + (to[1] - from[1]) * t], color, thickness)
    }
  }
}

function dot(image: Bitmap, [x, y]: Point, color: Color, size: number): void {
  const left = Math.round(x - (size - 1) / 2)
  const top = Math.round(y - (size - 1) / 2)
  for (let v = Math.max(0, top); v < Math.min(image.height, top + size); v++)
    for (let u = Math.max(0, left); u < Math.min(image.width, left + size); u++)
      image.data.set(color, (v * image.width + u) * 3)
}
