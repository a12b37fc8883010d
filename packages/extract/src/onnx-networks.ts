import { readFile } from 'node:fs/promises'
import { type Affine, DflError, type Landmarks, type Point, type Raster } from '@dfl/core'
import { loadNetwork, type Network, type TensorData } from '@dfl/engine/networks'
import { applyAffine, applyAffineAll, invertAffine } from '@dfl/image'
import type { FrameSamples } from '@dfl/media'
import { mergeDetections } from './merge-detections.js'
import { letterboxMat, networkInput } from './network-input.js'
import { imageToRegionMat, regionOfLandmarks } from './region.js'
import type { Detection, FaceDetector, FaceLandmarks, FaceRegion, Landmarker } from './types.js'

/** What an ONNX file expects of a picture. The defaults are RGB from 0 to 1. */
export interface OnnxInput {
  /** What it is called in messages; the file's name if not given. */
  name?: string
  /** Side of the square input in pixels, where the file leaves it free. */
  side?: number
  /** Order of the colours. */
  channels?: 'rgb' | 'bgr'
  /** Values from 0 to 1 become (value - mean) / std. For 0 to 255 std is 1 / 255. */
  mean?: number
  std?: number
  /** Threads inside one call; 1 if not given. */
  threads?: number
}

/** All outputs of a network, by name. */
export type OnnxOutputs = Readonly<Record<string, TensorData>>

/** How a detector's outputs are read. */
export interface OnnxDetectorOptions extends OnnxInput {
  /**
   * The faces in the outputs, overlapping ones too (they are joined), in pixels of the input of `side` pixels; (0, 0) is
   * the centre of its first pixel.
   */
  decode(outputs: OnnxOutputs, side: number): Detection[]
}

/** How a landmarker's outputs are read. */
export interface OnnxLandmarkerOptions extends OnnxInput {
  /** 68 points in iBUG order in pixels of the input, and how certain they are, 0..1; 1 if the network does not say. */
  decode(outputs: OnnxOutputs, side: number): { landmarks: Landmarks; score?: number }
  /** Side of the square that it expects, in sizes of the box of the 68 points; 1.5 if not given. */
  margin?: number
}

/**
 * A detector out of an ONNX file of yours: one picture in, [1, 3, side, side] or [1, side, side, 3] float32. It is shown
 * the whole picture in the middle of the square, the rest gray. Test it with `testDetector` of `@dfl/extract/testing`.
 *
 * @param file  Its path, or its bytes.
 * @throws DflError `NO_SUCH_FILE`, `CORRUPT_FILE`, `BAD_SHAPE` when its input is no such picture.
 */
export async function onnxDetector(
  file: string | Uint8Array,
  options: OnnxDetectorOptions,
): Promise<FaceDetector & AsyncDisposable> {
  const { name, side, run, dispose } = await openOnnx(file, options)
  const look = async (image: Raster | FrameSamples, size: { width: number; height: number }) => {
    const imageToInputMat = letterboxMat(size, side)
    const toImage = invertAffine(imageToInputMat)
    const scale = toImage[0]
    const found = options.decode(await run(image, imageToInputMat, 0.5), side)
    return mergeDetections(
      found.map(({ rect, keyPoints, score }) => {
        const [x, y] = applyAffine(toImage, [rect.x, rect.y])
        return {
          rect: { x, y, width: rect.width * scale, height: rect.height * scale },
          keyPoints: applyAffineAll(toImage, keyPoints),
          score,
        }
      }),
    )
  }
  return { name, inputPx: side, detect: (image) => look(image, image), detectIn: look, [Symbol.asyncDispose]: dispose }
}

/**
 * A landmarker out of an ONNX file of yours: one upright face in, [1, 3, side, side] or [1, side, side, 3] float32. Test
 * it with `testLandmarker` of `@dfl/extract/testing`.
 *
 * @param file  Its path, or its bytes.
 * @throws DflError `NO_SUCH_FILE`, `CORRUPT_FILE`, `BAD_SHAPE` when its input is no such picture, or it gives other than
 *   68 points.
 */
