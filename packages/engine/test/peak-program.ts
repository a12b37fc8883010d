import { compile, type Precision, State, type Traceable, tf } from '../src/index.js'

/** A program of its own, for its peak of memory: trains a network for some steps and writes what was estimated and taken. */
interface Case {
  weights: Record<string, number[]>
  images: [number, number, number, number]
  loss(x: tf.Tensor4D, ...weights: tf.Tensor4D[]): tf.Scalar
}

const cases: Record<string, Case> = {
  // Strided and transposed convolutions.
  autoencoder: {
    weights: { a: [5, 5, 3, 24], b: [3, 3, 24, 64], c: [3, 3, 64, 64], d: [3, 3, 24, 64], e: [5, 5, 3, 24] },
    images: [16, 128, 128, 3],
    loss: (x, a, b, c, d, e) => {
      const deep = tf.elu(
        tf.conv2d(tf.relu(tf.conv2d(tf.relu(tf.conv2d(x, a!, 2, 'same')), b!, 2, 'same')), c!, 1, 'same'),
      )
      const wide = tf.relu(tf.conv2dTranspose(deep, d!, [16, 64, 64, 24], 2, 'same'))
      return tf.mean(tf.squaredDifference(tf.conv2dTranspose(wide, e!, [16, 128, 128, 3], 2, 'same'), x))
    },
  },
  // Layers of one size, each added to what came before; the estimate was not made from it.
  residual: {
    weights: { a: [3, 3, 3, 32], b: [3, 3, 32, 32], c: [3, 3, 32, 32], d: [3, 3, 32, 3] },
    images: [8, 96, 96, 3],
    loss: (x, a, b, c, d) => {
      const first = tf.conv2d(x, a!, 1, 'same')
      const second = tf.add(first, tf.leakyRelu(tf.conv2d(first, b!, 1, 'same'), 0.1)) as tf.Tensor4D
      const third = tf.add(second, tf.sigmoid(tf.conv2d(second, c!, 1, 'same'))) as tf.Tensor4D
      return tf.mean(tf.squaredDifference(tf.conv2d(third, d!, 1, 'same'), x))
    },
  },
}

const { weights, images, loss } = cases[process.argv[2]!]!
const names = Object.keys(weights)

/** Descent with momentum. */
const step: Traceable = (state, { x }) => {
  const { value, grads } = tf.valueAndGrads((...given: tf.Tensor[]) =>
    loss(x as tf.Tensor4D, ...(given as tf.Tensor4D[])),
  )(names.map((name) => state[name]!))
  const moments = names.map((name, i) => tf.add(tf.mul(state[`m:${name}`]!, 0.9), grads[i]!))
  const next = names.flatMap((name, i) => [
    [name, tf.sub(state[name]!, tf.mul(moments[i]!, 0.01))] as const,
    [`m:${name}`, moments[i]!] as const,
  ])
  return { state: Object.fromEntries(next), outputs: { loss: value } }
}

const all = Object.fromEntries(names.flatMap((name) => [name, `m:${name}`].map((key) => [key, weights[name]!])))
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)
const state = new State(
  Object.fromEntries(
    Object.entries(all).map(([name, shape]) => [name, { shape, data: new Float32Array(sizeOf(shape)).fill(0.01) }]),
  ),
)
const precision = process.argv[3] as Precision
await using compiled = await compile(step, { state: all, inputs: { x: images } }, { threads: 1, precision })
const x = Float32Array.from({ length: sizeOf(images) }, (_, i) => Math.sin(i))
for (let i = 0; i < 3; i++) await compiled.run(state, { x })
const peak = process.resourceUsage().maxRSS * 1024
process.stdout.write(JSON.stringify({ estimate: compiled.memory, peak }))
