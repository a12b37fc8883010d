import { hullMask } from '@dfl/align'
import type { Affine, Pixels } from '@dfl/core'
import { faceMask } from '@dfl/faceset'
import { applyAffineAll, invertAffine, multiplyAffine } from '@dfl/image'
import { type MergeFace, squareMat } from '../merge-face.js'

/**
 * The outline of DST's face over the crop's square: [size, size, 1], 0..1. What was drawn by hand, else the mask that the
 * faceset holds, else the hull of the landmarks.
 */
export function outline({ meta, dst, imageToFaceMat }: MergeFace, size: number): Pixels {
  const frameToMask: Affine = multiplyAffine(squareMat(dst.width, size), imageToFaceMat)
  if (!meta.ownMask && !meta.polygons?.length) {
    const { eyebrowsExpandMod } = meta
    return hullMask(applyAffineAll(frameToMask, meta.sourceLandmarks), size, { eyebrowsExpandMod })
  }
  const landmarks = applyAffineAll(meta.imageToFaceMat, meta.sourceLandmarks)
  const alignedToOutputMat = multiplyAffine(frameToMask, invertAffine(meta.imageToFaceMat))
  const place = { alignedToOutputMat, size: { width: size, height: size } }
  return faceMask({ ...meta, landmarks }, { mask: meta.ownMask, ...place })
}
