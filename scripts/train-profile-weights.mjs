// Trains the network that sees faces from the side (packages/extract/weights/profile.onnx).
//
//   node scripts/train-profile-weights.mjs OUT.onnx --pictures FOLDER [--heads 5500] [--minutes 60] [--from WEIGHTS.safetensors]
//
// It learns from rendered heads alone (packages/synth/src/profile-heads.ts); DFL_ICT_PACK names the pack of them. The people of
// the demo, of the benchmarks' pairs and of `bench detection` are not among them. FOLDER holds pictures without faces that
// are seen from the side: they are put behind heads, and teach what is none. Beside OUT.onnx it writes OUT.safetensors, which
// a later sitting can go on --from. Time is that of the wall, the learning rate falls over it to nothing.
// Needs built packages: npm run build.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const load = (name) => import(pathToFileURL(join(root, 'packages', name, 'dist/index.js')))
const names = ['core', 'engine', 'extract', 'media', 'nn', 'synth']
const [{ Random }, engine, extract, { readImage }, nn, synth] = await Promise.all(names.map(load))
const { tf } = engine
const { conv, convParams, dense, denseParams } = nn
const { PROFILE_SIDE: SIDE, profileInput, regionOfProfile } = extract

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pictures: { type: 'string' },
    heads: { type: 'string', default: '5500' },
    minutes: { type: 'string', default: '60' },
    from: { type: 'string' },
    rate: { type: 'string', default: '0.0015' },
    seed: { type: 'string', default: '7' },
  },
})
const [out] = positionals
if (!out?.endsWith('.onnx') || !values.pictures)
  throw new Error(
    'Usage: node scripts/train-profile-weights.mjs OUT.onnx --pictures FOLDER [--minutes 60] [--from WEIGHTS]',
  )

const BATCH = 32
const WIDTHS = [16, 32, 64, 96]
const CODE = 16

/** Of the two numbers for each landmark, and the logit of presence. */
const POINTS = 136
const OUTPUTS = POINTS + 1

const params = {
  ...convParams('stem', 3, 1, WIDTHS[0]),
  ...Object.assign(
    {},
    ...WIDTHS.slice(1).map((width, k) => ({
      ...convParams(`down${k + 1}`, 3, WIDTHS[k], width),
      ...convParams(`res${k + 1}/a`, 3, width, width),
      ...convParams(`res${k + 1}/b`, 3, width, width),
    })),
  ),
  ...convParams('squeeze', 1, WIDTHS.at(-1), CODE),
  ...denseParams('hidden', CODE * (SIDE / 16) ** 2, 128),
  ...denseParams('out', 128, OUTPUTS),
}
const paths = Object.keys(params)
const shapesOf = (names) => Object.fromEntries(names.map((name) => [name, state.shapeOf(name)]))

/** [N, SIDE, SIDE, 1] → [N, OUTPUTS]. */
function forward(p, x) {
  const act = (v) => tf.leakyRelu(v, 0.1)
  let y = act(conv(p, 'stem', x, 2))
  for (let k = 1; k < WIDTHS.length; k++) {
    y = act(conv(p, `down${k}`, y, 2))
    y = act(tf.add(y, conv(p, `res${k}/b`, act(conv(p, `res${k}/a`, y)))))
  }
  const code = tf.reshape(act(conv(p, 'squeeze', y)), [x.shape[0], -1])
  return dense(p, 'out', act(dense(p, 'hidden', code)))
}

/** How far landmarks are off where there are some, and the cross entropy of presence where it is known. */
function lossesOf(p, { x, points, presence, pointsWeight, presenceWeight }) {
  const y = forward(p, x)
  const off = tf.sub(tf.slice(y, [0, 0], [BATCH, POINTS]), points)
  const far = tf.mean(tf.sub(tf.sqrt(tf.add(tf.square(off), 1e-4)), 0.01), 1) // Charbonnier: as |off|, round at 0
  const logit = tf.reshape(tf.slice(y, [0, POINTS], [BATCH, 1]), [BATCH])
  const surprise = tf.add(
    tf.sub(tf.relu(logit), tf.mul(logit, presence)),
    tf.log(tf.add(1, tf.exp(tf.neg(tf.abs(logit))))),
  )
  const meanOf = (loss, weight) => tf.div(tf.sum(tf.mul(loss, weight)), tf.add(tf.sum(weight), 1))
  return { points: meanOf(far, pointsWeight), presence: meanOf(surprise, presenceWeight) }
}

/** The pictures of the folder as gray values. */
async function grayPictures(folder) {
  const files = (await readdir(folder)).filter((file) => /\.(png|jpe?g|webp)$/i.test(file)).sort()
  return Promise.all(
    files.map(async (file) => {
      const { data, width, height, channels } = await readImage(join(folder, file))
      const gray = Uint8Array.from({ length: width * height }, (_, i) =>
        channels === 1
          ? data[i]
          : 0.299 * data[channels * i] + 0.587 * data[channels * i + 1] + 0.114 * data[channels * i + 2],
      )
      return { data: gray, width, height }
    }),
  )
}

const model = await synth.loadHeadPack()
const heads = []
for (let n = 0; n < Number(values.heads); n++) {
  heads.push(synth.profileHead(model, n))
  if (heads.length % 500 === 0) console.log(`${heads.length} heads rendered`)
}
const pictures = await grayPictures(values.pictures)
const backdrops = synth.backdropsOf(pictures, { sidePx: SIDE, count: 1200, random: new Random(11) })
const sampleOf = (some, random) =>
  synth.profileSample({ heads: some, backdrops, regionOf: regionOfProfile, sidePx: SIDE }, random)

