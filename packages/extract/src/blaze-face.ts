import type { Affine, Point, Raster } from '@dfl/core'
import { loadNetwork, tfjsGraphToOnnx, tfliteToOnnx } from '@dfl/engine/networks'
import { applyAffine, invertAffine } from '@dfl/image'
import type { FrameSamples } from '@dfl/media'
import { mergeDetections } from './merge-detections.js'
import { letterboxMat, networkInput } from './network-input.js'
import { readPackageFile, readPackageModel } from './package-files.js'
import type { Detection, FaceDetector } from './types.js'

/** Which BlazeFace, and how it runs. */
export interface BlazeFaceOptions {
  /**
   * 'back': the whole view at 256 px, faces from 3 % of the frame up, at any roll; the most careful one.
   * 'full-range': 192 px, fewer false finds, misses faces under 5 % of the frame and very large ones.
   */
  variant?: 'back' | 'full-range'
  /** Detections below this are not given back, 0..1. */
  minScore?: number
  /** Threads inside one call. */
  threads?: number
}

/** One variant: how its network is made, its input side, and its grids of anchors (stride in px, anchors per cell). */
const VARIANTS = {
  back: {
    side: 256,
    grids: [
      [16, 2],
      [32, 6],
    ],
    scores: ['Identity', 'Identity_1'],
    boxes: ['Identity_2', 'Identity_3'],
    async onnx() {
      const { model, weights } = await readPackageModel('@vladmandic/human', 'models', 'blazeface')
      return tfjsGraphToOnnx(model, weights)
    },
  },
  'full-range': {
    side: 192,
    grids: [[4, 1]],
    scores: ['Identity_1'],
    boxes: ['Identity'],
    onnx: async () =>
      tfliteToOnnx(await readPackageFile('@mediapipe/face_detection', 'face_detection_full_range_sparse.tflite')),
  },
} as const

/** What the usual variant tells of itself. */
export const BLAZE_FACE = { name: 'blazeface-back', inputPx: VARIANTS.back.side }

/** Numbers per anchor: box centre and size, then six key points. */
const NUMBERS = 16

/**
 * MediaPipe's BlazeFace. Key points: eyes, nose, mouth, ears.
 *
 * Source: Bazarevsky et al. 2019, https://arxiv.org/abs/1907.05047; weights Apache-2.0 out of npm packages.
 */
export async function blazeFace(options: BlazeFaceOptions = {}): Promise<FaceDetector & AsyncDisposable> {
  const { variant = 'back', minScore = 0.5, threads = 1 } = options
  const { side, grids, scores, boxes, onnx } = VARIANTS[variant]
  const network = await loadNetwork(await onnx(), { threads })
  const anchors = grids.map(([stride, perCell]) => anchorCentres(side / stride, perCell, side))

  const look = async (image: Raster | FrameSamples, size: Size): Promise<Detection[]> => {
    const imageToInputMat = letterboxMat(size, side)
    const data = networkInput(image, imageToInputMat, side, 0.5)
    for (let i = 0; i < data.length; i++) data[i] = data[i]! * 2 - 1
    const outputs = await network.run({ [network.inputNames[0]!]: { data, shape: [1, side, side, 3] } })
    const inputToImageMat = invertAffine(imageToInputMat)
    const found: Detection[] = []
    for (let grid = 0; grid < anchors.length; grid++) {
      const logits = outputs[scores[grid]!]!.data as Float32Array
      const numbers = outputs[boxes[grid]!]!.data as Float32Array
      for (let i = 0; i < logits.length; i++) {
        const score = 1 / (1 + Math.exp(-logits[i]!))
        if (score >= minScore)
          found.push(decode(numbers.subarray(i * NUMBERS), anchors[grid]![i]!, inputToImageMat, score))
      }
    }
    return mergeDetections(found)
  }
  return {
    name: `blazeface-${variant}`,
    inputPx: side,
    detect: (image) => look(image, image),
    detectIn: look,
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  }
}

interface Size {
  width: number
  height: number
}

/** One anchor's numbers, in pixels of the network's input, as a detection in pixels of the image. */
function decode(numbers: Float32Array, anchor: Point, inputToImageMat: Affine, score: number): Detection {
  // The network counts from the image's edge, we count from the first pixel's centre.
  const toImage = (x: number, y: number) => applyAffine(inputToImageMat, [anchor[0] + x - 0.5, anchor[1] + y - 0.5])
  const [cx, cy] = toImage(numbers[0]!, numbers[1]!)
  const scale = inputToImageMat[0]
  const width = numbers[2]! * scale
  const height = numbers[3]! * scale
  const keyPoints: Point[] = []
  for (let k = 4; k < NUMBERS; k += 2) keyPoints.push(toImage(numbers[k]!, numbers[k + 1]!))
  return { rect: { x: cx - width / 2, y: cy - height / 2, width, height }, keyPoints, score }
}

/** Centres of a grid's anchors, in pixels of the network's input. */
function anchorCentres(cells: number, perCell: number, side: number): Point[] {
  const out: Point[] = []
  for (let y = 0; y < cells; y++)
    for (let x = 0; x < cells; x++)
      for (let k = 0; k < perCell; k++) out.push([((x + 0.5) / cells) * side, ((y + 0.5) / cells) * side])
  return out
}
