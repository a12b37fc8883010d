import { estimatePose, hullMask, imageToFaceMat, readRect } from '@dfl/align'
import type { FaceMeta, FaceType, Pixels, Point } from '@dfl/core'
import { alignedName } from '@dfl/faceset'
import { applyAffineAll, multiplyAffine, translation, warpAffine } from '@dfl/image'
import type { Frame } from '@dfl/media'
import type { Face } from './types.js'

/** What is known of a face once it is placed in the geometry of aligned images. */
export function describeFace(
  face: Face,
  frame: Pick<Frame, 'name' | 'index' | 'timestampSeconds' | 'width' | 'height'>,
  { faceIndex, faceType, size }: { faceIndex: number; faceType: FaceType; size: number },
): FaceMeta {
  const mat = imageToFaceMat(face.landmarks, faceType, size)
  return {
    filename: alignedName(frame, faceIndex),
    faceType,
    size,
    landmarks: applyAffineAll(mat, face.landmarks),
    sourceFilename: frame.name,
    frameIndex: frame.index,
    timestampSeconds: frame.timestampSeconds,
    faceIndex,
    sourceLandmarks: face.landmarks,
    sourceRect: face.rect,
    frameSize: { width: frame.width, height: frame.height },
    imageToFaceMat: mat,
    score: face.score,
    pose: estimatePose(face.landmarks),
  }
}

/** The aligned image of a described face: [size, size, 3]. Past the frame's edge its last pixels go on. */
export function alignedImage(
  frame: Pick<Frame, 'part'>,
  { sourceLandmarks, faceType, imageToFaceMat, size }: FaceMeta,
): Pixels {
  const { bitmap, x, y } = frame.part(readRect(sourceLandmarks, faceType, size))
  return warpAffine(
    bitmap,
    multiplyAffine(imageToFaceMat, translation(x, y)),
    { width: size, height: size },
    { interpolation: 'cubic', border: 'replicate' },
  )
}

/** A mask that the outline cuts less than this off is not worth a file of its own. */
const CUT_OFF = 0.005

/**
 * The mask of a described face where its outline is known and cuts something off the hull of its landmarks:
 * [size / 2, size / 2, 1]. Otherwise nothing: the mask is then the hull.
 */
export function outlinedMask({ outline }: Face, { landmarks, imageToFaceMat, size }: FaceMeta): Pixels | undefined {
  if (!outline) return undefined
  // Half the size is as fine as models are: edges are covered in part.
  const toMask = (points: readonly Point[]) => points.map(([x, y]): Point => [(x + 0.5) / 2 - 0.5, (y + 0.5) / 2 - 0.5])
  const inMask = toMask(landmarks)
  const within = toMask(applyAffineAll(imageToFaceMat, outline))
  const hull = hullMask(inMask, size / 2)
  const mask = hullMask(inMask, size / 2, { within })
  const sum = ({ data }: Pixels) => data.reduce((total, value) => total + value, 0)
  return sum(mask) < (1 - CUT_OFF) * sum(hull) ? mask : undefined
}
