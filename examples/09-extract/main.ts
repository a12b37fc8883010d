import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { blazeFace, debugPicture, detectFaces, dlibEmbedder, extractFaceset, faceLandmarker } from '@dfl/extract'
import { openFaceset } from '@dfl/faceset'
import { openFrames, writeImage } from '@dfl/media'

const examples = join(import.meta.dirname, '..')
const clip = join(examples, 'footage/pair1-dst.mp4')
const folder = join(examples, 'out/dst-faces')
await rm(folder, { recursive: true, force: true })

// [1]
for (const until of [12, 24]) {
  await using frames = await openFrames(clip, { end: 24 })
  for await (const report of extractFaceset(frames, folder, { side: 'dst', faceType: 'full_face' })) {
    const { framesDone, frameCount, framesSkipped, faces } = report
    if (framesDone < until) continue
    console.log(`${framesDone} of ${frameCount} frames, ${framesSkipped} of them done before, ${faces} new faces`)
    break
  }
}

// [2]
const all = await (await openFaceset(folder)).all()
const first = all.find(({ frameIndex }) => frameIndex === 0)!
const { filename, pose, score } = first
console.log(`${all.length} faces; ${filename}: yaw ${pose!.yawDegrees.toFixed(0)}°, certain to ${score.toFixed(2)}`)
await using frames = await openFrames(clip, { end: 1 })
for await (const { bitmap } of frames.frames())
  await writeImage(join(examples, 'out/extract.png'), debugPicture(bitmap, [first]))

// [3]
await using detector = await blazeFace()
await using landmarker = await faceLandmarker()
await using embedder = await dlibEmbedder()
const identities: Float32Array[] = []
for (const [side, start] of [
  ['src', 0],
  ['src', 200],
  ['dst', 0],
] as const) {
  await using one = await openFrames(join(examples, `footage/pair1-${side}.mp4`), { start, end: start + 1 })
  for await (const { bitmap } of one.frames())
    for (const { landmarks } of await detectFaces(bitmap, { detector, landmarker }))
      identities.push(await embedder.embed(bitmap, landmarks))
}
const apart = (i: number, k: number) => Math.hypot(...identities[i]!.map((v, n) => v - identities[k]![n]!)).toFixed(2)
console.log(`src and src are ${apart(0, 1)} apart, src and dst ${apart(0, 2)}`)

// [1] The work happens while you walk. The first round stops after twelve frames, the second one goes on after them.
// [2] The faceset knows of each face where it was, how the head was held, and which frame it came from.
// [3] The parts by themselves. Detector, landmarker and embedder may be your own: any object of the same shape works.
//     Photographs of one person are less than 0.6 apart; rendered heads resemble each other more than people do.
