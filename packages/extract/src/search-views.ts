import type { Affine, Point, Rect } from '@dfl/core'
import { affineScale, applyAffine, applyAffineAll, invertAffine, multiplyAffine, warpAffine } from '@dfl/image'
import type { FrameSamples } from '@dfl/media'
import { type Picture, type PicturePart, reductionTo } from './picture.js'
import type { Detection, FaceDetector } from './types.js'

/** The longer side of a view for a detector that does not tell how much it can use, in pixels. */
const VIEW_PX = 640

/** A part of a picture that a detector is shown upright: a rectangle that is turned about its middle. */
export interface View {
  /** In pixels of the picture. */
  centre: Point
  /** Along and across the turned rectangle, in pixels of the picture. */
  width: number
  height: number
  /** Clockwise as seen in the picture. */
  rollRadians: number
}

/** Detections in the whole image turned by a quarter, three quarters, and a half; the first turn that shows any wins. */
export async function detectTurned(image: Picture, detector: FaceDetector): Promise<Detection[]> {
  const { width, height } = image
  const centre: Point = [(width - 1) / 2, (height - 1) / 2]
  for (const rollRadians of [-Math.PI / 2, Math.PI / 2, Math.PI]) {
    const lying = rollRadians === Math.PI ? { width, height } : { width: height, height: width }
    const found = await detectInView(image, detector, { centre, ...lying, rollRadians })
    if (found.length > 0) return found
  }
  return []
}

/** Detections in overlapping squares a third as long as the image, for faces too small for one look. */
export async function detectTiled(image: Picture, detector: FaceDetector): Promise<Detection[]> {
  const out: Detection[] = []
  for (const { x, y, width, height } of tiles(image.width, image.height)) {
    const centre: Point = [x + (width - 1) / 2, y + (height - 1) / 2]
    out.push(...(await detectInView(image, detector, { centre, width, height, rollRadians: 0 })))
  }
  return out
}

/** Squares of a third of the longer side that cover a rectangle; neighbours share at least a quarter. */
export function tiles(width: number, height: number): Rect[] {
  const side = Math.min(Math.ceil(Math.max(width, height) / 3), Math.min(width, height))
  const starts = (length: number) => {
    const count = Math.ceil((length - side) / (side * 0.75)) + 1
    return Array.from({ length: count }, (_, i) => (count === 1 ? 0 : (i * (length - side)) / (count - 1)))
  }
  return starts(height).flatMap((y) => starts(width).map((x) => ({ x, y, width: side, height: side })))
}

/** What a detector finds in a view, in pixels of the picture. */
export async function detectInView(image: Picture, detector: FaceDetector, view: View): Promise<Detection[]> {
  const longer = Math.max(view.width, view.height)
  const viewPx = detector.inputPx ?? VIEW_PX
  const scale = Math.min(1, viewPx / longer)
  const size = {
    width: Math.max(1, Math.round(view.width * scale)),
    height: Math.max(1, Math.round(view.height * scale)),
  }
  const imageToViewMat = viewMat(view, scale, size)
  const reduce = reductionTo(longer, viewPx)
  const rect = rectOfView(view, reduce)
  const found =
    detector.detectIn && image.samplesIn
      ? await detector.detectIn(seenThrough(image.samplesIn(rect, reduce), imageToViewMat), size)
      : await detector.detect(drawn(image.part(rect, reduce), imageToViewMat, size))
  return found.map((detection) => placed(detection, invertAffine(imageToViewMat)))
}

/** Samples of a frame as samples of a view of it. */
function seenThrough({ planes, ...samples }: FrameSamples, imageToViewMat: Affine): FrameSamples {
  const seen = planes.map((plane) => ({
    ...plane,
    planeToFrameMat: multiplyAffine(imageToViewMat, plane.planeToFrameMat),
  }))
  return { ...samples, planes: seen }
}

/** The view of a part of a picture, gray where the picture ends. */
function drawn({ bitmap, x, y, reduce }: PicturePart, imageToViewMat: Affine, size: { width: number; height: number }) {
  const shift = (reduce - 1) / 2
  const partToViewMat = multiplyAffine(imageToViewMat, [reduce, 0, x + shift, 0, reduce, y + shift])
  return warpAffine(bitmap, partToViewMat, size, { borderValue: 0.5 })
}

/** A detection in pixels of a view as one in pixels of the picture. */
function placed({ rect, keyPoints, score }: Detection, viewToImageMat: Affine): Detection {
  const [cx, cy] = applyAffine(viewToImageMat, [rect.x + rect.width / 2, rect.y + rect.height / 2])
  const scale = affineScale(viewToImageMat)
  const [a, , , c] = viewToImageMat
  const isSideways = Math.abs(c) > Math.abs(a)
  const width = (isSideways ? rect.height : rect.width) * scale
  const height = (isSideways ? rect.width : rect.height) * scale
  return {
    rect: { x: cx - width / 2, y: cy - height / 2, width, height },
    keyPoints: applyAffineAll(viewToImageMat, keyPoints),
    score,
  }
}

/** Pixels of the picture → pixels of the view. */
function viewMat({ centre, rollRadians }: View, scale: number, size: { width: number; height: number }): Affine {
  const [cos, sin] = [Math.cos(rollRadians) * scale, Math.sin(rollRadians) * scale]
  const [vx, vy] = [(size.width - 1) / 2, (size.height - 1) / 2]
  return [cos, sin, vx - cos * centre[0] - sin * centre[1], -sin, cos, vy + sin * centre[0] - cos * centre[1]]
}

/** The upright rectangle around a view, and a few pixels more for filters. */
function rectOfView({ centre, width, height, rollRadians }: View, reduce: number): Rect {
  const [cos, sin] = [Math.abs(Math.cos(rollRadians)), Math.abs(Math.sin(rollRadians))]
  const across = (width * cos + height * sin) / 2 + 6 * reduce
  const down = (width * sin + height * cos) / 2 + 6 * reduce
  return { x: centre[0] - across, y: centre[1] - down, width: 2 * across, height: 2 * down }
}
