// Trains the weights that new models of short trainings begin with (packages/cli/weights/heads.safetensors).
//
//   node scripts/train-start-weights.mjs FACESET OUT.safetensors [MINUTES]
//
// FACESET holds aligned faces of many people, made with `dfl extract` from clips of rendered heads; it must not hold those
// of the demo. One encoder, one inter and one decoder learn to reconstruct all of them, warped, mirrored and in changed
// colours. Needs built packages: npm run build.
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const load = (name) => import(pathToFileURL(join(root, 'packages', name, 'dist/index.js')))
const [{ createSampler, openFaceset }, { df }, trainer, { adaBelief }, { encodeSafetensors }, { presetNamed }] =
  await Promise.all(['faceset', 'model-df', 'trainer', 'nn', 'engine', 'cli'].map(load))

const [folder, out, minutes = '15'] = process.argv.slice(2)
if (!folder || !out) throw new Error('Usage: node scripts/train-start-weights.mjs FACESET OUT.safetensors [MINUTES]')
const preset = presetNamed('quick')
const defaults = Object.fromEntries(Object.entries(df.options).map(([name, spec]) => [name, spec.default]))
const both = df.build({ ...defaults, ...preset.architecture })
// The same network with one decoder for whoever is to be painted.
const model = {
  ...both,
  params: Object.fromEntries(Object.entries(both.params).filter(([path]) => !path.startsWith('decoder_dst'))),
  forward: (params, x) => both.forward(params, x, 'src'),
}

const optimiser = adaBelief()
const state = trainer.createTrainState(model, optimiser, 1)
const step = await trainer.createTrainStep(model, {
  batchSize: preset.batchSize,
  optimiser,
  randomWarp: true,
  maskedTraining: true,
  eyesMouthPrio: 0,
})
const faceset = await openFaceset(folder)
const sampler = await createSampler({
  src: faceset,
  dst: faceset,
  faceType: preset.faceType,
  resolution: model.resolution,
  batchSize: preset.batchSize,
  seed: 3,
  flipSrc: 0.5,
  flipDst: 0.5,
  hsvPower: 0.1,
})

const save = (iteration) => {
  const tensors = Object.fromEntries(
    Object.keys(model.params).map((path) => [path.replace('decoder_src', 'decoder'), state.get(path)]),
  )
  const people = 'rendered heads, ICT-FaceKit (MIT)'
  return writeFile(
    out,
    encodeSafetensors(tensors, { iterations: String(iteration), faces: String(faceset.info.count), people }),
  )
}
const began = Date.now()
let iteration = 0
let losses = []
for (let share = 0; share < 1; share = (Date.now() - began) / (Number(minutes) * 60_000)) {
  const rate = Math.min(1, (iteration + 1) / 300) * (5e-5 + (4.5e-4 * (1 + Math.cos(Math.PI * share))) / 2)
  const { src, dst } = await step.run(state, await sampler.batch(iteration++), rate)
  losses.push((src + dst) / 2)
  if (iteration % 500 === 0) {
    console.log(
      `${Math.round((Date.now() - began) / 1000)} s, iteration ${iteration}, loss ${(losses.reduce((a, b) => a + b) / losses.length).toFixed(3)}`,
    )
    losses = []
    await save(iteration)
  }
}
await save(iteration)
await sampler[Symbol.asyncDispose]()
await step[Symbol.asyncDispose]()
