import { DflError } from '@dfl/core'
import { tf } from '@dfl/engine'

/**
 * Structural dissimilarity of two image batches, (1 − SSIM) / 2, one number for each sample.
 *
 * Gaussian window with σ = 1.5, only where it lies inside the image. The blur is two products with banded matrices,
 * which is quick in both directions of differentiation.
 *
 * @param a  [N, H, W, C] float32 0..1.
 * @param b  Same shape and range as `a`.
 * @param windowPx  Side of the window, at most H and W: see `dssimWindows`.
 * @returns [N] float32 0..1; 0 where the images are equal.
 * @throws DflError `BAD_SHAPE` when the shapes differ or the window is larger than the image.
 *
 * Source: Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861
 */
export function dssim(a: tf.Tensor4D, b: tf.Tensor4D, windowPx: number): tf.Tensor1D {
  const [count, height, width] = a.shape
  if (a.shape.join() !== b.shape.join())
    throw new DflError(
      'BAD_SHAPE',
      `Expected [${a.shape}] for \`b\`, but got [${b.shape}]. Both images need one shape.`,
    )
  if (windowPx > Math.min(height, width))
    throw new DflError(
      'BAD_SHAPE',
      `Expected \`windowPx\` of at most ${Math.min(height, width)}, but got ${windowPx}. Use a smaller window.`,
    )
  const rows = blurMatrix(height, windowPx) // [outH, H]
  const columns = tf.transpose(blurMatrix(width, windowPx)) // [W, outW]
  const outWidth = width - windowPx + 1
  // Planes of one channel: between interleaved channels the matrix would hold two zeros for each weight.
  const planes = (x: tf.Tensor4D) => tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [-1, height, width]) // [N·C, H, W]
  const blur = (x: tf.Tensor) => {
    const count = x.shape[0]!
    const lines = tf.matMul(tf.reshape(x, [count * height, width]), columns) // [count·H, outW]
    const columnsDone = tf.reshape(lines, [count, height, outWidth])
    return tf.matMul(tf.tile(tf.expandDims(rows, 0), [count, 1, 1]), columnsDone) // [count, outH, outW]
  }
  const [planesA, planesB] = [planes(a), planes(b)]
  // `a` by itself: where it is the target, nothing is differentiated through its blur.
  const meanA = blur(planesA)
  const [meanB, meanOfSquares, meanOfProduct] = tf.split(
    blur(tf.concat([planesB, tf.add(tf.square(planesA), tf.square(planesB)), tf.mul(planesA, planesB)], 0)),
    3,
  ) as [tf.Tensor, tf.Tensor, tf.Tensor]
  const product = tf.mul(meanA, meanB)
  const squares = tf.add(tf.square(meanA), tf.square(meanB))
  const covariance = tf.sub(meanOfProduct, product)
  const variances = tf.sub(meanOfSquares, squares)
  const [c1, c2] = [0.01 ** 2, 0.03 ** 2]
  const luminance = tf.div(tf.add(tf.mul(product, 2), c1), tf.add(squares, c1))
  const structure = tf.div(tf.add(tf.mul(covariance, 2), c2), tf.add(variances, c2))
  const ssim = tf.mean(tf.reshape(tf.mul(luminance, structure), [count, -1]), 1)
  return tf.div(tf.sub(1, ssim), 2) as tf.Tensor1D
}

/** DeepFaceLab's sides of the windows of DSSIM for pictures of a resolution R: R/11.6, and R/23.2 for what is fine; 3 px at least. */
export const dssimWindows = (resolution: number): readonly [coarsePx: number, finePx: number] => [
  Math.max(3, Math.floor(resolution / 11.6)),
  Math.max(3, Math.floor(resolution / 23.2)),
]

/** Matrix that blurs columns of pixels from the left, where the window lies inside: [out, size]. */
function blurMatrix(size: number, windowPx: number): tf.Tensor2D {
  const out = size - windowPx + 1
  const values = new Float32Array(out * size)
  for (let o = 0; o < out; o++) values.set(gaussian(windowPx), o * size + o)
  return tf.tensor2d(values, [out, size])
}

/** Weights of a Gaussian window with σ = 1.5 that add up to 1. */
function gaussian(windowPx: number): number[] {
  const weights = Array.from({ length: windowPx }, (_, i) =>
    Math.exp(-((i - (windowPx - 1) / 2) ** 2) / (2 * 1.5 ** 2)),
  )
  const sum = weights.reduce((x, y) => x + y)
  return weights.map((weight) => weight / sum)
}

/** Mean squared difference of each sample: two [N, H, W, C] float32 → [N]. */
export function meanSquaredError(a: tf.Tensor4D, b: tf.Tensor4D): tf.Tensor1D {
  return tf.mean(tf.squaredDifference(a, b), [1, 2, 3])
}

/** Mean absolute difference of each sample: two [N, H, W, C] float32 → [N]. */
export function meanAbsoluteError(a: tf.Tensor4D, b: tf.Tensor4D): tf.Tensor1D {
  return tf.mean(tf.abs(tf.sub(a, b)), [1, 2, 3])
}

/**
 * Binary cross-entropy of logits against one label, mean over each sample.
 *
 * @param logits  [N, H, W, C] float32.
 * @param label  1 for real, 0 for painted.
 * @returns [N] float32.
 */
export function crossEntropy(logits: tf.Tensor4D, label: number | tf.Tensor4D): tf.Tensor1D {
  return tf.mean(tf.sub(tf.softplus(logits), tf.mul(logits, label)), [1, 2, 3]) // log(1 + eˡ) − label·l
}

/** Sum of squared differences of neighbouring pixels of each sample: [N, H, W, C] float32 → [N]. */
export function totalVariation(x: tf.Tensor4D): tf.Tensor1D {
  const [n, h, w, c] = x.shape
  const part = (from: number[], size: number[]) => tf.slice(x, from, size) as tf.Tensor4D
  const down = tf.squaredDifference(part([0, 1, 0, 0], [n, h - 1, w, c]), part([0, 0, 0, 0], [n, h - 1, w, c]))
  const right = tf.squaredDifference(part([0, 0, 1, 0], [n, h, w - 1, c]), part([0, 0, 0, 0], [n, h, w - 1, c]))
  return tf.add(tf.sum(down, [1, 2, 3]), tf.sum(right, [1, 2, 3]))
}
