// Trains the weights that new models of short trainings begin with (packages/cli/weights/heads.safetensors).
//
//   node scripts/train-start-weights.mjs MANY ONE OUT.safetensors [--minutes 45] [--preset quick] [--from WEIGHTS]
//
// MANY and ONE hold aligned faces of rendered heads, made with `dfl extract` from two folders of pictures with the same
// names: in MANY every picture shows another head, in ONE always the same head with the pose, expression and light of its
// partner. The demo's heads must be in neither. The network sees MANY, warped, and learns to paint ONE: so its encoder keeps
// what a head does and drops whose head it is, which is what SRC's and DST's decoders need to have in common.
// First with the random warp, then almost without it. With --from it learns on from weights that are there already, also from
// those of a network that paints half the resolution: what both have in common is taken. Such folders come from packages/synth: scripts/render-start-heads.mjs.
// Needs built packages: npm run build.
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const load = (name) => import(pathToFileURL(join(root, 'packages', name, 'dist/index.js')))
const [{ createSampler, memoryFaceset, openFaceset }, { df }, trainer, { adaBelief }, engine, { presetNamed }] =
  await Promise.all(['faceset', 'model-df', 'trainer', 'nn', 'engine', 'cli'].map(load))

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '45' },
    preset: { type: 'string', default: 'quick' },
    from: { type: 'string' },
  },
})
const [manyFolder, oneFolder, out] = positionals
if (!out)
  throw new Error(
    'Usage: node scripts/train-start-weights.mjs MANY ONE OUT.safetensors [--minutes 45] [--preset quick] [--from WEIGHTS]',
  )
const preset = presetNamed(values.preset)
const defaults = Object.fromEntries(Object.entries(df.options).map(([name, spec]) => [name, spec.default]))
const both = df.build({ ...defaults, ...preset.architecture })
// The same network with one decoder for whoever is to be painted.
const model = {
  ...both,
  params: Object.fromEntries(Object.entries(both.params).filter(([path]) => !path.startsWith('decoder_dst'))),
  decode: (params, code) => both.decode(params, code, 'src'),
}

/** The faces of both facesets whose pictures have the same name, in the same order. */
async function pairs(manyPath, onePath) {
  const [many, one] = [await openFaceset(manyPath), await openFaceset(onePath)]
  const partners = new Map((await one.all()).map((face) => [face.filename, face]))
  const kept = (await many.all()).filter((face) => partners.has(face.filename))
  const inMemory = async (faceset, metas) => {
    const images = await Promise.all(metas.map((face) => faceset.readImage(face)))
    const masked = metas.filter(({ mask }) => mask)
    const masks = await Promise.all(masked.map(async (face) => [face.mask, await faceset.readMask(face)]))
    return memoryFaceset(metas, images, Object.fromEntries(masks))
  }
  return [
    await inMemory(many, kept),
    await inMemory(
      one,
      kept.map((face) => partners.get(face.filename)),
    ),
  ]
}

const optimiser = adaBelief()
const state = trainer.createTrainState(model, optimiser, 1)
const known = values.from ? engine.decodeSafetensors(await readFile(values.from), values.from).tensors : {}
const fits = Object.entries(model.params).filter(
  ([path, { shape }]) => known[path.replace('decoder_src', 'decoder')]?.shape.join() === shape.join(),
)
for (const [path] of fits) state.set(path, known[path.replace('decoder_src', 'decoder')])
if (values.from) console.log(`${fits.length} of ${Object.keys(model.params).length} parameters are known`)
const stepOf = (rates) =>
  trainer.createTrainStep(model, {
    batchSize: preset.batchSize,
    optimiser,
    randomWarp: true,
    maskedTraining: true,
    eyesMouthPrio: 300,
    rates,
  })
const [src, dst] = await pairs(manyFolder, oneFolder)
console.log(`${src.info.count} pairs`)
const samplerOf = (warpPower) =>
  createSampler({
    src,
    dst,
    paired: true,
    faceType: preset.faceType,
    resolution: model.resolution,
    batchSize: preset.batchSize,
    seed: 3,
    warpPower,
    flipSrc: 0.5,
    hsvPower: 0.1,
    eyesMouth: true,
    // Cutting a face anew costs as much as many samples of it.
    cacheMegabytes: 8192,
  })
/** What the network sees of MANY, and what it must paint: ONE. */
const task = async (sampler, index) => {
  const { src, dst } = await sampler.batch(index)
  return { ...dst, warped: src.warped }
}

const save = (iteration) => {
  const tensors = Object.fromEntries(
    Object.keys(model.params).map((path) => [path.replace('decoder_src', 'decoder'), state.get(path)]),
  )
  const people = 'rendered heads, ICT-FaceKit (MIT)'
  const told = { iterations: String(iteration), faces: String(src.info.count), people }
  return writeFile(out, engine.encodeSafetensors(tensors, told, 'float16'))
}
let iteration = 0
/** One stretch at a random warp, its rate falling. */
const learn = async (sampler, { warpPower, highest, minutes, rates }) => {
  const step = await stepOf(rates)
  const began = Date.now()
  let losses = []
  for (let share = 0; share < 1; share = (Date.now() - began) / (minutes * 60_000)) {
    const rate = Math.min(1, (iteration + 1) / 300) * (2e-5 + ((highest - 2e-5) * (1 + Math.cos(Math.PI * share))) / 2)
    const batch = { src: await task(sampler, 2 * iteration), dst: await task(sampler, 2 * iteration + 1) }
    const loss = await step.run(state, batch, rate, iteration)
    losses.push((loss.src + loss.dst) / 2)
    if (++iteration % 500 > 0) continue
    const mean = losses.reduce((a, b) => a + b) / losses.length
    const seconds = Math.round((Date.now() - began) / 1000)
    console.log(`warp ${warpPower}, ${seconds} s, iteration ${iteration}: ${mean.toFixed(3)}`)
    losses = []
    await save(iteration)
  }
  await step[Symbol.asyncDispose]()
}
const minutes = Number(values.minutes)
const stretches = values.from
  ? [
      // What is new in a network that others' weights fit in part must not spoil them while it knows nothing.
      { warpPower: 0.2, highest: 5e-4, minutes: 0.1 * minutes, rates: { 'encoder/': 0, 'inter/': 0 } },
      { warpPower: 0.2, highest: 4e-4, minutes: 0.9 * minutes },
    ]
  : [
      { warpPower: 1, highest: 5e-4, minutes: 0.4 * minutes },
      { warpPower: 0.2, highest: 5e-4, minutes: 0.6 * minutes },
    ]
// A sampler that is kept need not cut its faces again.
for (const warpPower of new Set(stretches.map((stretch) => stretch.warpPower))) {
  const sampler = await samplerOf(warpPower)
  for (const stretch of stretches.filter((one) => one.warpPower === warpPower)) await learn(sampler, stretch)
  await sampler[Symbol.asyncDispose]()
}
await save(iteration)
