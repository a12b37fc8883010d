import type { Color } from './look.js'

/** Everything about a picture but the head in it. */
export interface Scene {
  /** As `FaceMeta.pose`: yaw to the head's own left, pitch up, roll clockwise as seen in the picture. */
  pose: { yawDegrees: number; pitchDegrees: number; rollDegrees: number }
  width: number
  height: number
  /** From the camera to the head; and the height of the picture as an angle. */
  distanceCm: number
  fovDegrees: number
  /** How far the head is from the middle, to the right and up in the picture. */
  shiftCm: readonly [x: number, y: number]
  light: Light
  background: { color: Color; seed: number }
}

/** One lamp and the light from everywhere. */
export interface Light {
  /** Towards the lamp: right and up in the picture, and to the camera. Of any length. */
  direction: readonly [x: number, y: number, z: number]
  /** Light from everywhere, about 0.15..0.7. */
  ambient: number
  /** Factors of red, green and blue. */
  tint: Color
}

/** A head before a camera, as scenes are when nothing else is said. */
export const USUAL_SCENE: Scene = {
  pose: { yawDegrees: 0, pitchDegrees: 0, rollDegrees: 0 },
  width: 640,
  height: 360,
  distanceCm: 75,
  fovDegrees: 24,
  shiftCm: [0, 0],
  light: { direction: [-0.4, 0.6, 0.8], ambient: 0.38, tint: [1, 1, 1] },
  background: { color: [104, 112, 120], seed: 1 },
}
