import type { Point, Raster } from '@dfl/core'
import { loadNetwork, tfliteToOnnx } from '@dfl/engine/networks'
import { applyAffineAll, convexHull, invertAffine } from '@dfl/image'
import type { FrameSamples } from '@dfl/media'
import { ALL_POINTS, LANDMARK_POINTS, MESH_POINTS, OUTER_EYE_CORNERS, REFINED_POINTS } from './mesh-points.js'
import { networkInput } from './network-input.js'
import { readBundledFile } from './package-files.js'
import { imageToRegionMat, regionOfPoints } from './region.js'
import type { FaceLandmarks, FaceRegion, Landmarker } from './types.js'

/** Side of the network's input. */
const SIDE = 192

/** What it tells of itself. */
export const ATTENTION_MESH = { name: 'attention-mesh', inputPx: SIDE }

/**
 * MediaPipe's face mesh with attention to eyes and lips: 478 points, irises included, and the 68 landmarks among them.
 *
 * Source: Grishchenko et al. 2020, https://arxiv.org/abs/2006.10962; weights Apache-2.0 out of @mediapipe/face_mesh.
 */
export async function attentionMesh(options: { threads?: number } = {}): Promise<Landmarker & AsyncDisposable> {
  const file = await readBundledFile(
    '@mediapipe/face_mesh',
    'face_mesh_solution_packed_assets',
    'face_landmark_with_attention.tflite',
  )
  const network = await loadNetwork(tfliteToOnnx(file), { threads: options.threads ?? 1 })

  const look = async (image: Raster | FrameSamples, region: FaceRegion): Promise<FaceLandmarks> => {
    const imageToInputMat = imageToRegionMat(region, SIDE)
    const data = networkInput(image, imageToInputMat, SIDE)
    const outputs = await network.run({ [network.inputNames[0]!]: { data, shape: [1, SIDE, SIDE, 3] } })
    const inInput = meshPoints((name) => outputs[name]!.data as Float32Array)
    const points = applyAffineAll(invertAffine(imageToInputMat), inInput)
    const logit = outputs.conv_faceflag!.data[0] as number
    return {
      landmarks: LANDMARK_POINTS.map((i) => points[i]!),
      points,
      outline: convexHull(points.slice(0, MESH_POINTS)),
      score: 1 / (1 + Math.exp(-logit)),
      region: regionOfPoints(points.slice(0, MESH_POINTS), [
        points[OUTER_EYE_CORNERS[0]]!,
        points[OUTER_EYE_CORNERS[1]]!,
      ]),
    }
  }
  return {
    ...ATTENTION_MESH,
    landmarks: look,
    landmarksIn: look,
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  }
}

/** All points in pixels of the network's input: the whole mesh, then the refined parts over it. */
function meshPoints(output: (name: string) => Float32Array): Point[] {
  const points: Point[] = new Array(ALL_POINTS)
  // The network counts from the image's edge, we count from the first pixel's centre.
  const mesh = output('output_mesh_identity') // [468 · 3]
  for (let i = 0; i < MESH_POINTS; i++) points[i] = [mesh[3 * i]! - 0.5, mesh[3 * i + 1]! - 0.5]
  for (const [name, indices] of Object.entries(REFINED_POINTS)) {
    const values = output(name) // [n · 2]
    for (const [k, i] of indices.entries()) points[i] = [values[2 * k]! - 0.5, values[2 * k + 1]! - 0.5]
  }
  return points
}
