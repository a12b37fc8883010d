import { tf } from '@dfl/engine'
import type { ParamSpec, Params } from './architecture.js'

/** Parameters of `convTranspose`: weight [k, k, outputs, inputs] and bias [outputs]. */
export function convTransposeParams(path: string, kernel: number, inputs: number, outputs: number): ParamSpec {
  return {
    [`${path}/weight`]: { shape: [kernel, kernel, outputs, inputs], init: 'glorot-uniform' },
    [`${path}/bias`]: { shape: [outputs], init: 'zeros' },
  }
}

/** Transposed convolution with bias that enlarges by its stride: [N, H, W, C] → [N, s·H, s·W, outputs] float32. */
export function convTranspose(params: Params, path: string, x: tf.Tensor4D, stride = 2): tf.Tensor4D {
  const [n, h, w] = x.shape
  const filter = params[`${path}/weight`] as tf.Tensor4D
  const shape: [number, number, number, number] = [n, stride * h, stride * w, filter.shape[2]]
  return tf.add(tf.conv2dTranspose(x, filter, shape, stride, 'same'), params[`${path}/bias`]!)
}

/** Parameters of `filterResponse`. */
export function filterResponseParams(path: string, channels: number): ParamSpec {
  return {
    [`${path}/frn/weight`]: { shape: [channels], init: 'ones' },
    [`${path}/frn/bias`]: { shape: [channels], init: 'zeros' },
    [`${path}/frn/eps`]: { shape: [1], init: { constant: 1e-6 } },
    [`${path}/tlu/tau`]: { shape: [channels], init: 'zeros' },
  }
}

/**
 * Filter response normalisation and its thresholded unit: [N, H, W, C] → same shape, float32.
 *
 * max(weight · x / √(mean(x²) + |ε|) + bias, τ), the mean over each sample's channel: nothing depends on the batch.
 *
 * Source: Singh and Krishnan 2020, https://arxiv.org/abs/1911.09737
 */
export function filterResponse(params: Params, path: string, x: tf.Tensor4D): tf.Tensor4D {
  const power = tf.mean(tf.square(x), [1, 2], true) // [N, 1, 1, C]
  const normal = tf.mul(x, tf.rsqrt(tf.add(power, tf.abs(params[`${path}/frn/eps`]!))))
  const scaled = tf.add(tf.mul(normal, params[`${path}/frn/weight`]!), params[`${path}/frn/bias`]!)
  const tau = params[`${path}/tlu/tau`]!
  return tf.add(tf.relu(tf.sub(scaled, tau)), tau) // max(scaled, τ), whose gradient TensorFlow.js does not broadcast
}

/**
 * Half the size after a fixed binomial blur, zeros beyond the border: [N, H, W, C] → [N, H/2, W/2, C] float32.
 *
 * @param taps  Width of the blur: 2 is [1 1]/2, 3 is [1 2 1]/4, 4 is [1 3 3 1]/8.
 *
 * Source: Zhang 2019, https://arxiv.org/abs/1904.11486
 */
export function blurPool(x: tf.Tensor4D, taps: number): tf.Tensor4D {
  let line = [1]
  while (line.length < taps) line = [...line, 0].map((v, i) => v + (line[i - 1] ?? 0))
  const channels = x.shape[3]
  const sum = 4 ** (taps - 1)
  const values = line.flatMap((a) => line.flatMap((b) => Array<number>(channels).fill((a * b) / sum)))
  const before = (taps - 1) >> 1
  const after = taps - 1 - before
  const padded = tf.pad(x, [
    [0, 0],
    [before, after],
    [before, after],
    [0, 0],
  ])
  return tf.depthwiseConv2d(padded, tf.tensor4d(values, [taps, taps, channels, 1]), 2, 'valid')
}
