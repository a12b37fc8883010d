import { defineOptions } from '@dfl/core'
import { tf } from '@dfl/engine'
import { checkImages, conv, convParams, countParams, depthToSpace, type ModelArchitecture } from '@dfl/nn'
import { testArchitecture } from '@dfl/nn/testing'

// [1]
const options = defineOptions({
  resolution: { type: 'number', default: 64, min: 32, max: 256, multipleOf: 8, unit: 'px', description: 'Side R.' },
  width: { type: 'number', default: 48, min: 8, max: 256, integer: true, description: 'Channels of every map.' },
})

const act = (y: tf.Tensor4D) => tf.leakyRelu(y, 0.1)

// [2]
const tiny: ModelArchitecture<typeof options> = {
  name: 'tiny',
  source: 'An example: the smallest network with one encoder and two decoders.',
  options,
  build: ({ resolution, width: C }) => ({
    resolution,
    params: {
      ...convParams('encoder/down1/conv', 5, 3, C),
      ...convParams('encoder/down2/conv', 5, C, C),
      ...convParams('decoder_src/up1/conv', 3, C, 4 * C),
      ...convParams('decoder_src/up2/conv', 3, C, 4 * 4),
      ...convParams('decoder_dst/up1/conv', 3, C, 4 * C),
      ...convParams('decoder_dst/up2/conv', 3, C, 4 * 4),
    },
    // [3]
    encode(p, x) {
      checkImages(x, resolution)
      return [act(conv(p, 'encoder/down2/conv', act(conv(p, 'encoder/down1/conv', x, 2)), 2))] // [N, R/4, R/4, C]
    },
    decode(p, [code]: [tf.Tensor4D], as) {
      const half = depthToSpace(act(conv(p, `decoder_${as}/up1/conv`, code))) // [N, R/2, R/2, C]
      const out = tf.sigmoid(depthToSpace(conv(p, `decoder_${as}/up2/conv`, half))) // [N, R, R, 4]
      const [face, mask] = tf.split(out, [3, 1], 3) as [tf.Tensor4D, tf.Tensor4D]
      return { face, mask }
    },
  }),
}

console.log(`${countParams(tiny.build({ resolution: 64, width: 48 }).params)} parameters`)

// [4]
for (const { name, run } of testArchitecture(tiny, { resolution: 32, width: 8 })) {
  await run()
  console.log(`ok  ${name}`)
}

// [1] The option table is all that command line, checks and model.json need to know of an architecture.
// [2] An architecture is a plain object. Nothing registers it: whoever trains passes it to `createModel`.
// [3] `encode` is what both people share, `decode` paints it as src or as dst; a swap is a code of dst, painted as src.
//     Both are pure and have no loop over pixels: TensorFlow.js ops only, which the engine records. Loss, optimiser,
//     mask and preview are not their business.
// [4] What every architecture must pass. In a test file: for (const { name, run } of testArchitecture(…)) it(name, run)
