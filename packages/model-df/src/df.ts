import type { OptionsOf } from '@dfl/core'
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

/** DF: one encoder and one inter for both people, a decoder for each. A swap is DST's code in SRC's decoder. */
export const df: ModelArchitecture<typeof faceModelOptions> = {
  name: 'df',
  source: 'DeepFaceLab, Perov et al. 2020, https://arxiv.org/abs/2005.05535',
  options: faceModelOptions,
  build,
}

function build(options: OptionsOf<typeof faceModelOptions>): FaceModel {
  checkLevels(options)
  const { resolution: R, aeDims: A, eDims, dDims, dMaskDims, subpixel } = options

  const encoder = faceEncoder('encoder', { ...options, dims: eDims }) // [N, R, R, 3] → [N, code]
  const inter = faceInter('inter', {
    ...options,
    inputs: encoder.outputs,
    codeDims: A,
    side: R / (subpixel ? 32 : 16),
    outputs: A,
  }) // → [N, inter.side, inter.side, A]
  const decoder = (path: string) => faceDecoder(path, { ...options, inputs: A, dims: dDims, maskDims: dMaskDims }) // → face and mask of side R
  const decoders = { src: decoder('decoder_src'), dst: decoder('decoder_dst') }

  const code: FaceModel['code'] = {
    shape: [inter.side, inter.side, A],
    of: (params, x) => inter.apply(params, encoder.apply(params, x)),
  }
  return {
    resolution: R,
    params: { ...encoder.params, ...inter.params, ...decoders.src.params, ...decoders.dst.params },
    code,
    forward(params, x, as) {
      checkImages(x, R)
      return decoders[as].apply(params, code.of(params, x))
    },
  }
}
