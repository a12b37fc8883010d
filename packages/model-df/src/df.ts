import { DflError, defineOptions, type OptionsOf } from '@dfl/core'
import { tf } from '@dfl/engine'
import {
  checkImages,
  conv,
  convParams,
  dense,
  denseParams,
  depthToSpace,
  type FaceModel,
  type ModelArchitecture,
  type ParamSpec,
  pixelNorm,
} from '@dfl/nn'

const options = defineOptions({
  resolution: {
    type: 'number',
    default: 128,
    min: 32,
    max: 640,
    multipleOf: 16,
    unit: 'px',
    fixed: true,
    description: 'Side R of the images the model sees and paints.',
  },
  aeDims: {
    type: 'number',
    default: 256,
    min: 16,
    max: 1024,
    integer: true,
    fixed: true,
    description: 'Size of the code between encoder and decoders.',
  },
  eDims: {
    type: 'number',
    default: 64,
    min: 8,
    max: 256,
    multipleOf: 2,
    fixed: true,
    description: 'Channels of the encoder at its first level.',
  },
  dDims: {
    type: 'number',
    default: 64,
    min: 8,
    max: 256,
    multipleOf: 2,
    fixed: true,
    description: 'Channels of the face decoders at their last level, halved.',
  },
  dMaskDims: {
    type: 'number',
    default: 22,
    min: 4,
    max: 256,
    multipleOf: 2,
    fixed: true,
    description: 'Channels of the mask decoders at their last level, halved.',
  },
  pixelNorm: {
    type: 'boolean',
    default: true,
    fixed: true,
    description: "Normalise the code ('u'): likeness grows faster.",
  },
  subpixel: {
    type: 'boolean',
    default: true,
    fixed: true,
    description: "Paint the last doubling with four convolutions ('d'): a third of the work.",
  },
  deep: {
    type: 'boolean',
    default: false,
    fixed: true,
    description: "One more level and residual blocks in the encoder ('t').",
  },
  cosine: { type: 'boolean', default: false, fixed: true, description: "x · cos(x) as the activation ('c')." },
})

/** DF: one encoder and one inter for both people, a decoder for each. A swap is DST's code in SRC's decoder. */
export const df: ModelArchitecture<typeof options> = {
  name: 'df',
  source: 'DeepFaceLab, Perov et al. 2020, https://arxiv.org/abs/2005.05535',
  options,
  build,
}

