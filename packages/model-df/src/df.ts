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
})

/**
 * DF: one encoder and one inter for both people, a decoder for each. A swap is DST's code in SRC's decoder.
 *
 * With `encoderResolution` the encoder sees the image averaged down, and the decoders have one more doubling, or two: what a
 * face does is plain in small pictures, and large ones cost time where they are painted only.
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

  const encoder = faceEncoder('encoder', { ...given, resolution: S, shrink: R / S, dims: eDims }) // [N, R, R, 3] → [N, code]
  const inter = faceInter('inter', {
    ...given,
    inputs: encoder.outputs,
    codeDims: A,
    side: S / (subpixel ? 32 : 16),
    outputs: A,
  }) // → [N, inter.side, inter.side, A]
  const painting = { ...given, inputs: A, dims: dDims, maskDims: dMaskDims, finer: Math.log2(R / S) }
  const decoder = (path: string) => faceDecoder(path, painting) // → face and mask of side R
  const decoders = { src: decoder('decoder_src'), dst: decoder('decoder_dst') }

  return {
    resolution: R,
    params: { ...encoder.params, ...inter.params, ...decoders.src.params, ...decoders.dst.params },
    encode(params, x) {
      checkImages(x, R)
      return [inter.apply(params, encoder.apply(params, x))]
    },
    decode: (params, [code]: [tf.Tensor4D], as: Side) => decoders[as].apply(params, code),
    codeShape: [inter.side, inter.side, A],
  }
}

/** @throws DflError `BAD_OPTION` where the levels of encoder and decoders do not fit the sizes. */
function checkSizes({ resolution: R, encoderResolution, ...variant }: OptionsOf<typeof options>): void {
  const S = encoderResolution || R
  if (!ENCODER_SHRINKS.includes(R / S))
    throw new DflError(
      'BAD_OPTION',
      `Expected ${R}, ${R / 2} or ${R / 4} for \`encoderResolution\` at \`resolution\` ${R}, but got ${S}. Use one of them, or 0 for all of it.`,
    )
  checkLevels({ ...variant, resolution: S })
}
