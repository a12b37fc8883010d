import { Random } from '@dfl/core'
import { tf } from '@dfl/engine'
import { conv, convParams, type ModelArchitecture } from '@dfl/nn'
import type { Batch, SideBatch } from '../src/index.js'

/** The smallest architecture there is: one convolution for each identity. */
export const tiny: ModelArchitecture = {
  name: 'tiny',
  source: 'these tests',
  options: { resolution: { type: 'number', default: 16, description: 'Side of the images.' } },
  build: ({ resolution }) => ({
    resolution: resolution as number,
    params: { ...convParams('decoder_src/out', 3, 3, 4), ...convParams('decoder_dst/out', 3, 3, 4) },
    encode: (_, x) => [x],
    decode(params, [x]: [tf.Tensor4D], as) {
      const y = tf.sigmoid(conv(params, `decoder_${as}/out`, x))
      const [n, h, w] = x.shape
      return { face: tf.slice(y, [0, 0, 0, 0], [n, h, w, 3]), mask: tf.slice(y, [0, 0, 0, 3], [n, h, w, 1]) }
    },
  }),
}

export const BATCH = 2

/** A batch that depends on the iteration alone. */
export function batchOf(iteration: number, resolution = 16): Batch {
  const random = new Random(iteration)
  const values = (channels: number) =>
    Float32Array.from({ length: BATCH * resolution * resolution * channels }, () => random.uniform())
  const side = (): SideBatch => {
    const warped = values(3)
    return { warped, target: warped.map((v) => v / 2), mask: new Float32Array(BATCH * resolution * resolution).fill(1) }
  }
  return { src: side(), dst: side() }
}

/** `tiny` with a third person. */
export const crowd: ModelArchitecture = {
  ...tiny,
  name: 'crowd',
  build(options) {
    const model = tiny.build(options)
    return {
      ...model,
      params: { ...model.params, ...convParams('decoder_carol/out', 3, 3, 4) },
      people: ['carol'],
    }
  },
}
