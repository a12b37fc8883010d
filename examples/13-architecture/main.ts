import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Random } from '@dfl/core'
import { testArchitecture } from '@dfl/nn/testing'
import { createModel, createPainter, train } from '@dfl/trainer'
import { looks } from './looks.js'

const [R, N] = [32, 2]
const options = { resolution: R, aeDims: 16, eDims: 8, dDims: 8 }

// [1]
for (const { run } of testArchitecture(looks, options)) await run()
console.log('looks keeps the contract')

// [2]
const disc = (colour: readonly number[], random: Random) => {
  const [x, y, radius] = [random.uniform(12, 20), random.uniform(12, 20), random.uniform(6, 10)]
  const mask = Float32Array.from({ length: R * R }, (_, i) =>
    Number(Math.hypot((i % R) - x, Math.floor(i / R) - y) < radius),
  )
  const target = Float32Array.from({ length: R * R * 3 }, (_, i) => (mask[Math.floor(i / 3)] ? colour[i % 3]! : 0.2))
  return { warped: target, target, mask }
}
const side = (colour: readonly number[], random: Random) => {
  const samples = Array.from({ length: N }, () => disc(colour, random))
  const joined = (part: 'warped' | 'target' | 'mask') => Float32Array.from(samples.flatMap((s) => [...s[part]]))
  return { warped: joined('warped'), target: joined('target'), mask: joined('mask') }
}
const [RED, BLUE] = [
  [0.9, 0.3, 0.2],
  [0.2, 0.3, 0.9],
] as const
const folder = await mkdtemp(join(tmpdir(), 'dfl-looks-'))
const model = await createModel(join(folder, 'model'), looks, { options, faceType: 'full_face' })
const phase = { name: 'learn', until: 1, learningRate: [2e-3, 5e-4], randomWarp: true, eyesMouthPrio: 0 } as const
const recipe = { name: 'short', assumes: 'Discs for faces.', warmUpIterations: 20, phases: [phase] }
const batches = async (iteration: number) => {
  const random = new Random(iteration)
  return { src: side(RED, random), dst: side(BLUE, random) }
}
for await (const { iteration, losses } of train(model, batches, { recipe, length: { iterations: 300 }, batchSize: N }))
  if (iteration % 100 === 0) console.log(`${iteration}  src ${losses.src.toFixed(2)}  dst ${losses.dst.toFixed(2)}`)

// [3]
await using painter = await createPainter(model.model, model.state)
const face = { data: disc(BLUE, new Random(9)).target, width: R, height: R, channels: 3 as const }
for (const likeness of [0, 0.5, 1]) {
  const swap = (await painter.paint([face], { likeness }))[0]!.face.src
  const middle = (16 * R + 16) * 3
  console.log(`likeness ${likeness}: red ${swap.data[middle]!.toFixed(2)}, blue ${swap.data[middle + 2]!.toFixed(2)}`)
}
await rm(folder, { recursive: true })

// [1] What every architecture must pass; in a test file, `for (const { name, run } of testArchitecture(…)) it(name, run)`.
// [2] Red discs for SRC, blue ones for DST. Losses, optimiser, checkpoints and preview are the trainer's.
// [3] A control: from the look of DST to that of SRC, without training for it.
