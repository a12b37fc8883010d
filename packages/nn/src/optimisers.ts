import { tf } from '@dfl/engine'

/** A rule that turns a gradient into a new value; moments have the shape of the parameter and start at zero. */
export interface Optimiser {
  name: string
  /** Names of the moments it keeps for each parameter. */
  moments: readonly string[]
  /**
   * What the learning rate is multiplied by at a step, counted from 1; nothing for 1 at all of them.
   *
   * A bias correction that depends on the step alone belongs here: it costs nothing.
   */
  rateAt?(step: number): number
  /**
   * The next value of one parameter and of its moments.
   *
   * @param learningRate  A scalar, or the parameter's shape where each of its values has a rate of its own.
   */
  update(
    param: tf.Tensor,
    gradient: tf.Tensor,
    moments: Readonly<Record<string, tf.Tensor>>,
    learningRate: tf.Tensor,
  ): { param: tf.Tensor; moments: Record<string, tf.Tensor> }
}

/**
 * AdaBelief: steps are large where gradients agree with their running mean and small where they surprise.
 *
 * As DeepFaceLab has it: no bias correction, ε = 1e-6 only in the divisor. Multiplications by (1 − β) are taken out of
 * the running means so that fewer passes over memory are needed; the result is the same.
 *
 * Source: Zhuang et al. 2020, https://arxiv.org/abs/2010.07468
 */
export function adaBelief({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-6 } = {}): Optimiser {
  return {
    name: 'adabelief',
    moments: ['m', 's'],
    update(param, gradient, { m, s }, learningRate) {
      const surprise = tf.sub(gradient, m!) // g − m
      const nextM = tf.add(m!, tf.mul(surprise, 1 - beta1)) // m + (1 − β₁)(g − m)
      // (g − m')² = β₁²(g − m)²
      const nextS = tf.add(tf.mul(s!, beta2), tf.mul(tf.square(surprise), (1 - beta2) * beta1 * beta1))
      const step = tf.div(tf.mul(nextM, learningRate), tf.add(tf.sqrt(nextS), epsilon))
      return { param: tf.sub(param, step), moments: { m: nextM, s: nextS } }
    },
  }
}

/** RMSprop without momentum, ε = 1e-6 in the divisor. Source: Tieleman and Hinton 2012, lecture 6.5. */
export function rmsProp({ rho = 0.9, epsilon = 1e-6 } = {}): Optimiser {
  return {
    name: 'rmsprop',
    moments: ['a'],
    update(param, gradient, { a }, learningRate) {
      const nextA = tf.add(tf.mul(a!, rho), tf.mul(tf.square(gradient), 1 - rho))
      const step = tf.div(tf.mul(gradient, learningRate), tf.add(tf.sqrt(nextA), epsilon))
      return { param: tf.sub(param, step), moments: { a: nextA } }
    },
  }
}

/**
 * Adam, its bias correction taken into the learning rate.
 *
 * Source: Kingma and Ba 2015, https://arxiv.org/abs/1412.6980, with the order of computation at the end of section 2.
 */
export function adam({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = {}): Optimiser {
  return {
    name: 'adam',
    moments: ['m', 'v'],
    rateAt: (step) => Math.sqrt(1 - beta2 ** step) / (1 - beta1 ** step),
    update(param, gradient, { m, v }, learningRate) {
      const nextM = tf.add(tf.mul(m!, beta1), tf.mul(gradient, 1 - beta1))
      const nextV = tf.add(tf.mul(v!, beta2), tf.mul(tf.square(gradient), 1 - beta2))
      const step = tf.div(tf.mul(nextM, learningRate), tf.add(tf.sqrt(nextV), epsilon))
      return { param: tf.sub(param, step), moments: { m: nextM, v: nextV } }
    },
  }
}

/** The optimisers that models are made with, by name. */
export const OPTIMISERS = { adabelief: adaBelief, rmsprop: rmsProp, adam } as const

/** Name of an optimiser, as options and model files have it. */
export type OptimiserName = keyof typeof OPTIMISERS

/**
 * Gradients brought down together to a length of at most `maximum`, in the same direction.
 *
 * @param gradients  Any shapes; their length is that of all their values.
 */
export function clipGradients(gradients: readonly tf.Tensor[], maximum: number): tf.Tensor[] {
  const length = tf.sqrt(tf.addN(gradients.map((gradient) => tf.sum(tf.square(gradient)))))
  const factor = tf.div(maximum, tf.maximum(length, maximum))
  return gradients.map((gradient) => tf.mul(gradient, factor))
}

/**
 * A learning rate for each value of a parameter: the whole rate for a share of them, chosen anew at every step, 0 for the rest.
 *
 * Two short lines of random numbers make the lot of a whole matrix: (row · column · scale) mod 1. Any two of its values
 * are nearly independent, and nothing as large as the parameter has to be drawn and copied.
 *
 * @param rows  [≥ rows, 1] float32 1..2, random; a row is all but the last axis.
 * @param columns  [1, ≥ columns] float32 1..2, random; a column is a place on the last axis.
 * @param share  Share of the values that learn, 0..1; DeepFaceLab's `lr_dropout` is 0.3.
 * @param scale  A number of its own for each parameter, about 1000.
 */
export function dropRates(
  learningRate: tf.Tensor,
  shape: readonly number[],
  { rows, columns, share, scale }: { rows: tf.Tensor; columns: tf.Tensor; share: number; scale: number },
): tf.Tensor {
  const width = shape.at(-1) ?? 1
  const height = shape.reduce((a, b) => a * b, 1) / width
  const lot = tf.mul(tf.mul(tf.slice(rows, [0, 0], [height, 1]), scale), tf.slice(columns, [0, 0], [1, width]))
  const learns = tf.cast(tf.less(tf.sub(lot, tf.floor(lot)), share), 'float32')
  return tf.reshape(tf.mul(learns, learningRate), shape as number[])
}
