import { faceTypeContains, imageToFaceMat } from '@dfl/align'
import { type Affine, type Bitmap, DflError, type FaceMeta, type FaceType } from '@dfl/core'
import { applyAffineAll, multiplyAffine, warpAffine } from '@dfl/image'
import type { Faceset } from '../faceset.js'
import type { FacesetProgress } from '../pack/pack-faceset.js'
import { type ChangedFace, copyFaces } from './copy-faces.js'

/** Side of the masks of cut faces, at most, in pixels. */
const MASK_SIDE = 512

/**
 * Cuts the faces of a faceset again, to another face type or size, into a new faceset. Walk it to make it work, stop it
 * and call it again as often as you like.
 *
 * Landmarks, polygons, masks and matrices follow. A face type that shows more than the faceset does needs its footage:
 * extract again.
 *
 * @param target What is left out stays as it is.
 * @throws DflError `FACE_TYPE_MISMATCH` for a face type that shows more.
 */
export function recutFaceset(
  faceset: Faceset,
  folder: string,
  target: { faceType?: FaceType; size?: number },
): AsyncGenerator<FacesetProgress> {
  const { faceType = faceset.info.faceType, size = faceset.info.size } = target
  if (!faceTypeContains(faceset.info.faceType, faceType))
    throw new DflError(
      'FACE_TYPE_MISMATCH',
      `Expected ${faceset.info.faceType}, which the faceset shows, or a tighter face type for \`faceType\`, but got ${faceType}. ` +
        'Extract the footage again to see more of the head.',
    )
  return copyFaces([faceset], folder, {
    recipe: { operation: 'recut', faceType, size },
    newImages: true,
    faceType,
    size,
    change: async (face, from) =>
      recut(face, await from.readImage(face), await from.readMask(face), { faceType, size }),
  })
}

function recut(
  face: FaceMeta,
  image: Bitmap,
  mask: Bitmap | undefined,
  { faceType, size }: { faceType: FaceType; size: number },
): ChangedFace {
  // The same face type is only scaled, so that a cut that is not exactly ours stays what it is.
  const alignedToNewMat =
    faceType === face.faceType ? scaled(face.size, size) : imageToFaceMat(face.landmarks, faceType, size)
  const maskSize = Math.min(size, MASK_SIDE)
  const maskToNewMaskMat =
    mask && multiplyAffine(scaled(size, maskSize), multiplyAffine(alignedToNewMat, scaled(mask.width, face.size)))
  return {
    face: {
      ...face,
      faceType,
      size,
      landmarks: applyAffineAll(alignedToNewMat, face.landmarks),
      imageToFaceMat: multiplyAffine(alignedToNewMat, face.imageToFaceMat),
      ...(face.polygons && {
        polygons: face.polygons.map((one) => ({ ...one, points: applyAffineAll(alignedToNewMat, one.points) })),
      }),
    },
    image: warpAffine(
      image,
      alignedToNewMat,
      { width: size, height: size },
      { interpolation: 'lanczos3', border: 'replicate' },
    ),
    mask: mask && maskToNewMaskMat && warpAffine(mask, maskToNewMaskMat, { width: maskSize, height: maskSize }),
  }
}

/** Pixels of a picture of one side → pixels of the same picture at another side. */
function scaled(from: number, to: number): Affine {
  const scale = to / from
  const shift = (scale - 1) / 2
  return [scale, 0, shift, 0, scale, shift]
}
