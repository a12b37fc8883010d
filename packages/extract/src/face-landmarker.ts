import { estimatePose } from '@dfl/align'
import type { Point, Raster } from '@dfl/core'
import type { FrameSamples } from '@dfl/media'
import { ATTENTION_MESH, attentionMesh } from './attention-mesh.js'
import { profileLandmarker } from './profile-landmarker.js'
import { mix, mixedRegion, turnOf } from './region.js'
import type { FaceLandmarks, FaceRegion, Landmarker } from './types.js'

/** What it tells of itself. */
export const FACE_LANDMARKER = { name: 'mesh-and-profile', inputPx: ATTENTION_MESH.inputPx }

/** From this yaw on, as the mesh sees it, the network for profiles is asked, too. The mesh sees profiles less turned than they are. */
const ASK_DEGREES = 40

/** From this yaw on, as the network for profiles sees it, its landmarks begin to count; from the second on they alone do. */
const BEGINS_DEGREES = 58
const ALONE_DEGREES = 70

/** Less certain than this, either network has seen no face. */
const SURE = 0.5

/**
 * The built-in landmarker: the attention mesh, and the network for profiles where a head is turned so far that the mesh
 * does not know it, or draws its far half beside it. Between the two its landmarks go over from one to the other, so that
 * nothing jumps while a head turns.
 */
export async function faceLandmarker(options: { threads?: number } = {}): Promise<Landmarker & AsyncDisposable> {
  const mesh = await attentionMesh(options)
  // Footage without profiles does not need it.
  let profile: Promise<Landmarker & AsyncDisposable> | undefined
  const fromSide = async (image: Raster | FrameSamples, region: FaceRegion) => {
    const network = await (profile ??= profileLandmarker(options))
    return lookAt(network, image, region)
  }

  const look = async (image: Raster | FrameSamples, region: FaceRegion): Promise<FaceLandmarks> => {
    const seen = await lookAt(mesh, image, region)
    const isSure = seen.score >= SURE
    if (isSure && turnOf(seen.landmarks) < ASK_DEGREES) return seen
    const side = await fromSide(image, region)
    if (side.score < SURE) return isSure || seen.score > side.score ? seen : side
    return isSure ? goneOver(seen, side, shareAt(Math.abs(estimatePose(side.landmarks).yawDegrees))) : side
  }
  return {
    ...FACE_LANDMARKER,
    landmarks: look,
    landmarksIn: look,
    async [Symbol.asyncDispose]() {
      await mesh[Symbol.asyncDispose]()
      await (await profile)?.[Symbol.asyncDispose]()
    },
  }
}

const lookAt = (network: Landmarker, image: Raster | FrameSamples, region: FaceRegion) =>
  'planes' in image ? network.landmarksIn!(image, region) : network.landmarks(image, region)

/** How much of the landmarks the network for profiles gives at a yaw, 0..1, without a jump in it or in its change. */
function shareAt(yawDegrees: number): number {
  const t = Math.min(1, Math.max(0, (yawDegrees - BEGINS_DEGREES) / (ALONE_DEGREES - BEGINS_DEGREES)))
  return t * t * (3 - 2 * t)
}

/** What both networks see of one face, `share` of it from the second. */
function goneOver(mesh: FaceLandmarks, side: FaceLandmarks, share: number): FaceLandmarks {
  if (share === 0) return mesh
  if (share === 1) return side
  return {
    landmarks: mesh.landmarks.map(([x, y], i): Point => {
      const [sideX, sideY] = side.landmarks[i]!
      return [mix(x, sideX, share), mix(y, sideY, share)]
    }),
    score: mix(mesh.score, side.score, share),
    region: mixedRegion(mesh.region, side.region, share),
  }
}
