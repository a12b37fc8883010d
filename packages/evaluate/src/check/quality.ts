import { median } from '@dfl/core'
import { bitsApart } from './fingerprint.js'
import type { FaceTraits } from './traits.js'

/** How good the faces of one side are. */
export interface Quality {
  faces: number
  /** Median blur, 0 sharp .. 1, and the share of faces much more blurred than that. */
  blur: number
  blurredShare: number
  /** Distance of the outer corners of the eyes in pixels of the frame: 5 %, median, 95 %. */
  eyeDistancePx: readonly [low: number, middle: number, high: number]
  /** Share of faces, 0..1, that look like one of the faces shortly before. */
  duplicateShare: number
  /** Share of faces, 0..1, of which more than a twentieth is burnt out or black. */
  clippedShare: number
  /** Median luma, 0..1. */
  brightness: number
  /** Bits per pixel of the clip, where it is known: below about 0.05 detail is gone. */
  bitsPerPixel?: number
}

const MUCH_MORE_BLUR = 0.15
const ALIKE_BITS = 1
const BEFORE = 40
const CLIPPED = 0.05

/**
 * How good the faces of one side are for training.
 *
 * @param clip The video that they are from: its size in bytes, and how many pixels its frames have in all.
 */
export function qualityOf(faces: readonly FaceTraits[], clip?: { bytes: number; pixels: number }): Quality {
  const blur = median(faces.map((face) => face.blur))
  const eyes = Float64Array.from(faces, (face) => face.eyeDistancePx).sort()
  const at = (q: number) => eyes[Math.min(eyes.length - 1, Math.floor(q * eyes.length))] ?? 0
  const share = (is: (face: FaceTraits, i: number) => boolean) =>
    faces.length === 0 ? 0 : faces.filter(is).length / faces.length
  return {
    faces: faces.length,
    blur,
    blurredShare: share((face) => face.blur > blur + MUCH_MORE_BLUR),
    eyeDistancePx: [at(0.05), at(0.5), at(0.95)],
    duplicateShare: share((face, i) => faces.slice(Math.max(0, i - BEFORE), i).some((other) => isCopy(face, other))),
    clippedShare: share((face) => face.clipped > CLIPPED),
    brightness: median(faces.map((face) => face.light.brightness)),
    ...(clip ? { bitsPerPixel: (8 * clip.bytes) / clip.pixels } : {}),
  }
}

/** The same picture twice: alike, and not moved by as much as breathing moves. */
function isCopy(a: FaceTraits, b: FaceTraits): boolean {
  if (bitsApart(a.fingerprint, b.fingerprint) > ALIKE_BITS) return false
  const still = 0.004 * a.eyeDistancePx
  return [8, 30, 36, 45, 62, 66].every(
    (i) => Math.hypot(a.landmarks[i][0] - b.landmarks[i][0], a.landmarks[i][1] - b.landmarks[i][1]) < still,
  )
}
