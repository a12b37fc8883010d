import type { OptionsOf } from '@dfl/core'
import { tf } from '@dfl/engine'
import type { df } from '@dfl/model-df'
import {
  conv,
  convParams,
  dense,
  denseParams,
  depthToSpace,
  type FaceModel,
  type ParamSpec,
  type Params,
  pixelNorm,
} from '@dfl/nn'

const act = (y: tf.Tensor4D, slope = 0.1): tf.Tensor4D => tf.leakyRelu(y, slope)

/**
 * LIAE-UD with DF's options: two inters and one decoder for both people. SRC's code is AB twice, DST's B beside AB.
 *
 * Kept here, short, and the same as in python/train_step.py, so that what is compared stays what it is.
 *
 * Source: Perov et al. 2020, https://arxiv.org/abs/2005.05535
 */
export function buildLiae(o: OptionsOf<typeof df.options>): FaceModel {
  const { resolution: R, aeDims: A, eDims: E, dDims: D, dMaskDims: M } = o
  const downs = [E, 2 * E, 4 * E, 8 * E]
  const code = R / 16
  const side = R / 32
  const ups = [8 * D, 4 * D, 2 * D]
  const maskUps = [8 * M, 4 * M, 2 * M, M]
  const up = (path: string, inputs: number, outputs: number) => convParams(`${path}/conv`, 3, inputs, 4 * outputs)
  const inters = ['inter_ab', 'inter_b']
  const chain = (path: string, widths: number[]) =>
    widths.map((outputs, i) => up(`decoder/${path}${i + 1}`, widths[i - 1] ?? 4 * A, outputs))
  const params: ParamSpec = Object.assign(
    {},
    ...downs.map((outputs, i) => convParams(`encoder/down${i + 1}/conv`, 5, downs[i - 1] ?? 3, outputs)),
    ...inters.flatMap((inter) => [
      denseParams(`${inter}/dense1`, code * code * 8 * E, A),
      denseParams(`${inter}/dense2`, A, side * side * 2 * A),
      up(`${inter}/up1`, 2 * A, 2 * A),
    ]),
    ...chain('up', ups),
    ...ups.flatMap((width, i) => [1, 2].map((k) => convParams(`decoder/res${i + 1}/conv${k}`, 3, width, width))),
    convParams('decoder/out', 1, 2 * D, 3),
    ...[1, 2, 3].map((i) => convParams(`decoder/out${i}`, 3, 2 * D, 3)),
    ...chain('mask_up', maskUps),
    convParams('decoder/mask_out', 1, M, 1),
  )
  const doubled = (p: Params, path: string, y: tf.Tensor4D) => depthToSpace(act(conv(p, `${path}/conv`, y)))
  const inter = (p: Params, name: string, flat: tf.Tensor2D) => {
    const wide = dense(p, `${name}/dense2`, dense(p, `${name}/dense1`, flat))
    return doubled(p, `${name}/up1`, tf.reshape(wide, [flat.shape[0], side, side, 2 * A])) // [N, 2·side, 2·side, 2·A]
  }
  return {
    resolution: R,
    params,
    encode(p, x) {
      let y = x // [N, R, R, 3]
      downs.forEach((_, i) => {
        y = act(conv(p, `encoder/down${i + 1}/conv`, y, 2))
      })
      const flat = pixelNorm(tf.reshape(y, [x.shape[0], code * code * 8 * E]))
      return [inter(p, 'inter_ab', flat), flat]
    },
    decode(p, [ab, flat]: [tf.Tensor4D, tf.Tensor2D], as) {
      const res = (path: string, y: tf.Tensor4D) =>
        act(tf.add(conv(p, `${path}/conv2`, act(conv(p, `${path}/conv1`, y), 0.2)), y), 0.2)
      const z = tf.concat([as === 'src' ? ab : inter(p, 'inter_b', flat), ab], 3) // [N, 2·side, 2·side, 4·A]
      const face = ups.reduce((f, _, i) => res(`decoder/res${i + 1}`, doubled(p, `decoder/up${i + 1}`, f)), z)
      const mask = maskUps.reduce((m, _, i) => doubled(p, `decoder/mask_up${i + 1}`, m), z)
      const heads = ['out', 'out1', 'out2', 'out3'].map((head) => conv(p, `decoder/${head}`, face))
      return {
        face: tf.sigmoid(depthToSpace(tf.concat(heads, 3))),
        mask: tf.sigmoid(conv(p, 'decoder/mask_out', mask)),
      }
    },
  }
}
