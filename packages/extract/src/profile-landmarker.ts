import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { MIRRORED_68 } from '@dfl/align'
import type { Point, Raster } from '@dfl/core'
import { loadNetwork } from '@dfl/engine/networks'
import { applyAffineAll, invertAffine } from '@dfl/image'
import type { FrameSamples } from '@dfl/media'
import { networkInput } from './network-input.js'
import { imageToRegionMat, regionOfProfile, turnOf } from './region.js'
import type { FaceLandmarks, FaceRegion, Landmarker } from './types.js'

/** Side of the input of the network for profiles, in pixels. */
export const PROFILE_SIDE = 80
const SIDE = PROFILE_SIDE

/** The region is drawn so many times larger and then halved, so that nothing fine becomes something coarse. */
const FINER = 2

/** Added to a region's own variation: what is as good as even stays even. */
const EVEN = 0.02

/**
 * Taken off the logit of presence: rendered heads are clearer than recorded ones, and so are pictures without any. Of 51
 * recorded faces that it was asked about 95 % have a logit above 2.3.
 */
const DOUBT = 1

/** Its outputs: x and y of 68 landmarks, from the square's middle in parts of its side, and the logit of presence. */
const PRESENCE = 136
const OUTPUTS = 137

/** How the regions of the second and third look differ from the one that the first gives. */
const VARIED = [
  { size: 0.95, rollRadians: 0.05 },
  { size: 1.05, rollRadians: -0.05 },
] as const

/** So far a head must be turned for that. */
const VARIED_FROM_DEGREES = 50

const WEIGHTS = new URL('../weights/profile.onnx', import.meta.url)

/**
 * Landmarks of faces seen from the side, those of the hidden half where they are behind the head; and whether there is
 * such a face, which it says of heads that are turned by some 55 to 105 degrees to either side.
 *
 * The network knows faces that look to the right in the picture; it is shown the region and its mirror image, and what it
 * is surer of counts. Made by `scripts/train-profile-weights.mjs` from rendered heads.
 */
export async function profileLandmarker(options: { threads?: number } = {}): Promise<Landmarker & AsyncDisposable> {
  const network = await loadNetwork(await readFile(fileURLToPath(WEIGHTS)), { threads: options.threads ?? 1 })

  /** What it sees in two squares, in parts of their sides. */
  const lookAt = async (squares: readonly [Float32Array, Float32Array]): Promise<[Float32Array, Float32Array]> => {
    const data = new Float32Array(2 * SIDE * SIDE)
    data.set(squares[0])
    data.set(squares[1], SIDE * SIDE)
    const { faces } = await network.run({ [network.inputNames[0]!]: { data, shape: [2, SIDE, SIDE, 1] } })
    const values = faces!.data as Float32Array // [2, OUTPUTS]
    return [values.subarray(0, OUTPUTS), values.subarray(OUTPUTS)]
  }

  const look = async (image: Raster | FrameSamples, region: FaceRegion): Promise<FaceLandmarks> => {
    const square = squareOf(image, region)
    const [asIs, mirrored] = await lookAt([square, mirrorImage(square)])
    const isMirrored = mirrored[PRESENCE]! > asIs[PRESENCE]!
    const first = faceOf(isMirrored ? mirrored : asIs, region, isMirrored)
    if (first.score < 0.5 || turnOf(first.landmarks) < VARIED_FROM_DEGREES) return first
    // Two more looks, whose mean trembles less than one.
    const regions = VARIED.map(({ size, rollRadians }) => ({
      ...first.region,
      sizePx: first.region.sizePx * size,
      rollRadians: first.region.rollRadians + (isMirrored ? -rollRadians : rollRadians),
    })) as [FaceRegion, FaceRegion]
    const again = regions.map((one) => squareOf(image, one)).map((one) => (isMirrored ? mirrorImage(one) : one))
    const seen = await lookAt(again as [Float32Array, Float32Array])
    const [a, b] = seen.map((values, i) => faceOf(values, regions[i]!, isMirrored)) as [FaceLandmarks, FaceLandmarks]
    const landmarks = a.landmarks.map(
      ([x, y], i): Point => [(x + b.landmarks[i]![0]) / 2, (y + b.landmarks[i]![1]) / 2],
    )
    return { landmarks, score: (a.score + b.score) / 2, region: regionOfProfile(landmarks) }
  }
  return {
    name: 'profile',
    inputPx: SIDE * FINER,
    landmarks: look,
    landmarksIn: look,
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  }
}

/** A region as the network takes it. */
function squareOf(image: Raster | FrameSamples, region: FaceRegion): Float32Array {
  const fine = SIDE * FINER
  return profileInput(grayOf(networkInput(image, imageToRegionMat(region, fine), fine)))
}

function mirrorImage(square: Float32Array): Float32Array {
  return square.map((_, i) => square[i + SIDE - 1 - 2 * (i % SIDE)]!)
}

/** What the network says of a region, or of its mirror image. */
function faceOf(values: Float32Array, region: FaceRegion, isMirrored: boolean): FaceLandmarks {
  const middle = (SIDE - 1) / 2
  const inSquare = MIRRORED_68.map((mirrored, i): Point => {
    const k = 2 * (isMirrored ? mirrored : i)
    const x = values[k]! * SIDE
    return [middle + (isMirrored ? -x : x), middle + values[k + 1]! * SIDE]
  })
  const landmarks = applyAffineAll(invertAffine(imageToRegionMat(region, SIDE)), inSquare)
  return { landmarks, score: 1 / (1 + Math.exp(DOUBT - values[PRESENCE]!)), region: regionOfProfile(landmarks) }
}

/** Luma of every two by two pixels. */
function grayOf(rgb: Float32Array): Float32Array {
  const out = new Float32Array(SIDE * SIDE)
  const row = 3 * SIDE * FINER
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) {
      let sum = 0
      for (const at of [2 * y * row + 6 * x, (2 * y + 1) * row + 6 * x])
        for (let k = at; k < at + 6; k += 3) sum += 0.299 * rgb[k]! + 0.587 * rgb[k + 1]! + 0.114 * rgb[k + 2]!
      out[y * SIDE + x] = sum / 4
    }
  return out
}

/**
 * Gray values as the network for profiles takes them: their mean is 0 and their standard deviation about 1, so that light
 * and exposure do not matter. The array is new.
 */
export function profileInput(gray: Float32Array): Float32Array {
  let mean = 0
  for (const value of gray) mean += value / gray.length
  let variance = 0
  for (const value of gray) variance += (value - mean) ** 2 / gray.length
  const scale = 1 / (Math.sqrt(variance) + EVEN)
  return gray.map((value) => (value - mean) * scale)
}
