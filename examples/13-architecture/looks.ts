import { defineOptions } from '@dfl/core'
import { tf } from '@dfl/engine'
import {
  activation,
  checkImages,
  conv,
  convParams,
  depthToSpace,
  faceEncoder,
  faceInter,
  faceModelOptions,
  type ModelArchitecture,
  type ParamSpec,
  upBlock,
} from '@dfl/nn'

const { resolution, aeDims, eDims, dDims } = faceModelOptions
const options = defineOptions({ resolution: { ...resolution, multipleOf: 32 }, aeDims, eDims, dDims })

/**
 * One encoder and one decoder for both people. What tells them apart is a look: a factor and an offset for every channel
 * of the decoder, some hundred numbers a person, between which a face can be anywhere.
 */
export const looks: ModelArchitecture<typeof options> = {
  name: 'looks',
  source: 'Channels scaled and shifted by condition: Perez et al. 2018, https://arxiv.org/abs/1709.07871',
  options,
  build({ resolution: R, aeDims: A, eDims: E, dDims: D }) {
    const variant = { deep: false, cosine: false }
    const encoder = faceEncoder('encoder', { ...variant, resolution: R, dims: E, pixelNorm: true })
    const inter = faceInter('inter', { ...variant, inputs: encoder.outputs, codeDims: A, side: R / 32, outputs: A })
    const widths = [8 * D, 4 * D, 2 * D]
    const ups = widths.map((width, i) => upBlock(`decoder/up${i + 1}`, widths[i - 1] ?? A, width, activation()))
    const look = (side: string, level: number) => `decoder_${side}/look${level + 1}`
    const lookParams = (side: string): ParamSpec =>
      Object.fromEntries(
        widths.flatMap((width, i) =>
          ['factor', 'offset'].map((kind) => [
            `${look(side, i)}/${kind}`,
            { shape: [1, width], init: 'glorot-uniform' },
          ]),
        ),
      )
    return {
      resolution: R,
      params: Object.assign(
        {},
        ...[encoder, inter, ...ups].map(({ params }) => params),
        convParams('decoder/out', 3, 2 * D, 4 * 4),
        lookParams('src'),
        lookParams('dst'),
      ),
      controls: {
        likeness: {
          description: 'How much of SRC is painted: 0 is the look of DST, 1 that of SRC.',
          ...{ default: 1, min: 0, max: 1, shape: [1, 1, 1] },
          draw: (random) => [random.uniform(0.9, 1)], // Nearly all of it in training, so that the way between is smooth.
          at: (value) => tf.reshape(value, [1, 1, 1, 1]),
        },
      },
      encode(p, x) {
        checkImages(x, R)
        return [inter.apply(p, encoder.apply(p, x))] // [N, R/16, R/16, A]
      },
      decode(p, [code]: [tf.Tensor4D], as, { likeness = tf.ones([1, 1, 1, 1]) } = {}) {
        let y = code
        ups.forEach((up, i) => {
          const between = (kind: string) => {
            const [src, dst] = ['src', 'dst'].map((side) => p[`${look(side, i)}/${kind}`]!)
            return as === 'dst' ? dst! : tf.add(dst!, tf.mul(tf.sub(src!, dst!), likeness)) // [N, 1, 1, width]
          }
          y = tf.add(tf.mul(up.apply(p, y), tf.add(between('factor'), 1)), between('offset')) as tf.Tensor4D
        })
        const painted = tf.sigmoid(depthToSpace(conv(p, 'decoder/out', y))) // [N, R, R, 4]
        const [face, mask] = tf.split(painted, [3, 1], 3) as [tf.Tensor4D, tf.Tensor4D]
        return { face, mask }
      },
    }
  },
}
