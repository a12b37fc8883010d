import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { estimatePose, hullMask } from '@dfl/align'
import type { Bitmap, Landmarks } from '@dfl/core'
import { compareSheet, type FaceAnalysis, imageError, likeness } from '@dfl/evaluate'
import { dlibEmbedder } from '@dfl/extract'
import { toBitmap, toPixels } from '@dfl/image'
import { openFrames, writeImage } from '@dfl/media'

const examples = join(import.meta.dirname, '..')
await using embedder = await dlibEmbedder()

// [1]
async function analyse(name: string) {
  const path = join(examples, `footage/pair1-${name}`)
  const known = JSON.parse(await readFile(`${path}.json`, 'utf8')) as { frames: { lm68: Landmarks }[] }
  const track: FaceAnalysis[] = []
  const pictures: Bitmap[] = []
  await using clip = await openFrames(`${path}.mp4`, { everyNth: 32 })
  for await (const { index, bitmap } of clip.frames()) {
    const landmarks = known.frames[index]!.lm68
    track.push({ embedding: await embedder.embed(bitmap, landmarks), landmarks, pose: estimatePose(landmarks) })
    pictures.push(bitmap)
  }
  return { track, pictures }
}
const [src, dst, truth] = [await analyse('src'), await analyse('dst'), await analyse('truth')]

// [2]
for (const [name, swap] of Object.entries({ 'no swap at all': dst, 'a perfect swap': truth })) {
  const { identity, nearerToSrc, performance } = likeness({
    swap: swap.track,
    dst: dst.track,
    src: src.track,
    truth: truth.track,
  })
  const follows = Object.entries(performance).map(([part, r]) => `${part} ${r?.toFixed(2)}`)
  console.log(`${name}: identity ${identity.toFixed(2)}, nearer to SRC in ${(100 * nearerToSrc).toFixed()} %`)
  console.log(`  follows DST with a correlation of ${follows.join(', ')}`)
}

// [3]
const [before, perfect] = [dst.pictures[3]!, truth.pictures[3]!]
const inFace = hullMask(truth.track[3]!.landmarks, { width: perfect.width, height: perfect.height })
const { mae, psnr, ssim } = imageError(toPixels(before), toPixels(perfect), inFace)
console.log(
  `DST against the truth, inside the face: MAE ${mae.toFixed(3)}, PSNR ${psnr.toFixed(1)} dB, SSIM ${ssim.toFixed(2)}`,
)
const sheet = compareSheet([[before, perfect]], { cellWidth: 400 })
await writeImage(join(examples, 'out/evaluate.png'), toBitmap(sheet))

// [1] One analysis per frame: who the face looks like, and what it does; `undefined` where there is no face. The exact
//     landmarks of this footage are known; with your own footage, `detectFaces` of @dfl/extract finds them.
// [2] The scale of likeness, seen on its two ends: 0 is as far from SRC as DST is, 1 as near as the true swap.
// [3] The truth is known because these heads are rendered. With real footage there is `likeness` without `truth`.