function build(o: OptionsOf<typeof options>): FaceModel {
  const { resolution: R, aeDims: A, eDims: E, dDims: D, dMaskDims: M, subpixel, deep } = o
  if ((deep || subpixel) && R % 32 !== 0)
    throw new DflError(
      'BAD_OPTION',
      `Expected a multiple of 32 for \`resolution\` with \`${deep ? 'deep' : 'subpixel'}\`, but got ${R}. Use ${R - 16} or ${R + 16}.`,
    )
  const downs = deep ? [E, 2 * E, 4 * E, 8 * E, 8 * E] : [E, 2 * E, 4 * E, 8 * E]
  const code = R >> downs.length // side of the encoder's last map
  const side = R / (subpixel ? 32 : 16) // side of the inter's first map
  const ups = deep ? [8 * D, 8 * D, 4 * D, 2 * D] : [8 * D, 4 * D, 2 * D]
  const maskUps = [...(deep ? [8 * M, 8 * M, 4 * M, 2 * M] : [8 * M, 4 * M, 2 * M]), ...(subpixel ? [M] : [])]

  const encoder = downs.map((outputs, i) => ({ path: `encoder/down${i + 1}`, inputs: downs[i - 1] ?? 3, outputs }))
  const residual = deep ? [0, 4] : [] // levels of the encoder that end in a residual block
  const decoders = (['src', 'dst'] as const).map((as) => `decoder_${as}`)
  const chain = (path: string, widths: number[]) =>
    widths.map((outputs, i) => ({ path: `${path}${i + 1}`, inputs: widths[i - 1] ?? A, outputs }))

  const params: ParamSpec = Object.assign(
    {},
    ...encoder.map(({ path, inputs, outputs }) => convParams(`${path}/conv`, 5, inputs, outputs)),
    ...residual.map((i) => resParams(`encoder/res${i + 1}`, downs[i]!)),
    denseParams('inter/dense1', code * code * downs.at(-1)!, A),
    denseParams('inter/dense2', A, side * side * A),
    deep ? {} : upParams('inter/up1', A, A),
    ...decoders.flatMap((decoder) => [
      ...chain(`${decoder}/up`, ups).map(({ path, inputs, outputs }) => upParams(path, inputs, outputs)),
      ...ups.map((width, i) => resParams(`${decoder}/res${i + 1}`, width)),
      convParams(`${decoder}/out`, 1, 2 * D, 3),
      ...(subpixel ? [1, 2, 3].map((i) => convParams(`${decoder}/out${i}`, 3, 2 * D, 3)) : []),
      ...chain(`${decoder}/mask_up`, maskUps).map(({ path, inputs, outputs }) => upParams(path, inputs, outputs)),
      convParams(`${decoder}/mask_out`, 1, maskUps.at(-1)!, 1),
    ]),
  )

  const act = (x: tf.Tensor4D, slope = 0.1): tf.Tensor4D => (o.cosine ? tf.mul(x, tf.cos(x)) : tf.leakyRelu(x, slope))

  return {
    resolution: R,
    params,
    forward(p, x, as) {
      checkImages(x, R)
      const up = (path: string, y: tf.Tensor4D) => depthToSpace(act(conv(p, `${path}/conv`, y))) // [N, 2H, 2W, C]
      const res = (path: string, y: tf.Tensor4D) =>
        act(tf.add(conv(p, `${path}/conv2`, act(conv(p, `${path}/conv1`, y), 0.2)), y), 0.2)

      let y = x // [N, R, R, 3]
      encoder.forEach(({ path }, i) => {
        y = act(conv(p, `${path}/conv`, y, 2)) // [N, R/2^(i+1), R/2^(i+1), outputs]
        if (residual.includes(i)) y = res(`encoder/res${i + 1}`, y)
      })
      let flat: tf.Tensor2D = tf.reshape(y, [x.shape[0], code * code * downs.at(-1)!])
      if (o.pixelNorm) flat = pixelNorm(flat)
      const wide = dense(p, 'inter/dense2', dense(p, 'inter/dense1', flat)) // [N, side·side·A]
      let z: tf.Tensor4D = tf.reshape(wide, [x.shape[0], side, side, A])
      if (!deep) z = up('inter/up1', z) // [N, 2·side, 2·side, A]

      const decoder = `decoder_${as}`
      let face = z
      ups.forEach((_, i) => {
        face = res(`${decoder}/res${i + 1}`, up(`${decoder}/up${i + 1}`, face))
      })
      let mask = z
      maskUps.forEach((_, i) => {
        mask = up(`${decoder}/mask_up${i + 1}`, mask)
      })
      const heads = ['out', ...(subpixel ? ['out1', 'out2', 'out3'] : [])].map((head) =>
        conv(p, `${decoder}/${head}`, face),
      )
      const painted = subpixel ? depthToSpace(tf.concat(heads, 3)) : heads[0]! // [N, R, R, 3]
      return { face: tf.sigmoid(painted), mask: tf.sigmoid(conv(p, `${decoder}/mask_out`, mask)) }
    },
  }
}

/** Doubles the size: a 3x3 convolution to four times the channels, laid out as pixels. */
const upParams = (path: string, inputs: number, outputs: number) => convParams(`${path}/conv`, 3, inputs, 4 * outputs)

/** Two 3x3 convolutions beside the way straight through. */
const resParams = (path: string, width: number): ParamSpec => ({
  ...convParams(`${path}/conv1`, 3, width, width),
  ...convParams(`${path}/conv2`, 3, width, width),
})
