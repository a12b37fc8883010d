import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { estimatePose, imageToFaceMat } from '@dfl/align'
import type { Landmarks, Pixels } from '@dfl/core'
import { createFaceset, createSampler, openFaceset } from '@dfl/faceset'
import { applyAffineAll, mosaic, toBitmap, warpAffine } from '@dfl/image'
import { openFrames, writeImage } from '@dfl/media'

const examples = join(import.meta.dirname, '..')
const folder = join(examples, 'out/faceset')
await rm(folder, { recursive: true, force: true })
const truth = JSON.parse(await readFile(join(examples, 'footage/pair1-src.json'), 'utf8'))

// [1]
await using writer = await createFaceset(folder, { faceType: 'whole_face', size: 256 })
await using clip = await openFrames(join(examples, 'footage/pair1-src.mp4'), { everyNth: 12 })
for await (const { index, name, timestampSeconds, bitmap } of clip.frames()) {
  const sourceLandmarks: Landmarks = truth.frames[index].lm68
  const mat = imageToFaceMat(sourceLandmarks, 'whole_face', 256)
  const image = warpAffine(bitmap, mat, { width: 256, height: 256 }, { interpolation: 'cubic' })
  const place = { sourceFilename: name, frameIndex: index, timestampSeconds, faceIndex: 0, sourceLandmarks }
  const sourceRect = { x: 0, y: 0, width: bitmap.width, height: bitmap.height }
  const face = { filename: `${index}.png`, faceType: 'whole_face', size: 256, score: 1, imageToFaceMat: mat } as const
  const pose = estimatePose(sourceLandmarks)
  await writer.add({ ...face, ...place, sourceRect, landmarks: applyAffineAll(mat, sourceLandmarks), pose }, image)
  await writer.frameDone('pair1-src.mp4', index)
}
await writer.flush()

// [2]
const faceset = await openFaceset(folder)
console.log(faceset.info)
for await (const { filename, pose } of faceset.faces()) {
  console.log(`${filename}: yaw ${pose?.yawDegrees.toFixed(0)}°`)
  if (filename === '24.png') break
}

// [3]
const wanted = { src: faceset, dst: faceset, faceType: 'full_face', resolution: 96, batchSize: 6, seed: 1 } as const
await using sampler = await createSampler(wanted)
const { src } = await sampler.batch(1000)
const picture = (data: Float32Array, i: number): Pixels => {
  const values = data.slice(i * 96 * 96 * 3, (i + 1) * 96 * 96 * 3)
  return { data: values, width: 96, height: 96, channels: 3 }
}
const rows = [src.warped, src.target].map((data) => Array.from({ length: 6 }, (_, i) => picture(data, i)))
await writeImage(join(examples, 'out/samples.png'), toBitmap(mosaic(rows, { gapPx: 2 })))
console.log('wrote examples/out/samples.png: what a model sees, and what it must paint')

// [1] A face is an image and what is known of it. A line is written after its image is safe on disk, so a kill at any
//     moment costs at most the last second; `writer.done(source)` tells what need not be done again.
// [2] Faces come one at a time: 100,000 of them need no more memory than one.
// [3] The model may be tighter than the faceset: whole_face images serve a full_face model. The batch of step 1000 is the
//     same whenever, and after whatever, it is asked for.
