import { defineOptions, type OptionsOf, type Side } from '@dfl/core'
import { tf } from '@dfl/engine'
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

const options = defineOptions({
  archi: {
    type: 'choice',
    default: 'liae',
    choices: ['df', 'liae'],
    fixed: true,
    description: 'DF keeps more of the likeness of SRC, LIAE more of the light and shape of DST.',
  },
  ...faceModelOptions,
})

type Options = OptionsOf<typeof options>

/** SAEHD: DeepFaceLab's main model, either of its two architectures with all their variants. */
export const saehd: ModelArchitecture<typeof options> = {
  name: 'saehd',
  source: 'DeepFaceLab, Perov et al. 2020, https://arxiv.org/abs/2005.05535',
  options,
  build(given) {
    checkLevels(given)
    return given.archi === 'df' ? df(given) : liae(given)
  },
}

/** One encoder and one inter for both people, a decoder for each. */
function df(o: Options): FaceModel {
  const encoder = faceEncoder('encoder', { ...o, dims: o.eDims })
  const inter = faceInter('inter', {
    ...o,
    inputs: encoder.outputs,
    codeDims: o.aeDims,
    side: sideOf(o),
    outputs: o.aeDims,
  })
  const decoder = (path: string) => faceDecoder(path, { ...o, inputs: o.aeDims, dims: o.dDims, maskDims: o.dMaskDims })
  const decoders = { src: decoder('decoder_src'), dst: decoder('decoder_dst') }
  return {
    resolution: o.resolution,
    params: { ...encoder.params, ...inter.params, ...decoders.src.params, ...decoders.dst.params },
    encode(params, x) {
      checkImages(x, o.resolution)
      return [inter.apply(params, encoder.apply(params, x))] // [N, side, side, A]
    },
    decode: (params, [code]: [tf.Tensor4D], as: Side) => decoders[as].apply(params, code),
    codeShape: [inter.side, inter.side, o.aeDims],
  }
}

/**
 * One encoder, one decoder, two inters: `inter_AB` learns from both people, `inter_B` from DST alone.
 *
 * The decoder gets two maps side by side: AB and AB for SRC, B and AB for DST. A swap is AB and AB of a face of DST. While
 * faces are not warped, `inter_AB` rests, as in DeepFaceLab.
 */
function liae(o: Options): FaceModel {
  const encoder = faceEncoder('encoder', { ...o, dims: o.eDims })
  const inter = (path: string) =>
    faceInter(path, { ...o, inputs: encoder.outputs, codeDims: o.aeDims, side: sideOf(o), outputs: 2 * o.aeDims })
  const [interAB, interB] = [inter('inter_AB'), inter('inter_B')]
  const decoder = faceDecoder('decoder', { ...o, inputs: 4 * o.aeDims, dims: o.dDims, maskDims: o.dMaskDims })
  const params = { ...encoder.params, ...interAB.params, ...interB.params, ...decoder.params }
  return {
    resolution: o.resolution,
    params,
    encode(p, x) {
      checkImages(x, o.resolution)
      const flat = encoder.apply(p, x)
      return [interAB.apply(p, flat), flat] // [N, side, side, 2A], [N, encoder.outputs]
    },
    decode(p, [shared, flat]: [tf.Tensor4D, tf.Tensor2D], as) {
      const own = as === 'src' ? shared : interB.apply(p, flat)
      return decoder.apply(p, tf.concat([own, shared], 3)) // [N, side, side, 4A]
    },
    trainable: ({ randomWarp }) => Object.keys(params).filter((path) => randomWarp || !path.startsWith('inter_AB/')),
  }
}

/** Side of an inter's first map. */
const sideOf = ({ resolution, subpixel }: Options) => resolution / (subpixel ? 32 : 16)
