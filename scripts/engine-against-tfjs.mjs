/**
 * Times a small U-Net, forward and a train step, in the engine and on TensorFlow.js's own backends, and prints a table:
 *
 *     node scripts/engine-against-tfjs.mjs [folder]
 *
 * `folder`: where `npm i @tensorflow/tfjs-core@4 @tensorflow/tfjs-backend-wasm@4 @tensorflow/tfjs-node@4` was run, or parts of it. Without
 * it only the backend `cpu` is compared. Build the engine first. A train step on that backend takes seconds.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { compile, State, tf } from '../packages/engine/dist/index.js'
import { root } from './prepare.mjs'

const THREADS = Math.min(2, availableParallelism())
const [BATCH, SIDE] = [4, 64]
const shapes = {
  'in/weight': [3, 3, 3, 16],
  'down1/weight': [3, 3, 16, 32],
  'down2/weight': [3, 3, 32, 64],
  'up1/weight': [2, 2, 32, 64],
  'mix1/weight': [3, 3, 64, 32],
  'up2/weight': [2, 2, 16, 32],
  'out/weight': [3, 3, 32, 1],
}
const names = Object.keys(shapes)
const inputs = { image: [BATCH, SIDE, SIDE, 3], target: [BATCH, SIDE, SIDE, 1] }
const wave = (shape, by) => Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(i * by) / 5)
const first = Object.fromEntries(
  names.map((name, i) => [name, { shape: shapes[name], data: wave(shapes[name], i + 1) }]),
)
const batch = { image: wave(inputs.image, 0.7), target: wave(inputs.target, 0.3) }

/** Two halvings, two doublings, the finer maps beside the coarser ones. */
function uNet(p, { image }) {
  const conv = (x, name) => tf.leakyRelu(tf.conv2d(x, p[name], 1, 'same'), 0.1)
  const up = (x, name, side) => tf.conv2dTranspose(x, p[name], [BATCH, side, side, p[name].shape[2]], 2, 'same')
  const fine = conv(image, 'in/weight')
  const middle = conv(tf.maxPool(fine, 2, 2, 'same'), 'down1/weight')
  const coarse = conv(tf.maxPool(middle, 2, 2, 'same'), 'down2/weight')
  const mixed = conv(tf.concat([up(coarse, 'up1/weight', SIDE / 2), middle], 3), 'mix1/weight')
  return tf.conv2d(tf.concat([up(mixed, 'up2/weight', SIDE), fine], 3), p['out/weight'], 1, 'same')
}

const forward = (state, given) => ({ outputs: { painted: uNet(state, given) } })

function trainStep(state, given) {
  const loss = (...values) => {
    const p = Object.fromEntries(names.map((name, i) => [name, values[i]]))
    return tf.mean(tf.squaredDifference(uNet(p, given), given.target))
  }
  const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => state[name]))
  const next = names.map((name, i) => [name, tf.sub(state[name], tf.mul(grads[i], 0.05))])
  return { state: Object.fromEntries(next), outputs: { loss: value } }
}

/** Median milliseconds of a call, after one that does not count. */
async function timed(call, times) {
  const ms = []
  for (let i = 0; i <= times; i++) {
    const began = performance.now()
    await call()
    if (i >= 1) ms.push(performance.now() - began)
  }
  return ms.sort((a, b) => a - b)[Math.floor(times / 2)]
}

async function engine(fn, times) {
  const spec = { state: shapes, inputs: fn === forward ? { image: inputs.image } : inputs }
  const compiled = await compile(fn, spec, { threads: THREADS })
  const state = new State(first)
  const ms = await timed(() => compiled.run(state, batch), times)
  await compiled[Symbol.asyncDispose]()
  return ms
}

async function eager(fn, times) {
  const tensors = (given) =>
    Object.fromEntries(Object.entries(given).map(([name, t]) => [name, tf.tensor(t.data, t.shape)]))
  let state = tensors(first)
  const given = tensors({
    image: { data: batch.image, shape: inputs.image },
    target: { data: batch.target, shape: inputs.target },
  })
  return timed(async () => {
    const before = state
    const { state: next, outputs } = tf.tidy(() => fn(before, given))
    await Object.values(outputs)[0].data()
    tf.dispose(outputs)
    if (next) {
      tf.dispose(before)
      state = next
    }
  }, times)
}

/** Backends by what has to be loaded for them, and how often a step is measured. */
const BACKENDS = [
  { name: 'cpu', load: '@tensorflow/tfjs-backend-cpu', times: 1 },
  { name: 'wasm', load: '@tensorflow/tfjs-backend-wasm', times: 9 },
  { name: 'tensorflow', load: '@tensorflow/tfjs-node', times: 9 },
]

tf.env().set('IS_NODE', false) // No advertisement for another backend.
const report = (who, ms) => console.log(`${who.padEnd(28)} ${ms.map((one) => one.padStart(12)).join('  ')}`)
const milliseconds = (ms) => `${ms < 100 ? ms.toFixed(1) : ms.toFixed(0)} ms`
console.log(`U-Net of ${names.length} convolutions, ${BATCH} images of ${SIDE} px; the engine on ${THREADS} threads`)
report('', ['forward', 'train step'])
report('@dfl/engine', [milliseconds(await engine(forward, 31)), milliseconds(await engine(trainStep, 31))])
const folder = process.argv[2] && resolve(process.argv[2])
for (const { name, load, times } of BACKENDS) {
  const from = [folder, join(root, 'packages/engine')].find((one) => one && existsSync(join(one, 'node_modules', load)))
  if (!from) {
    report(`TensorFlow.js, ${name}`, ['not installed'])
    continue
  }
  const cells = []
  try {
    createRequire(join(from, 'package.json'))(load)
    // Its threads are those of browsers, which Node does not start.
    if (name === 'wasm') tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
    await tf.setBackend(name)
    for (const fn of [forward, trainStep])
      cells.push(
        await eager(fn, times).then(
          milliseconds,
          (error) => /Kernel '\w+' not registered/.exec(error.message)?.[0] ?? error.message,
        ),
      )
  } catch (error) {
    cells.push(`does not load: ${error.message.split('\n')[0]}`)
  }
  report(`TensorFlow.js, ${name}`, cells)
}
