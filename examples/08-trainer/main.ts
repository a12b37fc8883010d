import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pixels } from '@dfl/core'
import { extractFaceset } from '@dfl/extract'
import { createSampler, openFaceset } from '@dfl/faceset'
import { mosaic, toBitmap } from '@dfl/image'
import { openFrames, writeImage } from '@dfl/media'
import { df } from '@dfl/model-df'
import { createModel, createPainter, openModel, previewRows, type Recipe, train } from '@dfl/trainer'

const examples = join(import.meta.dirname, '..')
const out = join(examples, 'out/trainer')
await rm(out, { recursive: true, force: true })

// [1]
const faces = async (side: 'src' | 'dst') => {
  await using clip = await openFrames(join(examples, `footage/pair1-${side}.mp4`), { everyNth: 8, end: 96 })
  for await (const _ of extractFaceset(clip, join(out, side), { side, embedEvery: 0, size: 128 }));
  return openFaceset(join(out, side))
}
const [src, dst] = [await faces('src'), await faces('dst')]
console.log(`${src.info.count} faces of src, ${dst.info.count} of dst`)

// [2]
const options = { resolution: 64, aeDims: 32, eDims: 16, dDims: 12, dMaskDims: 8 }
const model = await createModel(join(out, 'model'), df, { options, faceType: 'full_face', seed: 1 })
await using sampler = await createSampler({ src, dst, faceType: 'full_face', resolution: 64, batchSize: 4 })
const recipe: Recipe = {
  name: 'short',
  assumes: 'An example: too short for a likeness.',
  phases: [{ name: 'learn', until: 1, learningRate: [6e-4, 1e-4], randomWarp: true, eyesMouthPrio: 0 }],
}

// [3]
const batches = (iteration: number) => sampler.batch(iteration)
for await (const { iteration, losses } of train(model, batches, {
  recipe,
  length: { iterations: 1000 },
  batchSize: 4,
})) {
  if (iteration % 20 === 0)
    console.log(`iteration ${iteration}  src ${losses.src.toFixed(2)}  dst ${losses.dst.toFixed(2)}`)
  if (iteration === 60) break
}

// [4]
const again = await openModel(join(out, 'model'), [df])
console.log(`on disk: iteration ${again.progress.iteration}`)
await using painter = await createPainter(again.model, again.state)
const { src: a, dst: b } = await sampler.previewBatch(2)
const face = (data: Float32Array, i: number): Pixels => {
  return { data: data.slice(i * 64 * 64 * 3, (i + 1) * 64 * 64 * 3), width: 64, height: 64, channels: 3 }
}
const mask = (data: Float32Array, i: number): Pixels => {
  return { data: data.slice(i * 64 * 64, (i + 1) * 64 * 64), width: 64, height: 64, channels: 1 }
}
const shown = { src: [0, 1].map((i) => face(a.target, i)), dst: [0, 1].map((i) => face(b.target, i)) }
const masks = { src: [0, 1].map((i) => mask(a.mask, i)), dst: [0, 1].map((i) => mask(b.mask, i)) }
const { plain } = await previewRows(painter, shown, masks)
await writeImage(join(examples, 'out/preview.png'), toBitmap(mosaic(plain, { gapPx: 2 })))
// [1] A few frames of each clip. In earnest a side has hundreds of faces, in all poses and lights that DST needs.
// [2] A recipe is data: phases by their share of the run. The architecture comes in as an argument.
// [3] The caller owns the loop. `break` writes a checkpoint first; so do errors, signals and, every minute, the loop.
// [4] The five columns: src, src→src, dst, dst→dst, dst→src. The last one is the swap.
