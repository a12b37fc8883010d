import { estimatePose, imageToFaceMat } from '@dfl/align'
import type { FaceMeta, Landmarks, Pixels } from '@dfl/core'
import { applyAffineAll, toPixels, warpAffine } from '@dfl/image'
import {
  type Identity,
  landmarksOf,
  lookOf,
  performance,
  proceduralHead,
  renderHead,
  type Scene,
  shapeOf,
  USUAL_RANGE,
  USUAL_SCENE,
} from '@dfl/synth'
import { type FaceTraits, faceTraits } from '../src/index.js'

export const model = proceduralHead(8)

/** What a head of a test does. */
export interface Shot {
  person?: number
  yawDegrees?: number
  pitchDegrees?: number
  weights?: Record<string, number>
  /** Towards the lamp, to the right in the picture above 0. */
  lightRight?: number
  shiftCm?: readonly [number, number]
}

const SIDE = 96

const sceneOf = ({ yawDegrees = 0, pitchDegrees = 0, lightRight = 0, shiftCm = [0, 0] }: Shot): Scene => ({
  ...USUAL_SCENE,
  width: SIDE,
  height: SIDE,
  fovDegrees: 22,
  pose: { yawDegrees, pitchDegrees, rollDegrees: 0 },
  shiftCm,
  light: { ...USUAL_SCENE.light, direction: [lightRight, 0.3, 0.8] },
})

/** A rendered head and its exact landmarks. */
export function head(shot: Shot): { image: Pixels; landmarks: Landmarks } {
  const { person = 0, weights = {} } = shot
  const { image, landmarks } = renderHead(model, shapeOf(model, person, weights), {
    look: lookOf(person),
    scene: sceneOf(shot),
  })
  return { image: toPixels(image), landmarks }
}

/** Its exact landmarks alone, without rendering. */
export const headLandmarks = (shot: Shot): Landmarks =>
  landmarksOf(model, shapeOf(model, shot.person ?? 0, shot.weights ?? {}), sceneOf(shot))

/** The traits of rendered faces, as `dfl check` reads them from a faceset. */
export function traitsOf(shots: readonly Shot[]): FaceTraits[] {
  return shots.map((shot, i) => {
    const { image, landmarks } = head(shot)
    const mat = imageToFaceMat(landmarks, 'full_face', SIDE)
    const face: FaceMeta = {
      filename: `${String(i).padStart(4, '0')}.png`,
      faceType: 'full_face',
      size: SIDE,
      landmarks: applyAffineAll(mat, landmarks),
      sourceFilename: `clip.mp4#${i}`,
      frameIndex: i,
      timestampSeconds: i / 24,
      faceIndex: 0,
      sourceLandmarks: landmarks,
      sourceRect: { x: 0, y: 0, width: SIDE, height: SIDE },
      imageToFaceMat: mat,
      score: 1,
      pose: estimatePose(landmarks),
    }
    return faceTraits(face, warpAffine(image, mat, { width: SIDE, height: SIDE }, { border: 'replicate' }))
  })
}

/** The landmarks of a person in many poses and expressions, without rendering. */
export function landmarkClip(
  person: Identity,
  frames = 40,
  seed = typeof person === 'number' ? 31 + person : 0,
): Landmarks[] {
  const act = performance(seed, USUAL_RANGE)
  return Array.from({ length: frames }, (_, i) => {
    const { weights, pose } = act(i / 3)
    return landmarksOf(model, shapeOf(model, person, weights), sceneOf(pose))
  })
}
