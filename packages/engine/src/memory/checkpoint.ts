import { tf } from '../tf.js'

/**
 * The result of `fn`, of which a gradient keeps only the inputs: what lies between is computed a second time in the
 * backward pass. Half as much work again for these layers, and their activations take no memory meanwhile.
 *
 * @param inputs  All tensors that `fn` is to be differentiated by, parameters included: no gradient flows to others.
 *
 * Source: Chen et al. 2016, https://arxiv.org/abs/1604.06174
 */
export function checkpoint<T extends tf.Tensor>(fn: (...inputs: tf.Tensor[]) => T, inputs: readonly tf.Tensor[]): T {
  const op = tf.customGrad((...given) => {
    const save = given.pop() as unknown as tf.GradSaveFunc
    const tensors = given as tf.Tensor[]
    save(tensors)
    return {
      value: fn(...tensors),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        onOwnTape(() => {
          // Zero, but not before dy is there: without it the second computation would be found to be the first.
          const zero = tf.mul(tf.slice(tf.reshape(dy, [-1]), [0], [1]), 0)
          const again = saved.map((input) => tf.reshape(tf.add(input, zero), input.shape))
          return tf.grads(fn)(again, dy)
        }),
    }
  })
  return op(...inputs) as T
}

/** TensorFlow.js has one tape, which a gradient inside of a gradient would throw away. */
function onOwnTape<R>(work: () => R): R {
  const { state } = tf.engine() as unknown as { state: { activeTape: unknown } }
  const { activeTape } = state
  try {
    return work()
  } finally {
    state.activeTape = activeTape
  }
}