export async function onnxLandmarker(
  file: string | Uint8Array,
  options: OnnxLandmarkerOptions,
): Promise<Landmarker & AsyncDisposable> {
  const { name, side, run, dispose } = await openOnnx(file, options)
  // Regions are 1.5 times as large as the face's box.
  const wider = (options.margin ?? 1.5) / 1.5
  const look = async (image: Raster | FrameSamples, region: FaceRegion): Promise<FaceLandmarks> => {
    const imageToInputMat = imageToRegionMat({ ...region, sizePx: region.sizePx * wider }, side)
    const { landmarks: inInput, score = 1 } = options.decode(await run(image, imageToInputMat, 0), side)
    if (inInput.length !== 68)
      throw new DflError(
        'BAD_SHAPE',
        `Expected 68 points from \`decode\` of ${name}, but got ${inInput.length}. Give the 68 landmarks of iBUG 300-W.`,
      )
    const landmarks: Point[] = applyAffineAll(invertAffine(imageToInputMat), inInput)
    return { landmarks, score, region: regionOfLandmarks(landmarks) }
  }
  return { name, inputPx: side, landmarks: look, landmarksIn: look, [Symbol.asyncDispose]: dispose }
}

/** A file's network with the side of its input, run on a part of an image. */
async function openOnnx(file: string | Uint8Array, options: OnnxInput) {
  const bytes = typeof file === 'string' ? await readOnnx(file) : file
  const name = options.name ?? (typeof file === 'string' ? file : 'an ONNX network')
  const network = await loadNetwork(bytes, { threads: options.threads ?? 1 })
  const { isPlanar, side } = inputOf(network, name, options.side)
  const { channels = 'rgb', mean = 0, std = 1 } = options
  const run = async (image: Raster | FrameSamples, imageToInputMat: Affine, borderValue: number) => {
    const rgb = networkInput(image, imageToInputMat, side, borderValue)
    const data = new Float32Array(rgb.length)
    const count = side * side
    for (let i = 0; i < count; i++)
      for (let c = 0; c < 3; c++) {
        const value = (rgb[3 * i + (channels === 'rgb' ? c : 2 - c)]! - mean) / std
        data[isPlanar ? c * count + i : 3 * i + c] = value
      }
    const shape = isPlanar ? [1, 3, side, side] : [1, side, side, 3]
    return network.run({ [network.inputNames[0]!]: { data, shape } })
  }
  return { name, side, run, dispose: () => network[Symbol.asyncDispose]() }
}

async function readOnnx(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new DflError('NO_SUCH_FILE', `Expected an ONNX file at \`${path}\`, but it cannot be read. Check the path.`, {
      cause,
      data: { path },
    })
  }
}

/** How the one input lies in memory, and its side. */
function inputOf({ inputs, inputNames }: Network, name: string, given: number | undefined) {
  const port = inputs[inputNames[0]!]
  const [n, a, b, c] = port?.shape ?? []
  const isPlanar = a === 3
  const sides = isPlanar ? [b, c] : [a, b]
  const side = sides[0] ?? sides[1] ?? given
  const isPicture = port?.shape.length === 4 && (n === 1 || n === undefined) && (isPlanar || c === 3)
  if (inputNames.length === 1 && isPicture && side !== undefined && sides.every((one) => (one ?? side) === side))
    return { isPlanar, side }
  const got = inputNames.map((input) => `${input} [${inputs[input]!.shape.map((size) => size ?? 'any')}]`).join(', ')
  throw new DflError(
    'BAD_SHAPE',
    `Expected one input of [1, 3, side, side] or [1, side, side, 3] in ${name}, but got ${got}. Export it for one square picture, and give \`side\` where the file leaves it free.`,
  )
}
