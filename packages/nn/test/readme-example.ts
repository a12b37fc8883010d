import { defineOptions } from '@dfl/core'
import { tf } from '@dfl/engine'
import { checkImages, conv, convParams, depthToSpace, type ModelArchitecture } from '@dfl/nn'

const options = defineOptions({
  resolution: { type: 'number', default: 32, multipleOf: 2, description: 'Side of the images in pixels.' },
})

/** The smallest architecture there is: one convolution to encode, and one for each person to paint. */
export const tiny: ModelArchitecture<typeof options> = {
  name: 'tiny',
  source: 'An example, too small for faces.',
  options,
  build: ({ resolution }) => ({
    resolution,
    params: {
      ...convParams('encoder/down', 5, 3, 16),
      ...convParams('decoder_src/up', 3, 16, 16),
      ...convParams('decoder_dst/up', 3, 16, 16),
    },
    encode(params, x) {
      checkImages(x, resolution)
      return [tf.leakyRelu(conv(params, 'encoder/down', x, 2), 0.1)] // [N, R/2, R/2, 16]
    },
    decode(params, [code]: [tf.Tensor4D], as) {
      const painted = tf.sigmoid(depthToSpace(conv(params, `decoder_${as}/up`, code))) // [N, R, R, 4]
      const [face, mask] = tf.split(painted, [3, 1], 3) as [tf.Tensor4D, tf.Tensor4D]
      return { face, mask }
    },
  }),
}
