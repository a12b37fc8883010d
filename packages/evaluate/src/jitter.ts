import type { FaceAnalysis, FaceTrack } from './analysis.js'

/** How unsteady a face is, as root mean square of its acceleration in % of the distance between the eyes, per frame². */
export interface Jitter {
  result: number
  dst: number
  /** Of the result's movement relative to DST's: what the swap itself adds, beyond what another person's face would. */
  added: number
  /** Groups of three neighbouring frames that the numbers come from; all are 0 where there is none. */
  samples: number
}

/** Share of DST's own power by which another person's face that does the same moves otherwise. */
const ANOTHER_FACE = 0.5

/**
 * How much a result trembles, and how much of that DST does not do.
 *
 * The second difference of each landmark over three neighbouring frames keeps trembling and drops smooth motion. Another
 * person's landmarks lie elsewhere on the head and move otherwise as it turns, the more so the fewer frames a second
 * there are: half of DST's own square is taken off that of the difference, frame by frame.
 *
 * @param result One analysis per frame.
 * @param dst The same frames of DST.
 */
export function jitter(result: FaceTrack, dst: FaceTrack): Jitter {
  const sums = { result: 0, dst: 0, added: 0 }
  let samples = 0
  for (let t = 1; t + 1 < Math.min(result.length, dst.length); t++) {
    const r = [result[t - 1], result[t], result[t + 1]]
    const d = [dst[t - 1], dst[t], dst[t + 1]]
    if (![...r, ...d].every((face) => face !== undefined)) continue
    const eyes = eyeDistance(d[1]!)
    const points = d[1]!.landmarks.length
    const now = { result: 0, dst: 0, apart: 0 }
    for (let p = 0; p < points; p++) {
      for (const axis of [0, 1] as const) {
        const of = (track: readonly (FaceAnalysis | undefined)[], i: number) => track[i]!.landmarks[p]![axis] / eyes
        const accelerationR = of(r, 0) - 2 * of(r, 1) + of(r, 2)
        const accelerationD = of(d, 0) - 2 * of(d, 1) + of(d, 2)
        now.result += accelerationR ** 2 / points
        now.dst += accelerationD ** 2 / points
        now.apart += (accelerationR - accelerationD) ** 2 / points
      }
    }
    sums.result += now.result
    sums.dst += now.dst
    sums.added += Math.max(0, now.apart - ANOTHER_FACE * now.dst)
    samples++
  }
  const percent = (sum: number) => (samples === 0 ? 0 : 100 * Math.sqrt(sum / samples))
  return { result: percent(sums.result), dst: percent(sums.dst), added: percent(sums.added), samples }
}

/** Distance between the centres of the eyes, in pixels of the frame. */
function eyeDistance({ landmarks }: FaceAnalysis): number {
  const centre = (from: number, axis: 0 | 1) => {
    let sum = 0
    for (let i = from; i < from + 6; i++) sum += landmarks[i]![axis] / 6
    return sum
  }
  return Math.hypot(centre(42, 0) - centre(36, 0), centre(42, 1) - centre(36, 1))
}
