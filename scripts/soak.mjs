/**
 * Trains a small network for many steps and prints memory and open handles as it goes: `node scripts/soak.mjs [steps]`.
 *
 * Build the engine first. What leaks grows from line to line; the first line is after the first tenth, when all is warm.
 */
import { compile, dropout, loadNetwork, State, tf } from '../packages/engine/dist/index.js'

const steps = Number(process.argv[2] ?? 5000)
const shapes = { 'conv/weight': [3, 3, 3, 8], 'deep/weight': [3, 3, 8, 1], 'dense/weight': [8, 4] }
const moments = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [`${name}/m`, shape]))
const inputs = { image: [4, 16, 16, 3], target: [4, 4], step: [] }
const names = Object.keys(shapes)
const size = (shape) => shape.reduce((a, b) => a * b, 1)
const wave = (shape, by) => Array.from({ length: size(shape) }, (_, i) => Math.sin(i * by) / 2)

const trainStep = (state, { image, target, step }) => {
  const loss = (conv, deep, dense) => {
    const wide = tf.relu(tf.conv2d(image, conv, 1, 'same'))
    const pooled = tf.maxPool(tf.depthwiseConv2d(wide, deep, 1, 'same'), 2, 2, 'valid')
    const flat = dropout(tf.mean(pooled, [1, 2]), 0.1, { seed: 1, step })
    return tf.mean(tf.squaredDifference(tf.matMul(flat, dense), target))
  }
  const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => state[name]))
  const next = {}
  names.forEach((name, i) => {
    next[`${name}/m`] = tf.add(tf.mul(state[`${name}/m`], 0.9), grads[i])
    next[name] = tf.sub(state[name], tf.mul(next[`${name}/m`], 1e-3))
  })
  return { state: next, outputs: { loss: value } }
}

const spec = { state: { ...shapes, ...moments }, inputs }
const state = new State(
  Object.fromEntries(
    Object.entries(spec.state).map(([name, shape]) => [name, { shape, data: wave(shape, name in shapes ? 1 : 0) }]),
  ),
)
const batch = (step) => ({ image: wave(inputs.image, 0.1 + (step % 7)), target: wave(inputs.target, 1), step: [step] })

const lines = []
function report(step, loss) {
  globalThis.gc?.()
  const { heapUsed, rss, arrayBuffers } = process.memoryUsage()
  const line = {
    step,
    loss: Number(loss.toFixed(6)),
    'heap MB': heapUsed / 2 ** 20,
    'buffers MB': arrayBuffers / 2 ** 20,
    'resident MB': rss / 2 ** 20,
    handles: process.getActiveResourcesInfo().length,
    tensors: tf.memory().numTensors,
    'state MB': state.memory.buffer.byteLength / 2 ** 20,
  }
  for (const key of Object.keys(line)) if (key.endsWith('MB')) line[key] = Number(line[key].toFixed(1))
  lines.push(line)
  console.log(JSON.stringify(line))
}

const step = await compile(trainStep, spec, { threads: 1 })
for (let i = 0; i < steps; i++) {
  const { loss } = await step.run(state, batch(i))
  if ((i + 1) % Math.max(1, Math.floor(steps / 10)) === 0) report(i + 1, loss.data[0])
}
await step[Symbol.asyncDispose]()
// Compiling, loading and disposing of again and again must not keep anything either.
const turns = Math.max(10, Math.floor(steps / 100))
for (let i = 0; i < turns; i++) {
  const again = await compile(trainStep, spec, { threads: 1 })
  const network = await loadNetwork(again.onnx)
  await network[Symbol.asyncDispose]()
  await again[Symbol.asyncDispose]()
  if ((i + 1) % Math.floor(turns / 5) === 0) report(`compiled ${i + 1} times`, 0)
}
const [first, last] = [lines[0], lines[9]]
console.log(`from step ${first.step} to ${last.step}: resident ${first['resident MB']} to ${last['resident MB']} MB`)
