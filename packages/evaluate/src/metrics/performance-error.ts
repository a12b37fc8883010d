import { eyeOpening, mouthOpening } from '@dfl/align'
import type { FaceTrack } from '../analysis.js'
import { delayFrames } from './delay.js'

/** How far a swap's performance is from DST's; means over the frames. */
export interface PerformanceError {
  /** Degrees: mean of yaw, pitch and roll. */
  poseDegrees: number
  /** Difference of the openings of mouth and eyes, in % of the distance of the outer corners of the eyes. */
  mouth: number
  eyes: number
  /** Mean distance of the landmarks within the face, in % of the distance of the eyes (NME). */
  landmarks: number
  /** Frames by which the swap is late, or early below 0; see `delayFrames`. */
  delayFrames: number
  frames: number
}

/**
 * How far a swap's performance is from DST's, frame by frame. The landmarks of another person's face lie elsewhere, so
 * their error is not 0 for a perfect swap: compare it with that of the truth, where it is known.
 *
 * Source: NME as in Sagonas et al. 2016, https://doi.org/10.1016/j.imavis.2016.01.002
 */
export function performanceError(swap: FaceTrack, dst: FaceTrack): PerformanceError {
  const sums = { poseDegrees: 0, mouth: 0, eyes: 0, landmarks: 0 }
  let frames = 0
  for (let t = 0; t < Math.min(swap.length, dst.length); t++) {
    const [a, b] = [swap[t], dst[t]]
    if (!a || !b) continue
    frames++
    sums.poseDegrees +=
      (Math.abs(a.pose.yawDegrees - b.pose.yawDegrees) +
        Math.abs(a.pose.pitchDegrees - b.pose.pitchDegrees) +
        Math.abs(a.pose.rollDegrees - b.pose.rollDegrees)) /
      3
    sums.mouth += 100 * Math.abs(mouthOpening(a.landmarks) - mouthOpening(b.landmarks))
    sums.eyes += 100 * Math.abs(eyeOpening(a.landmarks) - eyeOpening(b.landmarks))
    const eyes = Math.hypot(b.landmarks[45][0] - b.landmarks[36][0], b.landmarks[45][1] - b.landmarks[36][1])
    let off = 0
    for (let i = 17; i < 68; i++)
      off += Math.hypot(a.landmarks[i][0] - b.landmarks[i][0], a.landmarks[i][1] - b.landmarks[i][1]) / 51
    sums.landmarks += (100 * off) / Math.max(1, eyes)
  }
  const mean = (sum: number) => (frames === 0 ? Number.NaN : sum / frames)
  return {
    poseDegrees: mean(sums.poseDegrees),
    mouth: mean(sums.mouth),
    eyes: mean(sums.eyes),
    landmarks: mean(sums.landmarks),
    delayFrames: delayFrames(swap, dst),
    frames,
  }
}
