import { DflError } from '@dfl/core'
import { affineScale, multiplyAffine, warpAffine } from '@dfl/image'
import { type MergeStage, squareMat } from '../merge-face.js'

/**
 * A stage that makes the pasted face larger round its centre, or smaller where `percent` is negative, with its mask.
 *
 * @param percent −50..50. Larger than the crop's square it does not get: there the mask fades.
 * Deviation: in DFL positive numbers make the face smaller.
 */
export function scaleFace(percent: number): MergeStage {
  if (!(percent >= -50 && percent <= 50))
    throw new DflError(
      'BAD_OPTION',
      `Expected a number between -50 and 50 for \`faceScale\`, but got ${percent}. Give percent; 0 switches it off.`,
      { data: { faceScale: percent } },
    )
  if (percent === 0) return (face) => face
  const scale = 1 + percent / 100
  return (face) => {
    const about = (side: number) => {
      const shift = ((1 - scale) * (side - 1)) / 2
      return [scale, 0, shift, 0, scale, shift] as const
    }
    // The face is sampled once, at no less than the frame's own density.
    const frameSide = face.face.width / affineScale(face.imageToFaceMat)
    const side = Math.max(face.face.width, Math.min(1024, Math.ceil(frameSide)))
    const mat = multiplyAffine(about(side), squareMat(face.face.width, side))
    return {
      ...face,
      face: warpAffine(face.face, mat, { width: side, height: side }, { interpolation: 'cubic', border: 'replicate' }),
      mask: warpAffine(face.mask, about(face.mask.width), face.mask),
    }
  }
}
