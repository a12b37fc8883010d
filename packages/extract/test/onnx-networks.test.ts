import { tfliteToOnnx } from '@dfl/engine'
import { afterAll, describe, expect, it } from 'vitest'
import { type OnnxOutputs, onnxDetector, onnxLandmarker } from '../src/index.js'
import { LANDMARK_POINTS } from '../src/mesh-points.js'
import { readBundledFile, readPackageFile } from '../src/package-files.js'
import { type KnownFace, testDetector, testLandmarker } from '../src/testing.js'
import { framesOf, truthOf } from './footage.js'

// Files as a user has them: the networks out of the packages as ONNX.
const detectorFile = tfliteToOnnx(
  await readPackageFile('@mediapipe/face_detection', 'face_detection_full_range_sparse.tflite'),
)
const landmarkerFile = tfliteToOnnx(
  await readBundledFile(
    '@mediapipe/face_mesh',
    'face_mesh_solution_packed_assets',
    'face_landmark_with_attention.tflite',
  ),
)

/** One anchor in the middle of each cell of 4 pixels; box and key points count from it. */
function decodeFaces({ Identity: boxes, Identity_1: logits }: OnnxOutputs, side: number) {
  return [...(logits!.data as Float32Array)].flatMap((logit, i) => {
    const score = 1 / (1 + Math.exp(-logit))
    if (score < 0.5) return []
    const numbers = boxes!.data.subarray(16 * i, 16 * i + 16) as Float32Array
    const at = (k: number) =>
      [
        ((i % (side / 4)) + 0.5) * 4 + numbers[k]! - 0.5,
        (Math.floor(i / (side / 4)) + 0.5) * 4 + numbers[k + 1]! - 0.5,
      ] as const
    const [cx, cy] = at(0)
    const [width, height] = [numbers[2]!, numbers[3]!]
    return [{ rect: { x: cx - width / 2, y: cy - height / 2, width, height }, keyPoints: [at(4), at(6)], score }]
  })
}
function decodeMesh({ output_mesh_identity: mesh, conv_faceflag: flag }: OnnxOutputs) {
  const at = (i: number) => [(mesh!.data[3 * i] as number) - 0.5, (mesh!.data[3 * i + 1] as number) - 0.5] as const
  return { landmarks: LANDMARK_POINTS.map(at), score: 1 / (1 + Math.exp(-(flag!.data[0] as number))) }
}

const detector = await onnxDetector(detectorFile, { name: 'mine', mean: 0.5, std: 0.5, decode: decodeFaces })
const landmarker = await onnxLandmarker(landmarkerFile, { name: 'my points', decode: decodeMesh })
afterAll(async () => {
  for (const network of [detector, landmarker]) await network[Symbol.asyncDispose]()
})
const [image] = await framesOf('pair1-dst.mp4', 1)
const known: KnownFace = { image: image!, landmarks: truthOf('pair1-dst.json')[0]! }

describe('a detector out of an ONNX file', () => {
  for (const { name, run } of testDetector(detector, () => known)) it(name, run)
})

describe('a landmarker out of an ONNX file', () => {
  for (const { name, run } of testLandmarker(landmarker, () => known)) it(name, run)

  it('is refused where it gives other than 68 points', async () => {
    const few = await onnxLandmarker(landmarkerFile, { decode: () => ({ landmarks: [[1, 2]] }) })
    const looking = few.landmarks(image!, { centre: [300, 150], sizePx: 200, rollRadians: 0 })
    await expect(looking).rejects.toThrow(
      'Expected 68 points from `decode` of an ONNX network, but got 1. Give the 68 landmarks of iBUG 300-W.',
    )
    await few[Symbol.asyncDispose]()
  })
})

describe('a file', () => {
  it('that is not there, or takes no picture, is refused', async () => {
    await expect(onnxDetector('/nowhere.onnx', { decode: () => [] })).rejects.toThrow(
      'Expected an ONNX file at `/nowhere.onnx`, but it cannot be read. Check the path.',
    )
    await expect(onnxDetector(Uint8Array.of(1, 2, 3), { decode: () => [] })).rejects.toThrow('Expected an ONNX network')
  })
})
