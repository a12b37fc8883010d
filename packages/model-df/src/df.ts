import { DflError, defineOptions, type OptionsOf, type Side } from '@dfl/core'
import type { tf } from '@dfl/engine'
import {
  checkImages,
  checkLevels,
  type FaceModel,
  faceDecoder,
  faceEncoder,
  faceInter,
  faceModelOptions,
  type ModelArchitecture,
} from '@dfl/nn'
import { faceWindow } from './face-window.js'

/** How many times smaller than the image what DF's encoder sees may be. */
export const ENCODER_SHRINKS: readonly number[] = [1, 2, 4]

const options = defineOptions({
  ...faceModelOptions,
  encoderResolution: {
    type: 'number',
    default: 0,
    min: 0,
    max: 640,
    multipleOf: 16,
    unit: 'px',
    fixed: true,
    description: 'Side S of what the encoder sees: R, R/2 or R/4. 0 for all of R.',
  },
  faceWindow: {
    type: 'boolean',
    default: false,
    fixed: true,
    description: "For heads: read and lay out the face's part of the square by itself, as a model of faces does.",
  },
})

/**
 * DF: one encoder and one inter for both people, a decoder for each. A swap is DST's code in SRC's decoder.
 *
 * With `encoderResolution` the encoder sees the image averaged down, and the decoders have one more doubling, or two: what a
 * face does is plain in small pictures, and large ones cost time where they are painted only. With `faceWindow` that small
 * picture is the face in a head's square: see `faceWindow`.
 */
export const df: ModelArchitecture<typeof options> = {
  name: 'df',
  source: 'DeepFaceLab, Perov et al. 2020, https://arxiv.org/abs/2005.05535',
  options,
  build,
}

function build(given: OptionsOf<typeof options>): FaceModel {
  const { resolution: R, aeDims: A, eDims, dDims, dMaskDims, subpixel } = given
  const S = given.encoderResolution || R
  checkSizes(given)

  const seen = given.faceWindow ? R / 2 : R
  const encoder = faceEncoder('encoder', { ...given, resolution: S, shrink: seen / S, dims: eDims }) // [N, seen, seen, 3] → [N, code]
  const laidOut = { ...given, codeDims: A, side: S / (subpixel ? 32 : 16), outputs: A }
  const inter = faceInter('inter', { ...laidOut, inputs: encoder.outputs })
  const window = given.faceWindow ? faceWindow(inter.map, laidOut) : undefined
  const map = window ?? inter.map // [N, A] → [N, map.side, map.side, A]
  const painting = { ...given, inputs: A, dims: dDims, maskDims: dMaskDims, finer: Math.log2(seen / S) }
  const decoder = (path: string) => faceDecoder(path, painting) // → face and mask of side R
  const decoders = { src: decoder('decoder_src'), dst: decoder('decoder_dst') }

  return {
    resolution: R,
    params: {
      ...{ ...encoder.params, ...inter.params, ...window?.params },
      ...{ ...decoders.src.params, ...decoders.dst.params },
    },
    encode(params, x) {
      checkImages(x, R)
      return [map.apply(params, inter.code(params, encoder.apply(params, window?.faceOf(x) ?? x)))]
    },
    decode: (params, [code]: [tf.Tensor4D], as: Side) => decoders[as].apply(params, code),
    codeShape: [map.side, map.side, A],
  }
}

/** @throws DflError `BAD_OPTION` where the levels of encoder and decoders do not fit the sizes. */
function checkSizes({ resolution: R, encoderResolution, faceWindow, ...variant }: OptionsOf<typeof options>): void {
  const S = encoderResolution || R
  if (!ENCODER_SHRINKS.includes(R / S))
    throw new DflError(
      'BAD_OPTION',
      `Expected ${R}, ${R / 2} or ${R / 4} for \`encoderResolution\` at \`resolution\` ${R}, but got ${S}. Use one of them, or 0 for all of it.`,
    )
  if (faceWindow && S === R)
    throw new DflError(
      'BAD_OPTION',
      `Expected ${R / 2} or ${R / 4} for \`encoderResolution\` with \`faceWindow\`, but got ${S}. Use one of them, or leave the window out.`,
    )
  checkLevels({ ...variant, resolution: S })
}
