import { tf } from '@dfl/engine'
import type { ParamSpec, Params } from './architecture.js'

/** Parameters of `conv`: weight [k, k, inputs, outputs] (HWIO) and bias [outputs]. */
export function convParams(path: string, kernel: number, inputs: number, outputs: number): ParamSpec {
  return {
    [`${path}/weight`]: { shape: [kernel, kernel, inputs, outputs], init: 'glorot-uniform' },
    [`${path}/bias`]: { shape: [outputs], init: 'zeros' },
  }
}

/**
 * Convolution with bias; zero padding of k/2 on every side, so stride 1 keeps the size and stride 2 halves it.
 *
 * @param x  [N, H, W, C] float32.
 * @returns [N, H / stride, W / stride, outputs] float32.
 *
 * Source: DeepFaceLab pads symmetrically, unlike TensorFlow's 'same' at stride 2.
 */
export function conv(params: Params, path: string, x: tf.Tensor4D, stride = 1): tf.Tensor4D {
  const filter = params[`${path}/weight`] as tf.Tensor4D
  return tf.fused.conv2d({
    x,
    filter,
    strides: stride,
    pad: filter.shape[0] >> 1,
    dimRoundingMode: 'floor',
    bias: params[`${path}/bias`]!,
  }) as tf.Tensor4D
}

/**
 * Convolutions of one input, side by side, as one: what `conv` gives for each path, one after the other along the channels.
 *
 * Smaller kernels are surrounded by zeros. One convolution with many outputs takes less than many with few.
 *
 * @param x  [N, H, W, C] float32.
 * @returns [N, H, W, sum of all outputs] float32.
 */
export function convTogether(params: Params, paths: readonly string[], x: tf.Tensor4D): tf.Tensor4D {
  const filters = paths.map((path) => params[`${path}/weight`] as tf.Tensor4D)
  const kernel = Math.max(...filters.map(({ shape }) => shape[0]))
  const sized = filters.map((filter) => {
    const by = (kernel - filter.shape[0]) >> 1
    const around: [number, number] = [by, by]
    return by === 0 ? filter : tf.pad(filter, [around, around, [0, 0], [0, 0]])
  })
  return tf.fused.conv2d({
    x,
    filter: tf.concat(sized, 3) as tf.Tensor4D,
    strides: 1,
    pad: kernel >> 1,
    dimRoundingMode: 'floor',
    bias: tf.concat(paths.map((path) => params[`${path}/bias`]!)),
  }) as tf.Tensor4D
}

/** Parameters of `dense`: weight [inputs, outputs] and bias [outputs]. */
export function denseParams(path: string, inputs: number, outputs: number): ParamSpec {
  return {
    [`${path}/weight`]: { shape: [inputs, outputs], init: 'glorot-uniform' },
    [`${path}/bias`]: { shape: [outputs], init: 'zeros' },
  }
}

/** x · weight + bias: [N, inputs] → [N, outputs] float32. */
export function dense(params: Params, path: string, x: tf.Tensor2D): tf.Tensor2D {
  return tf.add(tf.matMul(x, params[`${path}/weight`] as tf.Tensor2D), params[`${path}/bias`]!) as tf.Tensor2D
}

/**
 * Channels laid out as pixels: [N, H, W, 4·C] → [N, 2·H, 2·W, C] float32.
 *
 * Channel (row · 2 + column) · C + c becomes channel c of pixel (row, column) of each 2x2 block (ONNX's mode DCR; not
 * the order of PyTorch's PixelShuffle). Written with a transpose because TensorFlow.js has no gradient for its own op.
 *
 * Source: Shi et al. 2016, https://arxiv.org/abs/1609.05158
 */
export function depthToSpace(x: tf.Tensor4D): tf.Tensor4D {
  const [n, h, w, c] = x.shape
  const blocks = tf.reshape(x, [n, h, w, 2, (2 * c) / 4])
  return tf.reshape(tf.transpose(blocks, [0, 1, 3, 2, 4]), [n, 2 * h, 2 * w, c / 4])
}

/** x / √(mean(x²) + 1e-6) over each sample: [N, F] float32. Source: Karras et al. 2018, https://arxiv.org/abs/1710.10196 */
export function pixelNorm(x: tf.Tensor2D): tf.Tensor2D {
  return tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), 1, true), 1e-6)))
}

/** An activation, with the slope that leaky ReLU has below zero. */
export type Activation = (x: tf.Tensor4D, slope?: number) => tf.Tensor4D

/** Leaky ReLU of slope 0.1 where none is given; x · cos(x) instead with `cosine`, DeepFaceLab's variant 'c'. */
export function activation(cosine = false): Activation {
  return cosine ? (x) => tf.mul(x, tf.cos(x)) : (x, slope = 0.1) => tf.leakyRelu(x, slope)
}
