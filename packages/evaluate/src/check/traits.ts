import { eyeOpening, fitHead, mouthOpening } from '@dfl/align'
import type { FaceMeta, Landmarks, Raster } from '@dfl/core'
import { resize, rgbToGray, toPixels } from '@dfl/image'
import { blurEffect } from './blur-effect.js'
import { eyeWhite } from './eye-white.js'
import { fingerprintOf } from './fingerprint.js'
import { gazeSide } from './gaze.js'
import { type FaceLight, faceLight } from './light.js'
import type { FacePicture } from './resemblance.js'

/** What decides whether SRC can give DST what it needs, measured on one face. */
export interface FaceTraits {
  filename: string
  sourceFilename: string
  frameIndex: number
  timestampSeconds: number
  /** In pixels of the frame. */
  landmarks: Landmarks
  embedding?: readonly number[]
  person?: string
  /** To its own left, and up. */
  yawDegrees: number
  pitchDegrees: number
  /** As `mouthOpening` and `eyeOpening` of @dfl/align. */
  mouth: number
  eyes: number
  /** Width of the mouth and height of the brows above the eyes, over the distance of the outer corners of the eyes. */
  smile: number
  brows: number
  /** −1..1, to its own left above 0; nothing where the eyes are shut or too small to tell. */
  gaze?: number
  light: FaceLight
  /** Luma of the whites of the eyes, 0..1; nothing where the eyes are shut or too small to tell. */
  eyeWhite?: number
  /** 0 sharp .. 1 blurred, as the face looks at 128 px. */
  blur: number
  /** Distance of the outer corners of the eyes, turned to the front, in pixels of the frame. */
  eyeDistancePx: number
  /** Share of the face that is as bright or as dark as the picture can be, 0..1. */
  clipped: number
  /** Alike for pictures that look alike: 16 hex digits. */
  fingerprint: string
  /** How the face looks, small and gray. */
  picture: FacePicture
}

/** Side at which faces are compared, in pixels. */
const SIDE = 128

/**
 * The traits of one aligned face.
 *
 * @param image Its aligned image, [S, S, 3].
 */
export function faceTraits(face: FaceMeta, image: Raster): FaceTraits {
  const pixels = toPixels(resize(image, { width: SIDE, height: SIDE }))
  const gray = rgbToGray(pixels)
  const scale = SIDE / face.size
  const landmarks = face.landmarks.map(([x, y]) => [(x + 0.5) * scale - 0.5, (y + 0.5) * scale - 0.5] as const)
  const { rotation, scale: eyeDistance } = fitHead(face.sourceLandmarks)
  const along = (axis: 0 | 1, [a, b]: readonly [number, number]) => {
    // The head's axis as seen in the frame, y down; a turned head shortens it.
    const [x, y] = [rotation[axis] * eyeDistance, -rotation[3 + axis] * eyeDistance]
    const square = Math.max(x * x + y * y, (0.3 * eyeDistance) ** 2)
    const [p, q] = [face.sourceLandmarks[a], face.sourceLandmarks[b]]
    return ((q[0] - p[0]) * x + (q[1] - p[1]) * y) / square
  }
  const pose = face.pose ?? { yawDegrees: 0, pitchDegrees: 0, rollDegrees: 0 }
  const light = faceLight(pixels, landmarks)
  const white = eyeWhite(image, face.landmarks)
  return {
    filename: face.filename,
    sourceFilename: face.sourceFilename,
    frameIndex: face.frameIndex,
    timestampSeconds: face.timestampSeconds,
    landmarks: face.sourceLandmarks,
    ...(face.embedding ? { embedding: face.embedding } : {}),
    ...('person' in face && face.person ? { person: face.person as string } : {}),
    yawDegrees: pose.yawDegrees,
    pitchDegrees: pose.pitchDegrees,
    mouth: mouthOpening(face.sourceLandmarks),
    eyes: eyeOpening(face.sourceLandmarks),
    smile: along(0, [48, 54]),
    brows: (along(1, [37, 19]) + along(1, [44, 24])) / 2,
    ...gazeOf(gray, landmarks),
    light: light.light,
    ...(white === undefined ? {} : { eyeWhite: white }),
    blur: blurEffect(gray),
    eyeDistancePx: eyeDistance,
    clipped: light.clipped,
    fingerprint: fingerprintOf(gray),
    picture: { luma: Uint8Array.from(gray.data, (v) => Math.round(255 * v)), side: SIDE, landmarks },
  }
}

function gazeOf(...args: Parameters<typeof gazeSide>): { gaze?: number } {
  const gaze = gazeSide(...args)
  return gaze === undefined ? {} : { gaze }
}
