/**
 * Runs DF train steps on the devices `cpu` and `tensorflow` from the same start, in turns, and prints how far the gradients of
 * the first one are apart, the losses, and how long an iteration takes on each:
 *
 *     node scripts/tensorflow-train-step.mjs [resolution] [batch size] [iterations]
 *
 * Each has one thread, so that processor time tells how much work it is, on a busy machine, too. It needs @tensorflow/tfjs-node
 * or tfjs-node-gpu where @dfl/engine finds it; NODE_PATH helps. Build first.
 */
import { Random, resolveOptions } from '../packages/core/dist/index.js'
import { State } from '../packages/engine/dist/index.js'
import { df } from '../packages/model-df/dist/index.js'
import { adaBelief, initialise } from '../packages/nn/dist/index.js'
import { createTrainStep, momentName, resetMoments } from '../packages/trainer/dist/index.js'

const [resolution = 96, batchSize = 4, iterations = 8] = process.argv.slice(2).map(Number)
process.env.TF_NUM_INTRAOP_THREADS ??= '1'
const model = df.build(resolveOptions(df.options, { resolution, aeDims: 128, eDims: 48, dDims: 48, dMaskDims: 16 }))
const options = {
  threads: 1,
  batchSize,
  optimiser: adaBelief(),
  randomWarp: true,
  maskedTraining: true,
  eyesMouthPrio: 0,
}

// Noise under masks that are bands: time does not depend on what pictures show.
const random = new Random(1)
const pixels = batchSize * resolution ** 2
const noise = (length) => Float32Array.from({ length }, () => random.uniform(0, 1))
const side = () => ({
  warped: noise(3 * pixels),
  target: noise(3 * pixels),
  mask: Float32Array.from({ length: pixels }, (_, i) => (Math.sin(i / 700) > -0.5 ? 1 : 0)),
})
const batch = { src: side(), dst: side() }

const sides = []
for (const device of ['cpu', 'tensorflow']) {
  const state = new State(initialise(model.params, 1))
  resetMoments(state, model, options.optimiser)
  sides.push({
    device,
    state,
    step: await createTrainStep(model, { ...options, device }),
    ms: [],
    processor: [],
    losses: [],
  })
}
let apart
for (let i = 0; i < iterations; i++) {
  for (const { step, state, ms, processor, losses } of sides) {
    const [began, used] = [performance.now(), process.cpuUsage()]
    const { src, dst } = await step.run(state, batch, 5e-5, i)
    ms.push(performance.now() - began)
    const { user, system } = process.cpuUsage(used)
    processor.push((user + system) / 1000)
    losses.push(src + dst)
  }
  apart ??= await difference()
}

const median = (values) => values.slice(1).sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)]
console.log(`DF of ${resolution} px, batch ${batchSize}, ${iterations} iterations; medians without the first`)
for (const { device, step, ms, processor, losses } of sides) {
  const all = losses.map((loss) => loss.toFixed(6)).join(' ')
  console.log(
    `${device.padEnd(10)} ${median(ms).toFixed(0)} ms, ${median(processor).toFixed(0)} ms of processor time; ${all}`,
  )
  await step[Symbol.asyncDispose]()
}
console.log(`gradients of the first iteration apart by ${apart.toExponential(1)} of their norm`)

/** How far the first moments are apart: after one iteration from zero, those are the gradients times a number. */
async function difference() {
  const [here, there] = sides.map(({ state }) => state)
  await there.download()
  let [square, norm] = [0, 0]
  for (const path of Object.keys(model.params)) {
    const [wanted, got] = [here, there].map((state) => state.get(momentName('m', path)).data)
    for (let i = 0; i < wanted.length; i++) {
      square += (got[i] - wanted[i]) ** 2
      norm += wanted[i] ** 2
    }
  }
  return Math.sqrt(square / norm)
}
