import type { Landmarks, Point } from '@dfl/core'
import {
  type Picture,
  type PicturePart,
  partPoint,
  picturePoint,
  rectOfRegion,
  reductionTo,
  wholeOf,
} from './picture.js'
import { regionOfLandmarks } from './region.js'
import type { Detection, Embedder, FaceDetector, FaceLandmarks, FaceRegion, Landmarker } from './types.js'

/*
 * How pictures are shown to networks: only the part that a network reads, and no larger than it can use. Where a network
 * does not say how much that is (`inputPx`), it gets the whole picture. Networks that can read a frame's own samples get
 * these.
 */

/** What the detector finds in a whole picture, in pixels of it. */
export async function detect(picture: Picture, detector: FaceDetector): Promise<Detection[]> {
  const { inputPx } = detector
  const reduce = inputPx ? reductionTo(Math.max(picture.width, picture.height), inputPx) : 1
  if (detector.detectIn && picture.samplesIn)
    return detector.detectIn(picture.samplesIn(wholeOf(picture), reduce), {
      width: picture.width,
      height: picture.height,
    })
  const part = picture.part(wholeOf(picture), reduce)
  const found = await detector.detect(part.bitmap)
  return found.map((detection) => detectionOfPart(detection, part))
}

/** A detection in pixels of a part as one in pixels of its picture. */
export function detectionOfPart({ rect, keyPoints, score }: Detection, part: PicturePart): Detection {
  const [x, y] = picturePoint(part, [rect.x, rect.y])
  return {
    rect: { x, y, width: rect.width * part.reduce, height: rect.height * part.reduce },
    keyPoints: keyPoints.map((point) => picturePoint(part, point)),
    score,
  }
}

/** What the landmarker sees in a region, both in pixels of the picture. */
export async function landmarksIn(
  picture: Picture,
  region: FaceRegion,
  landmarker: Landmarker,
): Promise<FaceLandmarks> {
  const { inputPx } = landmarker
  const reduce = inputPx ? reductionTo(region.sizePx, inputPx) : 1
  const rect = inputPx ? rectOfRegion(region, reduce) : wholeOf(picture)
  if (landmarker.landmarksIn && picture.samplesIn)
    return landmarker.landmarksIn(picture.samplesIn(rect, reduce), region)
  const part = picture.part(rect, reduce)
  const found = await landmarker.landmarks(part.bitmap, {
    centre: partPoint(part, region.centre),
    sizePx: region.sizePx / part.reduce,
    rollRadians: region.rollRadians,
  })
  const placed = (points: readonly Point[]) => points.map((point) => picturePoint(part, point))
  return {
    ...found,
    landmarks: placed(found.landmarks),
    ...(found.points ? { points: placed(found.points) } : {}),
    ...(found.outline ? { outline: placed(found.outline) } : {}),
    region: {
      centre: picturePoint(part, found.region.centre),
      sizePx: found.region.sizePx * part.reduce,
      rollRadians: found.region.rollRadians,
    },
  }
}

/** The identity of a face as facesets store it: embeddings differ by tenths from face to face, so five digits keep the log small. */
export async function identityIn(picture: Picture, landmarks: Landmarks, embedder: Embedder): Promise<number[]> {
  return Array.from(await embed(picture, landmarks, embedder), (value) => Math.round(value * 1e5) / 1e5)
}

/** The square around a face that embedders may read is this much larger than the region of its landmarks. */
const EMBEDDED = 1.2

/** The identity of a face, its landmarks in pixels of the picture. */
export async function embed(picture: Picture, landmarks: Landmarks, embedder: Embedder): Promise<Float32Array> {
  const { inputPx } = embedder
  const region = regionOfLandmarks(landmarks)
  const reduce = inputPx ? reductionTo(region.sizePx, inputPx) : 1
  const wider = { ...region, sizePx: region.sizePx * EMBEDDED }
  const rect = inputPx ? rectOfRegion(wider, reduce) : wholeOf(picture)
  if (embedder.embedIn && picture.samplesIn) return embedder.embedIn(picture.samplesIn(rect, reduce), landmarks)
  const part = picture.part(rect, reduce)
  return embedder.embed(
    part.bitmap,
    landmarks.map((point) => partPoint(part, point)),
  )
}
