import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { imageToFaceMat } from '@dfl/align'
import { boxBlur } from '@dfl/image'
import { openFrames } from '@dfl/media'
import {
  blur,
  colorTransfer,
  erode,
  type FacesOf,
  type MergeStage,
  mask,
  mergeVideo,
  overlay,
  type Swapper,
} from '@dfl/merge'

const examples = join(import.meta.dirname, '..')
const out = join(examples, 'out/merged.mp4')
await rm(out, { force: true })
const { frames: truth } = JSON.parse(await readFile(join(examples, 'footage/pair1-dst.json'), 'utf8'))

// [1]
const swapper: Swapper = {
  faceType: 'full_face',
  resolution: 128,
  swap: async (crops) => {
    const full = { data: new Float32Array(128 * 128).fill(1), width: 128, height: 128, channels: 1 } as const
    return crops.map((dst) => ({ face: boxBlur(dst, 10), mask: full, dstMask: full }))
  },
}

// [2]
const facesOf: FacesOf = ({ index, name }) => {
  const sourceLandmarks = truth[index].lm68
  const place = { filename: '', sourceFilename: name, frameIndex: index, timestampSeconds: index / 24, faceIndex: 0 }
  const face = { faceType: 'full_face', size: 256, landmarks: [], sourceLandmarks, score: 1 } as const
  const imageToFace = imageToFaceMat(sourceLandmarks, 'full_face', 256)
  return [{ ...place, ...face, sourceRect: { x: 0, y: 0, width: 640, height: 360 }, imageToFaceMat: imageToFace }]
}

// [3]
const thinner: MergeStage = (face) => ({ ...face, mask: { ...face.mask, data: face.mask.data.map((v) => 0.9 * v) } })
const stages = [mask('dst'), erode(6), blur(24), colorTransfer('rct'), thinner, overlay()]

// [4]
const frames = join(examples, 'footage/pair1-dst.mp4')
for await (const { done, frames: count, fps } of mergeVideo({ frames, faces: facesOf, swapper, stages, out }))
  if (done % 48 === 0) console.log(`${done} of ${count} frames, ${fps.toFixed(0)} frames/s`)
await using result = await openFrames(out)
console.log(`examples/out/merged.mp4: ${result.info.frameCount} frames, sound ${result.info.audio[0]?.codec}`)

// [1] A model, as seen from here: crops of faces in, painted faces and masks out. This one makes a face unrecognisable.
// [2] Usually `faces` is the folder of DST's faceset; a function works, too. Here the exact landmarks are known.
// [3] A stage is a function from a face to a changed copy. The one of your own goes anywhere in the chain.
// [4] Only the faces' pixels are encoded anew from RGB; frames without a face and the sound pass through. Kill it and
//     run it again: it goes on after the last finished part.