function batchOf(some, random) {
  const batch = {
    x: new Float32Array(BATCH * SIDE * SIDE),
    points: new Float32Array(BATCH * POINTS),
    presence: new Float32Array(BATCH),
    pointsWeight: new Float32Array(BATCH),
    presenceWeight: new Float32Array(BATCH),
  }
  for (let k = 0; k < BATCH; k++) {
    const { square, points, ...labels } = sampleOf(some, random)
    batch.x.set(profileInput(square.data), k * SIDE * SIDE)
    batch.points.set(points, k * POINTS)
    for (const [name, value] of Object.entries(labels)) batch[name][k] = value
  }
  return batch
}

// Some heads are never learnt from: their loss is told.
const held = heads.splice(0, 300)
const optimiser = nn.adam()
const state = new engine.State(nn.initialise(params, 1))
if (values.from)
  for (const [name, tensor] of Object.entries(
    engine.decodeSafetensors(await readFile(values.from), values.from).tensors,
  ))
    state.set(name, tensor)
else {
  // The network begins with the mean profile.
  const random = new Random(5)
  const profiles = Array.from({ length: 800 }, () => sampleOf(heads, random)).filter((one) => one.pointsWeight)
  const bias = new Float32Array(OUTPUTS)
  for (const { points } of profiles) for (let i = 0; i < POINTS; i++) bias[i] += points[i] / profiles.length
  state.set('out/bias', { data: bias, shape: [OUTPUTS] })
  const { data, shape } = state.get('out/weight')
  state.set('out/weight', { data: data.map((value) => 0.1 * value), shape })
}
for (const path of paths)
  for (const moment of optimiser.moments)
    state.set(`${path}@${moment}`, {
      data: new Float32Array(params[path].shape.reduce((a, b) => a * b, 1)),
      shape: params[path].shape,
    })

const inputs = {
  x: [BATCH, SIDE, SIDE, 1],
  points: [BATCH, POINTS],
  presence: [BATCH],
  pointsWeight: [BATCH],
  presenceWeight: [BATCH],
}
const step = await engine.compile(
  (tensors, given) => {
    let losses
    const gradients = tf.grads((...all) => {
      losses = lossesOf(Object.fromEntries(paths.map((path, k) => [path, all[k]])), given)
      return tf.add(tf.mul(losses.points, 30), losses.presence)
    })(paths.map((path) => tensors[path]))
    const next = {}
    for (const [k, gradient] of nn.clipGradients(gradients, 5).entries()) {
      const path = paths[k]
      const moments = Object.fromEntries(optimiser.moments.map((name) => [name, tensors[`${path}@${name}`]]))
      const updated = optimiser.update(tensors[path], gradient, moments, given.rate)
      next[path] = updated.param
      for (const name of optimiser.moments) next[`${path}@${name}`] = updated.moments[name]
    }
    return { state: next, outputs: losses }
  },
  { state: shapesOf(state.names), inputs: { ...inputs, rate: [] } },
)
const test = await engine.compile((tensors, given) => ({ outputs: lossesOf(tensors, given) }), {
  state: shapesOf(paths),
  inputs,
})

async function save() {
  const tensors = Object.fromEntries(paths.map((path) => [path, state.get(path)]))
  await writeFile(out.replace(/\.onnx$/, '.safetensors'), engine.encodeSafetensors(tensors))
  const spec = { state: shapesOf(paths), inputs: { x: [2, SIDE, SIDE, 1] } }
  const onnx = engine.exportOnnx((p, { x }) => ({ outputs: { faces: forward(p, x) } }), spec, { state })
  await writeFile(out, nn.halfWeights(onnx))
}

const random = new Random(Number(values.seed))
const heldRandom = new Random(99)
const tests = Array.from({ length: 12 }, () => batchOf(held, heldRandom))
const milliseconds = Number(values.minutes) * 60_000
const began = Date.now()
const sums = { points: 0, presence: 0 }
let batch = batchOf(heads, random)
for (let iteration = 1, share = 0; share < 1; iteration++) {
  share = Math.min(1, (Date.now() - began) / milliseconds)
  const warm = Math.min(1, iteration / 200) * optimiser.rateAt(iteration)
  const rate = warm * (1e-5 + ((Number(values.rate) - 1e-5) * (1 + Math.cos(Math.PI * share))) / 2)
  const running = step.run(state, { ...batch, rate: [rate] })
  batch = batchOf(heads, random)
  const losses = await running
  for (const name of Object.keys(sums)) sums[name] += losses[name].data[0] / 250
  if (iteration % 250 > 0) continue
  const seen = { points: 0, presence: 0 }
  for (const one of tests) {
    const losses = await test.run(state, one)
    for (const name of Object.keys(seen)) seen[name] += losses[name].data[0] / tests.length
  }
  const told = ({ points, presence }) => `points ${points.toFixed(5)}, presence ${presence.toFixed(4)}`
  const seconds = Math.round((Date.now() - began) / 1000)
  console.log(`${seconds} s, iteration ${iteration}: ${told(sums)}; of unseen heads ${told(seen)}`)
  Object.assign(sums, { points: 0, presence: 0 })
  await save()
}
await save()
await step[Symbol.asyncDispose]()
await test[Symbol.asyncDispose]()
