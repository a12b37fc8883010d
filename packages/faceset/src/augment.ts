import type { Affine, Random } from '@dfl/core'
import { multiplyAffine } from '@dfl/image'
import { drawWarp, type Warp } from './random-warp.js'

/** How far a sample may be turned, zoomed and moved: the same for every model, as in DeepFaceLab. */
export const ROTATION_DEGREES = 10
export const ZOOM = 1.15
export const SHIFT = 0.05

/** A change of colour: hue in turns, saturation and value as differences. */
export interface HsvShift {
  hue: number
  saturation: number
  value: number
}

/** Everything that is random about one sample. */
export interface Augmentation {
  /** Pixels of the sample → pixels of the face cropped to the model's face type, both `resolution` a side. */
  sampleToFaceMat: Affine
  /** Moves the samples of `warped`; none: `warped` equals `target`. */
  warp?: Warp
  hsv?: HsvShift
}

export interface AugmentationOptions {
  resolution: number
  randomWarp: boolean
  warpPower: number
  /** Probability of a mirrored sample. */
  flip: number
  hsvPower: number
}

/** Draws the augmentation of one sample. What is drawn does not depend on the options, only what is made of it. */
export function drawAugmentation(random: Random, options: AugmentationOptions): Augmentation {
  const { resolution, randomWarp, warpPower, flip, hsvPower } = options
  const angle = (random.uniform(-ROTATION_DEGREES, ROTATION_DEGREES) * Math.PI) / 180
  const zoom = ZOOM ** random.uniform(-1, 1)
  const shiftX = random.uniform(-SHIFT, SHIFT) * resolution
  const shiftY = random.uniform(-SHIFT, SHIFT) * resolution
  const mirrored = random.chance(flip)
  const warp = drawWarp(random, resolution, warpPower)
  const hsv = {
    hue: random.uniform(-0.5, 0.5) * hsvPower,
    saturation: random.uniform(-0.5, 0.5) * hsvPower,
    value: random.uniform(-0.5, 0.5) * hsvPower,
  }
  const centre = (resolution - 1) / 2
  const cos = Math.cos(angle) / zoom
  const sin = Math.sin(angle) / zoom
  const x = centre + shiftX
  const y = centre + shiftY
  // Move the sample's shifted centre to the origin, turn and zoom there, move it to the face's centre.
  const turned: Affine = [cos, sin, centre - cos * x - sin * y, -sin, cos, centre + sin * x - cos * y]
  const mirror: Affine = [-1, 0, resolution - 1, 0, 1, 0]
  return {
    sampleToFaceMat: mirrored ? multiplyAffine(mirror, turned) : turned,
    ...(randomWarp && warpPower > 0 && { warp }),
    ...(hsvPower > 0 && { hsv }),
  }
}

/** The augmentation that changes nothing. */
export const noAugmentation: Augmentation = { sampleToFaceMat: [1, 0, 0, 0, 1, 0] }

/** How much farther than the sample itself a sample can reach, as a factor on its side. */
export const REACH =
  ZOOM * (1 + 2 * SHIFT) * (Math.cos((ROTATION_DEGREES * Math.PI) / 180) + Math.sin((ROTATION_DEGREES * Math.PI) / 180))
