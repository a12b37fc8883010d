import { estimatePose, imageToFaceMat } from '@dfl/align'
import type { Bitmap, FaceMeta, Landmarks } from '@dfl/core'
import { type FaceTraits, faceTraits } from '@dfl/evaluate'
import { applyAffineAll, toPixels, warpAffine } from '@dfl/image'

/**
 * The traits of a face of a frame, cut out as extraction does.
 *
 * @param landmarks In pixels of `image`.
 */
export function traitsAt(
  image: Bitmap,
  landmarks: Landmarks,
  { faceType, size, frameIndex, embedding }: Pick<FaceMeta, 'faceType' | 'size' | 'frameIndex' | 'embedding'>,
): FaceTraits {
  const mat = imageToFaceMat(landmarks, faceType, size)
  const face: FaceMeta = {
    ...{
      filename: `${frameIndex}.png`,
      sourceFilename: `${frameIndex}`,
      frameIndex,
      timestampSeconds: 0,
      faceIndex: 0,
    },
    ...{ faceType, size, imageToFaceMat: mat, landmarks: applyAffineAll(mat, landmarks), sourceLandmarks: landmarks },
    ...{ sourceRect: { x: 0, y: 0, width: image.width, height: image.height }, score: 1 },
    pose: estimatePose(landmarks),
    ...(embedding ? { embedding } : {}),
  }
  return faceTraits(face, warpAffine(toPixels(image), mat, { width: size, height: size }, { border: 'replicate' }))
}
