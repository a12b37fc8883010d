import { defineOptions, type OptionsOf } from '@dfl/core'
import { tf } from '@dfl/engine'
import {
  type Control,
  checkImages,
  dense,
  denseParams,
  eyesMouth,
  type FaceModel,
  faceDecoder,
  faceEncoder,
  faceModelOptions,
  gan,
  type ModelArchitecture,
  masks,
  type Params,
  pixels,
  smoothness,
  structure,
  surroundings,
} from '@dfl/nn'

const { resolution, aeDims, eDims, dDims, dMaskDims } = faceModelOptions

/** The most channels of an inter's map. */
const MOST_INTER_DIMS = 2048

const options = defineOptions({
  resolution: { ...resolution, default: 224, multipleOf: 32 },
  aeDims,
  interDims: {
    type: 'number',
    default: 0,
    min: 0,
    max: MOST_INTER_DIMS,
    integer: true,
    fixed: true,
    description: 'Channels of the maps of both inters, which the morph factor mixes. 0 for four times `aeDims`.',
  },
  eDims,
  dDims,
  dMaskDims,
  morphFactor: {
    type: 'number',
    default: 0.5,
    min: 0.1,
    max: 0.5,
    description: "Share of SRC's channels that come from its own inter in training; DST's inter gives the rest.",
  },
})

/** AMP: one encoder, one decoder, an inter for each person; how much of SRC is painted can be chosen when merging. */
export const amp: ModelArchitecture<typeof options> = {
  name: 'amp',
  source: "DeepFaceLab's AMP, as its behaviour shows it; https://arxiv.org/abs/2005.05535 for the blocks.",
  options,
  build,
}

function build({ resolution: R, aeDims, morphFactor, ...dims }: OptionsOf<typeof options>): FaceModel {
  const interDims = dims.interDims || Math.min(MOST_INTER_DIMS, 4 * aeDims)
  const variant = { deep: true, subpixel: true, cosine: false }
  const encoder = faceEncoder('encoder', { ...variant, resolution: R, dims: dims.eDims, pixelNorm: true })
  const side = R / 32
  const decoder = faceDecoder('decoder', { ...variant, inputs: interDims, dims: dims.dDims, maskDims: dims.dMaskDims })
  const morph = channelMix(interDims, morphFactor)
  const inter = (p: Params, path: string, flat: tf.Tensor2D) =>
    tf.reshape(dense(p, `${path}/dense1`, flat), [flat.shape[0], side, side, interDims]) as tf.Tensor4D
  return {
    resolution: R,
    params: {
      ...encoder.params,
      ...denseParams('encoder/dense1', encoder.outputs, aeDims),
      ...denseParams('inter_src/dense1', aeDims, side * side * interDims),
      ...denseParams('inter_dst/dense1', aeDims, side * side * interDims),
      ...decoder.params,
    },
    controls: { morph },
    encode(p, x) {
      checkImages(x, R)
      const flat = dense(p, 'encoder/dense1', encoder.apply(p, x)) // [N, A]
      return [inter(p, 'inter_dst', flat), flat]
    },
    decode(p, [dst, flat]: [tf.Tensor4D, tf.Tensor2D], as, controls = {}) {
      if (as === 'dst') return decoder.apply(p, dst)
      const fromSrc = controls.morph ?? morph.at(tf.scalar(morph.default)) // [N or 1, 1, 1, interDims], 0 or 1
      return decoder.apply(p, tf.add(dst, tf.mul(tf.sub(inter(p, 'inter_src', flat), dst), fromSrc)))
    },
    losses: (settings) => [
      ...structure(R, 'two'),
      pixels(10),
      masks(10),
      surroundings(0.1, 'dst'),
      smoothness(1e-6, 'dst'),
      ...(settings.eyesMouthPrio > 0 ? [eyesMouth(settings.eyesMouthPrio)] : []),
      ...(settings.ganPower > 0 ? [gan(settings, ['src', 'dst'])] : []),
    ],
  }
}

/** Which channels come from SRC's inter: in training as many as the factor says, any of them; later the first ones. */
function channelMix(channels: number, factor: number): Control {
  return {
    description: 'How much of SRC is painted: 0 is DST as DST, 1 is all of SRC.',
    default: 0.75,
    min: 0,
    max: 1,
    shape: [1, 1, channels],
    draw(random) {
      const order = random.shuffle(Array.from({ length: channels }, (_, i) => i))
      const mix = new Float32Array(channels)
      for (const i of order.slice(0, Math.floor(channels * factor))) mix[i] = 1
      return mix
    },
    at(value) {
      const places = tf.tensor4d(
        Float32Array.from({ length: channels }, (_, i) => i + 1),
        [1, 1, 1, channels],
      )
      return tf.cast(tf.lessEqual(places, tf.floor(tf.mul(value, channels))), 'float32')
    },
  }
}
