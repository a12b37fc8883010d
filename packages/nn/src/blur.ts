import { tf } from '@dfl/engine'

/**
 * Images blurred by a Gaussian whose window is 4σ wide, with zeros beyond the border.
 *
 * Two products with banded matrices, quick in both directions of differentiation.
 *
 * @param x  [N, H, W, C] float32.
 * @param sigmaPx  σ in pixels.
 * @returns [N, H, W, C] float32.
 */
export function gaussianBlur(x: tf.Tensor4D, sigmaPx: number): tf.Tensor4D {
  const [N, H, W, C] = x.shape
  const lines = tf.matMul(tf.reshape(x, [N * H, W * C]), band(W, sigmaPx, C))
  const rows = tf.tile(tf.expandDims(band(H, sigmaPx, 1), 0), [N, 1, 1])
  return tf.reshape(tf.matMul(rows, tf.reshape(lines, [N, H, W * C])), [N, H, W, C])
}

/** The matrix that blurs lines of `size` pixels with interleaved channels: [size·C, size·C], symmetric. */
function band(size: number, sigmaPx: number, channels: number): tf.Tensor2D {
  const reach = Math.max(1, Math.floor((4 * sigmaPx) / 2))
  let sum = 0
  for (let d = -reach; d <= reach; d++) sum += Math.exp(-(d * d) / (2 * sigmaPx * sigmaPx))
  const length = size * channels
  const weights = new Float32Array(length * length)
  for (let i = 0; i < size; i++)
    for (let j = Math.max(0, i - reach); j <= Math.min(size - 1, i + reach); j++)
      for (let c = 0; c < channels; c++)
        weights[(i * channels + c) * length + j * channels + c] =
          Math.exp(-((i - j) ** 2) / (2 * sigmaPx * sigmaPx)) / sum
  return tf.tensor2d(weights, [length, length])
}

/**
 * The mask with a soft edge pushed outwards: 2·min(blurred, 0.5), blurred by a Gaussian of σ = R/32.
 *
 * @param mask  [N, R, R, 1] float32 0..1.
 */
export function softOutline(mask: tf.Tensor4D): tf.Tensor4D {
  const blurred = gaussianBlur(mask, Math.max(1, Math.floor(mask.shape[1] / 32)))
  return tf.mul(tf.minimum(blurred, 0.5), 2)
}

/**
 * Images whose background is a blur of itself, in which the face has no part: the network need not learn it.
 *
 * Outside of the mask x becomes blur(x·(1 − m)) / blur(1 − m) with σ = R/128. DeepFaceLab's `blur_out_mask` divides by
 * 1 − blur(m), which is the same but along the image's border: there the blur takes in zeros, and its background turns dark.
 *
 * @param x  [N, R, R, 3] float32 0..1.
 * @param mask  [N, R, R, 1] float32 0..1.
 */
export function blurOutMask(x: tf.Tensor4D, mask: tf.Tensor4D): tf.Tensor4D {
  const sigma = Math.max(1, x.shape[1] / 128)
  const outside = tf.sub(1, mask) as tf.Tensor4D
  const share = gaussianBlur(outside, sigma)
  const divisor = tf.where(tf.greater(share, 1e-6), share, tf.onesLike(share))
  const background = tf.div(gaussianBlur(tf.mul(x, outside), sigma), divisor)
  return tf.add(tf.mul(x, mask), tf.mul(background, outside))
}
