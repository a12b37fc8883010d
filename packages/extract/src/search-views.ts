import type { Affine, Rect } from '@dfl/core'
import { applyAffine, applyAffineAll, invertAffine, warpAffine } from '@dfl/image'
import { detectionOfPart } from './look.js'
import { type Picture, partPoint, reductionTo } from './picture.js'
import type { Detection, FaceDetector } from './types.js'

/** A detector sees no more than this of a view, so larger views are made smaller first. */
const VIEW_PX = 640

/** A part of an image, turned by quarters, that a detector looks at. */
interface View {
  rect: Rect
  quarterTurns: 0 | 1 | 2 | 3
}

/** Detections in the whole image turned by a quarter, three quarters, and a half; the first turn that shows any wins. */
export async function detectTurned(image: Picture, detector: FaceDetector): Promise<Detection[]> {
  const rect = { x: 0, y: 0, width: image.width, height: image.height }
  for (const quarterTurns of [1, 3, 2] as const) {
    const found = await detectInView(image, detector, { rect, quarterTurns })
    if (found.length > 0) return found
  }
  return []
}

/** Detections in overlapping squares half as long as the image, for faces too small for one look. */
export async function detectTiled(image: Picture, detector: FaceDetector): Promise<Detection[]> {
  const out: Detection[] = []
  for (const rect of tiles(image.width, image.height))
    out.push(...(await detectInView(image, detector, { rect, quarterTurns: 0 })))
  return out
}

/** Squares of half the longer side that cover a rectangle; neighbours share at least a quarter. */
export function tiles(width: number, height: number): Rect[] {
  const side = Math.min(Math.ceil(Math.max(width, height) / 2), Math.min(width, height))
  const starts = (length: number) => {
    const count = Math.ceil((length - side) / (side * 0.75)) + 1
    return Array.from({ length: count }, (_, i) => (count === 1 ? 0 : (i * (length - side)) / (count - 1)))
  }
  return starts(height).flatMap((y) => starts(width).map((x) => ({ x, y, width: side, height: side })))
}

async function detectInView(image: Picture, detector: FaceDetector, view: View): Promise<Detection[]> {
  const reduce = reductionTo(Math.max(view.rect.width, view.rect.height), VIEW_PX)
  const part = image.part(view.rect, reduce)
  const half = (part.reduce - 1) / 2
  const [x, y] = partPoint(part, [view.rect.x + half, view.rect.y + half])
  const inPart = { x, y, width: view.rect.width / part.reduce, height: view.rect.height / part.reduce }
  const { mat, width, height } = viewMat({ ...view, rect: inPart })
  const detections = await detector.detect(warpAffine(part.bitmap, mat, { width, height }))
  const toImage = invertAffine(mat)
  const scale = Math.hypot(toImage[0], toImage[3])
  const inPixelsOfPart = detections.map(({ rect, keyPoints, score }) => {
    const [cx, cy] = applyAffine(toImage, [rect.x + rect.width / 2, rect.y + rect.height / 2])
    const sideways = view.quarterTurns % 2 === 1
    const across = (sideways ? rect.height : rect.width) * scale
    const down = (sideways ? rect.width : rect.height) * scale
    return {
      rect: { x: cx - across / 2, y: cy - down / 2, width: across, height: down },
      keyPoints: applyAffineAll(toImage, keyPoints),
      score,
    }
  })
  return inPixelsOfPart.map((detection) => detectionOfPart(detection, part))
}

/** Pixels of the image → pixels of the view, and the view's size. */
function viewMat({ rect, quarterTurns }: View): { mat: Affine; width: number; height: number } {
  const scale = Math.min(1, VIEW_PX / Math.max(rect.width, rect.height))
  const sideways = quarterTurns % 2 === 1
  const width = Math.max(1, Math.round((sideways ? rect.height : rect.width) * scale))
  const height = Math.max(1, Math.round((sideways ? rect.width : rect.height) * scale))
  const cos = [1, 0, -1, 0][quarterTurns]! * scale
  const sin = [0, 1, 0, -1][quarterTurns]! * scale
  const [cx, cy] = [rect.x + (rect.width - 1) / 2, rect.y + (rect.height - 1) / 2]
  const [vx, vy] = [(width - 1) / 2, (height - 1) / 2]
  const mat: Affine = [cos, -sin, vx - cos * cx + sin * cy, sin, cos, vy - sin * cx - cos * cy]
  return { mat, width, height }
}
