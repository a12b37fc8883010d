import '@tensorflow/tfjs-backend-cpu'
import { describe, expect, it } from 'vitest'
import { compile, dropout, State, type Traceable, tf } from '../src/index.js'
import { expectClose, values } from './support.js'

/** A small U-Net: depthwise-separable convolutions, group normalisation, a pool, a transposed convolution, a skip. */
const PARAMS: Record<string, number[]> = {
  'in/weight': [3, 3, 2, 4],
  'in/scale': [4],
  'in/shift': [4],
  'down/depthwise': [3, 3, 4, 1],
  'down/weight': [1, 1, 4, 8],
  'down/scale': [8],
  'down/shift': [8],
  'up/weight': [2, 2, 4, 8],
  'out/weight': [3, 3, 8, 1],
  'out/bias': [1],
}
const NAMES = Object.keys(PARAMS)
const SHAPES = Object.fromEntries(NAMES.flatMap((name) => ['', '/m', '/v'].map((s) => [name + s, PARAMS[name]!])))
const INPUTS = { image: [1, 8, 8, 2], target: [1, 8, 8, 1], step: [] }

/** Mean 0 and variance 1 within two groups of channels. Source: Wu and He 2018, https://arxiv.org/abs/1803.08494 */
function groupNorm(x: tf.Tensor4D, scale: tf.Tensor, shift: tf.Tensor): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape
  const split = tf.reshape(x, [batch, height, width, 2, channels / 2])
  const { mean, variance } = tf.moments(split, [1, 2, 4], true)
  const even = tf.mul(tf.sub(split, mean), tf.rsqrt(tf.add(variance, 1e-3)))
  return tf.add(tf.mul(tf.reshape(even, x.shape), scale), shift)
}

function uNet(p: Record<string, tf.Tensor>, image: tf.Tensor, step: tf.Tensor): tf.Tensor4D {
  const weight = (name: string) => p[name] as tf.Tensor4D
  const first = tf.conv2d(image as tf.Tensor4D, weight('in/weight'), 1, 'same')
  const wide = tf.elu(groupNorm(first, p['in/scale']!, p['in/shift']!)) // [1, 8, 8, 4]
  const pooled = tf.maxPool(wide, 2, 2, 'same')
  const mixed = tf.separableConv2d(pooled, weight('down/depthwise'), weight('down/weight'), 1, 'same')
  const deep = tf.relu(groupNorm(mixed, p['down/scale']!, p['down/shift']!)) // [1, 4, 4, 8]
  const up = tf.conv2dTranspose(dropout(deep, 0.1, { seed: 1, step }), weight('up/weight'), [1, 8, 8, 4], 2, 'same')
  const both = tf.concat([up, wide], 3) as tf.Tensor4D
  return tf.sigmoid(tf.add(tf.conv2d(both, weight('out/weight'), 1, 'same'), p['out/bias']!))
}

/** One step of Adam. Source: Kingma and Ba 2015, https://arxiv.org/abs/1412.6980 */
const trainStep: Traceable = (state, { image, target, step }) => {
  const loss = (...params: tf.Tensor[]) => {
    const p = Object.fromEntries(NAMES.map((name, i) => [name, params[i]!]))
    return tf.mean(tf.squaredDifference(uNet(p, image!, step!), target!)) as tf.Scalar
  }
  const { value, grads } = tf.valueAndGrads(loss)(NAMES.map((name) => state[name]!))
  const count = tf.add(step!, 1)
  const next: Record<string, tf.Tensor> = {}
  NAMES.forEach((name, i) => {
    const m = tf.add(tf.mul(state[`${name}/m`]!, 0.9), tf.mul(grads[i]!, 0.1))
    const v = tf.add(tf.mul(state[`${name}/v`]!, 0.99), tf.mul(tf.square(grads[i]!), 0.01))
    const unbiased = [tf.div(m, tf.sub(1, tf.pow(0.9, count))), tf.div(v, tf.sub(1, tf.pow(0.99, count)))] as const
    next[name] = tf.sub(state[name]!, tf.div(tf.mul(unbiased[0], 1e-3), tf.add(tf.sqrt(unbiased[1]), 1e-3)))
    next[`${name}/m`] = m
    next[`${name}/v`] = v
  })
  return { state: next, outputs: { loss: value } }
}

const firstState = () =>
  Object.fromEntries(
    Object.entries(SHAPES).map(([name, shape], i) => {
      const data = values(shape, 'unit', i + 1)
      if (!(name in PARAMS)) return [name, { shape, data: data.map(() => 0) }]
      return [name, { shape, data: name.endsWith('scale') ? data.map(() => 1) : data.map((v) => v / 2) }]
    }),
  )

const batch = (step: number) => {
  const image = values(INPUTS.image, 'unit', 50 + (step % 4))
  const target = Array.from({ length: 64 }, (_, i) => (image[2 * i]! + image[2 * i + 1]! > 0 ? 1 : 0))
  return { image, target, step: [step] }
}

describe('a network that the engine was not made for', () => {
  it('trains for 200 steps as TensorFlow.js trains it, to 1e-4 of every loss and value', async () => {
    const steps = 200
    await using compiled = await compile(trainStep, { state: SHAPES, inputs: INPUTS }, { threads: 1 })
    const state = new State(firstState())
    const losses: number[] = []
    for (let i = 0; i < steps; i++) losses.push((await compiled.run(state, batch(i))).loss!.data[0] as number)

    await tf.setBackend('cpu')
    let now = tf.tidy(() =>
      Object.fromEntries(Object.entries(firstState()).map(([name, t]) => [name, tf.tensor(t.data, t.shape)])),
    )
    const wanted: number[] = []
    for (let i = 0; i < steps; i++) {
      const before = now
      now = tf.tidy(() => {
        const given = batch(i)
        const inputs = Object.fromEntries(
          Object.entries(given).map(([name, data]) => [name, tf.tensor(data, INPUTS[name as keyof typeof INPUTS])]),
        )
        const result = trainStep(before, inputs)
        wanted.push(result.outputs.loss!.dataSync()[0]!)
        return result.state as typeof now
      })
      tf.dispose(before)
    }
    expectClose(losses, wanted, 1e-4)
    for (const name of NAMES) expectClose(state.get(name).data, now[name]!.dataSync(), 1e-4)
    expect(losses.at(-1)).toBeLessThan(losses[0]! * 0.8)
    tf.dispose(now)
  }, 60_000)
})
