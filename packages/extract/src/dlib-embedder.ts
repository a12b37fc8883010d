import type { Affine, Landmarks, Point, Raster } from '@dfl/core'
import { faceApiRecognitionToOnnx, loadNetwork, type WeightGroup } from '@dfl/engine/networks'
import type { FrameSamples } from '@dfl/media'
import { networkInput } from './network-input.js'
import { readPackageJson, readWeightFiles } from './package-files.js'
import type { Embedder } from './types.js'

/** Side of the network's input. */
const SIDE = 150

/** What it tells of itself. */
export const DLIB_EMBEDDER = { name: 'dlib-resnet-29', inputPx: SIDE }

/** How far up the face is moved, as a part of the side; measured to separate people best. */
const LIFT = 0.145

/** Eyes, nose tip and mouth corners in a 112 px square. Source: Deng et al. 2019, ArcFace, https://arxiv.org/abs/1801.07698 */
const TEMPLATE_112: readonly Point[] = [
  [38.2946, 51.6963],
  [73.5318, 51.5014],
  [56.0252, 71.7366],
  [41.5493, 92.3655],
  [70.7299, 92.2041],
]

const TEMPLATE: readonly Point[] = TEMPLATE_112.map(([x, y]) => [(x * SIDE) / 112, (y * SIDE) / 112 - LIFT * SIDE])

/** Two faces whose embeddings lie closer than this (Euclidean) are of one person. */
export const SAME_PERSON_DISTANCE = 0.6

/**
 * dlib's face recognition network: 128 numbers; those of one person lie less than `SAME_PERSON_DISTANCE` apart.
 *
 * Source: D. King, dlib_face_recognition_resnet_model_v1 (CC0), out of @vladmandic/face-api.
 */
export async function dlibEmbedder(options: { threads?: number } = {}): Promise<Embedder & AsyncDisposable> {
  const packageName = '@vladmandic/face-api'
  const manifest = await readPackageJson<WeightGroup[]>(
    packageName,
    'model/face_recognition_model-weights_manifest.json',
  )
  const weights = await readWeightFiles(packageName, 'model', manifest)
  const network = await loadNetwork(faceApiRecognitionToOnnx(weights, manifest), { threads: options.threads ?? 1 })

  const look = async (image: Raster | FrameSamples, landmarks: Landmarks): Promise<Float32Array> => {
    const mat = similarityMat(fivePoints(landmarks), TEMPLATE)
    const data = networkInput(image, mat, SIDE)
    for (let i = 0; i < data.length; i++) data[i]! *= 255
    const { embedding } = await network.run({ input: { data, shape: [1, SIDE, SIDE, 3] } })
    return Float32Array.from(embedding!.data as Float32Array)
  }
  return {
    ...DLIB_EMBEDDER,
    embed: look,
    embedIn: look,
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  }
}

/** Centres of the eyes, nose tip, corners of the mouth. */
function fivePoints(landmarks: Landmarks): Point[] {
  const mean = (from: number, to: number): Point => {
    const part = landmarks.slice(from, to)
    return [part.reduce((sum, p) => sum + p[0], 0) / part.length, part.reduce((sum, p) => sum + p[1], 0) / part.length]
  }
  return [mean(36, 42), mean(42, 48), landmarks[30]!, landmarks[48]!, landmarks[54]!]
}

/** The turn, scale and shift that takes points closest to others. Source: Umeyama 1991, https://doi.org/10.1109/34.88573 */
function similarityMat(from: readonly Point[], to: readonly Point[]): Affine {
  const n = from.length
  const mean = (points: readonly Point[], axis: 0 | 1) => points.reduce((sum, p) => sum + p[axis], 0) / n
  const [fx, fy, tx, ty] = [mean(from, 0), mean(from, 1), mean(to, 0), mean(to, 1)]
  let along = 0
  let across = 0
  let spread = 0
  for (let i = 0; i < n; i++) {
    const [x, y] = [from[i]![0] - fx, from[i]![1] - fy]
    const [u, v] = [to[i]![0] - tx, to[i]![1] - ty]
    along += x * u + y * v
    across += x * v - y * u
    spread += x * x + y * y
  }
  const c = along / Math.max(spread, 1e-12)
  const s = across / Math.max(spread, 1e-12)
  return [c, -s, tx - c * fx + s * fy, s, c, ty - s * fx - c * fy]
}
