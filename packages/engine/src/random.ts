import { DflError } from '@dfl/core'
import { tf } from './tf.js'
import { sizeOf } from './trace/trace.js'

/** Which numbers are drawn: the same pair gives the same numbers, on every device and after every resume. */
export interface RandomOptions {
  /** A whole number, 0 ≤ seed < 2⁵³. Two layers of one step need two seeds, or they draw the same. */
  seed: number
  /** The step, a whole number below 2²⁴ as a scalar: an input of the compiled function, so that every run draws anew. */
  step: tf.Tensor | number
}

/** Rounds of the cipher: Philox's ten. */
const ROUNDS = 10
/** Numbers of one tensor; more would repeat. */
const PERIOD = 2 ** 24
const WORD = 2 ** 12
/** Odd multipliers whose products with 12-bit words scatter over 24 bits, for the index and for the step. */
const [INDEX_MULTIPLIER, STEP_MULTIPLIER] = [3373, 2861]

/**
 * Numbers spread evenly over 0 ≤ x < 1, multiples of 2⁻²⁴, one for each position of `shape`.
 *
 * They are a function of seed, step and position, without a state, by a cipher as Philox: ten rounds of a multiplication
 * and an exchange of two words. Words have 12 bits and are added where Philox has 32 and an exclusive or, so all sums and
 * products are exact in float32: TensorFlow.js and ONNX Runtime give the same numbers to the last bit on every device.
 * Within one tensor no number comes twice. Not for secrets.
 *
 * Source: J. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, https://doi.org/10.1145/2063384.2063405
 */
export function randomUniform(shape: readonly number[], { seed, step }: RandomOptions): tf.Tensor {
  const size = sizeOf(shape)
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new DflError('BAD_OPTION', `Expected a whole number from 0 for \`seed\`, but got ${seed}. Use a smaller one.`)
  if (size > PERIOD)
    throw new DflError(
      'BAD_SHAPE',
      `Expected at most ${PERIOD} random numbers for \`shape\`, but got ${size}. Draw several tensors, each with a seed of its own.`,
    )
  return tf.tidy(() => {
    const keys = keysOf(seed, step)
    const index = words(tf.range(0, size, 1, 'float32'))
    const [low, high] = keys.reduce((pair, key) => round(pair, key, INDEX_MULTIPLIER), index)
    return tf.reshape(tf.add(low, tf.mul(high, 1 / WORD)), shape as number[])
  })
}

/**
 * Numbers of a normal distribution with mean 0 and variance 1, as `randomUniform` draws evenly spread ones; equal across
 * devices to the rounding of logarithm and cosine.
 *
 * Source: Box and Muller 1958, https://doi.org/10.1214/aoms/1177706645
 */
export function randomNormal(shape: readonly number[], options: RandomOptions): tf.Tensor {
  return tf.tidy(() => {
    const pairs = randomUniform([2, sizeOf(shape)], options)
    const [radius, angle] = tf.unstack(pairs) as [tf.Tensor, tf.Tensor]
    const positive = tf.add(radius, 2 ** -25) // so that the logarithm has a value
    const length = tf.sqrt(tf.mul(tf.log(positive), -2))
    return tf.reshape(tf.mul(length, tf.cos(tf.mul(angle, 2 * Math.PI))), shape as number[])
  })
}

/**
 * `x` with each value set to 0 with probability `rate`, the others divided by 1 − rate: the mean stays.
 *
 * @param rate  0 ≤ rate < 1.
 *
 * Source: N. Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
 */
export function dropout<T extends tf.Tensor>(x: T, rate: number, options: RandomOptions): T {
  if (!(rate >= 0 && rate < 1))
    throw new DflError(
      'BAD_OPTION',
      `Expected a number from 0 to below 1 for \`rate\`, but got ${rate}. It is the part that is dropped.`,
    )
  if (rate === 0) return x
  return tf.tidy(() => {
    const kept = tf.greaterEqual(randomUniform(x.shape, options), Math.round(rate * PERIOD) / PERIOD)
    return tf.mul(x, tf.mul(tf.cast(kept, 'float32'), 1 / (1 - rate))) as T
  })
}

/** Two words of a number below 2²⁴, as multiples of 2⁻¹² below 1. */
function words(number: tf.Tensor): [tf.Tensor, tf.Tensor] {
  const scaled = tf.mul(number, 1 / WORD)
  const high = tf.floor(scaled)
  return [tf.sub(scaled, high), tf.mul(high, 1 / WORD)]
}

/** One round: the first word times the multiplier, its high half added to the other word and the key. */
function round([a, b]: [tf.Tensor, tf.Tensor], key: tf.Tensor, multiplier: number): [tf.Tensor, tf.Tensor] {
  const product = tf.mul(a, multiplier)
  const high = tf.floor(product)
  const sum = tf.add(tf.add(tf.mul(high, 1 / WORD), b), key)
  return [tf.sub(sum, tf.floor(sum)), tf.sub(product, high)]
}

/** A key for each round: words of the seed, and words of the step that were enciphered by the same rounds. */
function keysOf(seed: number, step: tf.Tensor | number): tf.Tensor[] {
  const fromSeed = mixed(seed, 3 * ROUNDS)
  let pair = words(typeof step === 'number' ? tf.scalar(step) : tf.cast(tf.reshape(step, []), 'float32'))
  for (let i = 0; i < ROUNDS; i++) pair = round(pair, tf.scalar(fromSeed[i]!), STEP_MULTIPLIER)
  return Array.from({ length: ROUNDS }, (_, i) => {
    pair = round(pair, tf.scalar(fromSeed[ROUNDS + i]!), STEP_MULTIPLIER)
    const sum = tf.add(pair[0], fromSeed[2 * ROUNDS + i]!)
    return tf.sub(sum, tf.floor(sum))
  })
}

/**
 * Words that a seed stands for, multiples of 2⁻¹² below 1.
 *
 * Source: A. Appleby, the finaliser of MurmurHash3, https://github.com/aappleby/smhasher
 */
function mixed(seed: number, count: number): number[] {
  const [low, high] = [seed >>> 0, Math.floor(seed / 2 ** 32)]
  const scramble = (n: number) => {
    let h = n
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
    return (h ^ (h >>> 16)) >>> 0
  }
  return Array.from({ length: count }, (_, i) => {
    const hash = scramble(scramble(low + Math.imul(i + 1, 0x9e3779b9)) ^ scramble(high + i))
    return (hash >>> 20) / WORD
  })
}
