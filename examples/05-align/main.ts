import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { estimatePose, eyeOpening, hullMask, imageToFaceMat, jitterPx, mouthOpening, smoothLandmarks } from '@dfl/align'
import { FACE_TYPES, type Landmarks, Random } from '@dfl/core'
import { applyAffineAll, drawPoints, mosaic, toBitmap, warpAffine } from '@dfl/image'
import { openFrames, writeImage } from '@dfl/media'

const examples = join(import.meta.dirname, '..')
const { frames: truth } = JSON.parse(await readFile(join(examples, 'footage/pair1-dst.json'), 'utf8')) as {
  frames: { lm68: Landmarks }[]
}

// [1]
const index = 110
await using clip = await openFrames(join(examples, 'footage/pair1-dst.mp4'), { start: index, end: index + 1 })
for await (const { bitmap } of clip.frames()) {
  const landmarks = truth[index]!.lm68
  const faces = FACE_TYPES.map((faceType) => {
    const frameToFaceMat = imageToFaceMat(landmarks, faceType, 160)
    const face = warpAffine(bitmap, frameToFaceMat, { width: 160, height: 160 }, { interpolation: 'cubic' })
    const points = applyAffineAll(frameToFaceMat, landmarks)
    const mask = hullMask(points, 160)
    for (let i = 0; i < face.data.length; i++) face.data[i]! *= 0.5 + 0.5 * mask.data[Math.floor(i / 3)]!
    drawPoints(face, points, [0.2, 1, 0.2], 1)
    return face
  })
  await writeImage(join(examples, 'out/align.png'), toBitmap(mosaic([faces], { gapPx: 4 })))
  const { yawDegrees, pitchDegrees, rollDegrees } = estimatePose(landmarks)
  console.log(`yaw ${yawDegrees.toFixed(0)}°, pitch ${pitchDegrees.toFixed(0)}°, roll ${rollDegrees.toFixed(0)}°`)
  console.log(`eyes ${eyeOpening(landmarks).toFixed(3)}, mouth ${mouthOpening(landmarks).toFixed(3)}`)
  console.log(`wrote examples/out/align.png: ${FACE_TYPES.join(', ')}`)
}

// [2]
const random = new Random(1)
const noisy = truth.map(({ lm68 }, i) => ({
  timestampSeconds: i / 24,
  landmarks: lm68.map(([x, y]) => [x + 0.7 * random.normal(), y + 0.7 * random.normal()] as const),
}))
const steady = smoothLandmarks(noisy).map((landmarks, i) => ({ ...noisy[i]!, landmarks }))
console.log(
  `noise of a track: ${jitterPx(noisy).toFixed(2)} px before smoothing, ${jitterPx(steady).toFixed(2)} px after`,
)

// [1] One face, cut out as every face type, with its 68 points. The hull of the points is the mask; the rest is dimmed.
// [2] The exact landmarks, with noise added as a detector would make it. Smoothing keeps blinks and words.
