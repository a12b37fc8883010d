import { imageToFaceMat } from '@dfl/align'
import { type Affine, DflError, type Pixels } from '@dfl/core'
import { invertAffine, multiplyAffine, warpAffine } from '@dfl/image'
import { clamp, expectSquare, type Masker, type MergeFace, squareMat } from '../merge-face.js'

/** Masks of the painted face and of DST's, in the mask's geometry: [M, M, 1]. */
export interface XSegMasks {
  prd?: Pixels
  dst?: Pixels
}

/**
 * What a trained XSeg finds in the painted face and in DST's.
 *
 * It looks at crops of its own face type and resolution, cut from the frame; in that of `prd`, the painted square lies
 * over the frame.
 *
 * @throws DflError `BAD_SHAPE` when a mask is not of the crop's size.
 */
export async function xsegMasks(
  face: MergeFace,
  { faceType, resolution, find }: Masker,
  sides: readonly (keyof XSegMasks)[],
): Promise<XSegMasks> {
  const frameToCrop = imageToFaceMat(face.meta.sourceLandmarks, faceType, resolution)
  const size = { width: resolution, height: resolution }
  const cubic = { interpolation: 'cubic', border: 'replicate' } as const
  const dst = clamp(warpAffine(face.frame, frameToCrop, size, cubic))
  const crops = sides.map((side) => (side === 'dst' ? dst : painted(face, dst, frameToCrop)))
  const found = await find(crops)
  if (found.length !== crops.length)
    throw new DflError(
      'BAD_SHAPE',
      `Expected ${crops.length} masks from \`find\` of the masker, but got ${found.length}. Give back one for each face, in the same order.`,
      { data: { expected: crops.length, got: found.length } },
    )
  const cropToSquare = multiplyAffine(face.imageToFaceMat, invertAffine(frameToCrop))
  const cropToMask = multiplyAffine(squareMat(face.dst.width, face.mask.width), cropToSquare)
  const masks: XSegMasks = {}
  sides.forEach((side, i) => {
    expectSquare('a mask of `find`', found[i]!, resolution, 1)
    masks[side] = clamp(warpAffine(found[i]!, cropToMask, face.mask))
  })
  return masks
}

/** DST's crop with the painted square over it. */
function painted({ face, dst: { width }, imageToFaceMat }: MergeFace, dst: Pixels, frameToCrop: Affine): Pixels {
  const squareToCrop = multiplyAffine(frameToCrop, invertAffine(imageToFaceMat))
  const faceToCrop = multiplyAffine(squareToCrop, squareMat(face.width, width))
  const over = warpAffine(face, faceToCrop, dst, { interpolation: 'cubic', border: 'replicate' })
  const whole: Pixels = { ...face, data: new Float32Array(face.width ** 2).fill(1), channels: 1 }
  const cover = warpAffine(whole, faceToCrop, dst).data
  const data = new Float32Array(dst.data.length)
  for (let p = 0, i = 0; p < cover.length; p++)
    for (let c = 0; c < 3; c++, i++) data[i] = dst.data[i]! + cover[p]! * (over.data[i]! - dst.data[i]!)
  return clamp({ ...dst, data })
}
