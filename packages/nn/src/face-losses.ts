import { defineOptions } from '@dfl/core'
import { tf } from '@dfl/engine'
import { gan, trueFace } from './adversarial.js'
import { gaussianBlur } from './blur.js'
import type { Loss, LossSettings } from './loss.js'
import { dssim, dssimWindows, meanAbsoluteError, meanSquaredError, totalVariation } from './losses.js'

/** DeepFaceLab's settings of the losses, with its limits. */
export const lossOptions = defineOptions({
  maskedTraining: { type: 'boolean', default: true, description: 'Compare faces inside their mask only.' },
  eyesMouthPrio: {
    type: 'number',
    default: 0,
    min: 0,
    description: "Weight of the absolute error over eyes and mouth; DeepFaceLab's switch stands for 300.",
  },
  faceStylePower: {
    type: 'number',
    default: 0,
    min: 0,
    max: 100,
    description: "Let the swap take DST's colours inside the face; 10 is much.",
  },
  bgStylePower: {
    type: 'number',
    default: 0,
    min: 0,
    max: 100,
    description: "Let the swap take DST's surroundings of the face; 10 is much.",
  },
  trueFacePower: {
    type: 'number',
    default: 0,
    min: 0,
    max: 1,
    description: "Make the codes of SRC look like those of DST to a critic; 0.01 is usual. For DF's kind only.",
  },
  ganPower: {
    type: 'number',
    default: 0,
    min: 0,
    max: 5,
    description: 'Sharpen what is painted with a critic of patches; 0.1 is usual, late in training.',
  },
  ganPatchSize: {
    type: 'number',
    default: 0,
    min: 0,
    max: 640,
    integer: true,
    unit: 'px',
    description: 'Side of the patches that the critic sees; 0 for an eighth of the resolution.',
  },
  ganDims: {
    type: 'number',
    default: 16,
    min: 4,
    max: 512,
    integer: true,
    description: "Channels of the critic's first level.",
  },
})

/**
 * DeepFaceLab's losses of a face model.
 *
 * 10·DSSIM (see `structure`) + 10·MSE of the faces, inside the mask if
 * `maskedTraining`; 10·MSE of the masks; `eyesMouthPrio`·MAE over eyes and mouth; style, true face and GAN by their powers.
 * `maskedTraining` adds 1·MSE outside of the mask, as DeepFaceLab's AMP has it weakly: what lies just beyond must not
 * become noise that a soft edge lets through.
 */
export function faceLosses(settings: LossSettings): Loss[] {
  const { resolution, maskedTraining, eyesMouthPrio, faceStylePower, bgStylePower, trueFacePower, ganPower } = settings
  const losses = [...structure(resolution), pixels(10), masks(10)]
  if (maskedTraining) losses.push(surroundings(1))
  if (eyesMouthPrio > 0) losses.push(eyesMouth(eyesMouthPrio))
  if (faceStylePower > 0) losses.push(faceStyle(faceStylePower))
  if (bgStylePower > 0) losses.push(backgroundStyle(bgStylePower))
  if (trueFacePower > 0) losses.push(trueFace(settings))
  if (ganPower > 0) losses.push(gan(settings))
  if (ganPower > 0 && maskedTraining) losses.push(smoothness(1e-6))
  return losses
}

/** 10·DSSIM of the faces: in the coarse window of `dssimWindows`, from R = 256 on half of it in the fine one. */
export function structure(resolution: number, scales: 'by-resolution' | 'two' = 'by-resolution'): Loss[] {
  const windows = dssimWindows(resolution).slice(0, resolution >= 256 || scales === 'two' ? 2 : 1)
  return windows.map((windowPx, i) => ({
    name: i === 0 ? 'dssim' : 'dssim_fine',
    weight: 10 / windows.length,
    of: ({ inside, target, painted }) => dssim(inside(target), inside(painted.face), windowPx),
  }))
}

/** MSE of the faces. */
export const pixels = (weight: number): Loss => ({
  name: 'mse',
  weight,
  of: ({ inside, target, painted }) => meanSquaredError(inside(target), inside(painted.face)),
})

/** MSE of the masks. */
export const masks = (weight: number): Loss => ({
  name: 'mask',
  weight,
  of: ({ mask, painted }) => meanSquaredError(mask, painted.mask),
})

/** MSE of what lies beyond the outline of the mask. */
export const surroundings = (weight: number, side?: Loss['side']): Loss => ({
  name: 'surroundings',
  weight,
  side,
  of({ outline, target, painted }) {
    if (!outline) return tf.zeros([target.shape[0]])
    const outside = tf.sub(1, outline) as tf.Tensor4D
    return meanSquaredError(tf.mul(target, outside), tf.mul(painted.face, outside))
  },
})

/** MAE over eyes and mouth. */
export const eyesMouth = (weight: number): Loss => ({
  name: 'eyes_mouth',
  weight,
  inputs: ['eyesMouth'],
  of({ input, target, painted }) {
    const where = input('eyesMouth')
    return meanAbsoluteError(tf.mul(target, where), tf.mul(painted.face, where))
  },
})

/** Squared differences of neighbouring pixels: against single bright ones. */
export const smoothness = (weight: number, side: Loss['side'] = 'src'): Loss => ({
  name: 'smoothness',
  weight,
  side,
  of: ({ painted }) => totalVariation(painted.face),
})

/**
 * How far mean and spread of the swap's colours are from those of DST as painted, both inside their masks and blurred.
 *
 * Only the decoders learn from it: pose and expression must not.
 *
 * @param power  0..100, as DeepFaceLab's `face_style_power`.
 */
export const faceStyle = (power: number): Loss => ({
  name: 'face_style',
  weight: (power / 100) * (10_000 / 3),
  side: 'dst',
  of({ paint, resolution }) {
    const statistics = ({ face, mask }: { face: tf.Tensor4D; mask: tf.Tensor4D }, where = mask) => {
      const { mean, variance } = tf.moments(gaussianBlur(tf.mul(face, where), Math.max(1, resolution >> 3)), [1, 2])
      return { mean, deviation: tf.sqrt(tf.add(variance, 1e-5)) } // [N, 3]
    }
    const swap = statistics(paint('src', 'decoders'), paint('src', 'nothing').mask)
    const dst = statistics(paint('dst', 'nothing'))
    return tf.add(
      tf.sum(tf.squaredDifference(swap.mean, dst.mean), 1),
      tf.sum(tf.squaredDifference(swap.deviation, dst.deviation), 1),
    )
  },
})

/**
 * DSSIM + MSE of the swap and DST outside of both painted masks.
 *
 * Only the decoders learn from it. DeepFaceLab means this mask, but takes SRC's target mask instead.
 *
 * @param power  0..100, as DeepFaceLab's `bg_style_power`.
 */
export const backgroundStyle = (power: number): Loss => ({
  name: 'bg_style',
  weight: (power / 100) * 10,
  side: 'dst',
  of({ paint, target, resolution }) {
    const outside = tf.sub(1, tf.mul(paint('src', 'nothing').mask, paint('dst', 'nothing').mask)) as tf.Tensor4D
    const swap = tf.mul(paint('src', 'decoders').face, outside) as tf.Tensor4D
    const wanted = tf.mul(target, outside) as tf.Tensor4D
    const [windowPx] = dssimWindows(resolution)
    return tf.add(dssim(swap, wanted, windowPx), meanSquaredError(swap, wanted))
  },
})
