import type { Landmarks } from '@dfl/core'
import { fitHead } from './head-fit.js'

/** How a head is held, in degrees: yaw to its own left, pitch up, roll clockwise as seen in the image. */
export interface Pose {
  yawDegrees: number
  pitchDegrees: number
  rollDegrees: number
}

/**
 * How the head is held, from an average head laid under the landmarks.
 *
 * As a distant camera would see it: a head far off the image's centre, or near a wide lens, looks a few degrees turned.
 * The order of turns is yaw first, then pitch, then roll. Chins and noses differ, so pitch can be off by some degrees
 * for one person throughout; yaw and roll are firm.
 *
 * @param landmarks  In pixels of any image with square pixels.
 */
export function estimatePose(landmarks: Landmarks): Pose {
  const { rotation: r } = fitHead(landmarks)
  const degrees = (radians: number) => (radians * 180) / Math.PI
  return {
    yawDegrees: degrees(Math.atan2(-r[6], r[8])),
    pitchDegrees: degrees(-Math.asin(Math.max(-1, Math.min(1, r[7])))),
    rollDegrees: degrees(Math.atan2(r[1], r[4])),
  }
}
