import { tf } from '@dfl/engine'

/** A rule that turns a gradient into a new value; moments have the shape of the parameter and start at zero. */
export interface Optimiser {
  name: string
  /** Names of the moments it keeps for each parameter. */
  moments: readonly string[]
  /** The next value of one parameter and of its moments. `learningRate` is a scalar tensor. */
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
