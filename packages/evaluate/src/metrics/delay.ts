import type { FaceAnalysis, FaceTrack } from '../analysis.js'

/** Delays up to this many frames are looked for, and up to a third of the clip. */
const MOST_FRAMES = 12
/** A delay is believed when it explains the difference so much better than none. */
const MUCH_BETTER = 0.25
/** Landmarks before this one are the jaw, which networks place least surely. */
const JAW = 17

/**
 * By how many frames a swap is late, or early below 0; 0 where it is in time, and where DST moves too little to tell.
 *
 * The delay at which the landmarks move most like DST's: what is left of their distance without its mean over the clip,
 * for another person's landmarks lie elsewhere.
 *
 * @param swap One analysis per frame, in order of time, none left out.
 * @param dst The same frames.
 */
export function delayFrames(swap: FaceTrack, dst: FaceTrack): number {
  const most = Math.min(MOST_FRAMES, Math.floor(Math.min(swap.length, dst.length) / 3))
  const inTime = unlikeness(swap, dst, 0)
  if (inTime === Number.POSITIVE_INFINITY) return 0
  let best = { delay: 0, unlike: MUCH_BETTER * inTime }
  for (let delay = -most; delay <= most; delay++) {
    const unlike = delay === 0 ? Number.POSITIVE_INFINITY : unlikeness(swap, dst, delay)
    if (unlike < best.unlike) best = { delay, unlike }
  }
  // What is still growing more alike at the furthest is another clip, not a late one.
  return Math.abs(best.delay) < most ? best.delay : 0
}

/** Mean square of what is left between the landmarks of a swap and those of DST so many frames before, in px². */
function unlikeness(swap: FaceTrack, dst: FaceTrack, delay: number): number {
  const pairs: (readonly [FaceAnalysis, FaceAnalysis])[] = []
  swap.forEach((face, t) => {
    const other = dst[t - delay]
    if (face && other) pairs.push([face, other])
  })
  if (pairs.length < 3) return Number.POSITIVE_INFINITY
  let left = 0
  for (let point = JAW; point < 68; point++)
    for (const axis of [0, 1] as const) {
      let [sum, squares] = [0, 0]
      for (const [face, other] of pairs) {
        const apart = face.landmarks[point]![axis] - other.landmarks[point]![axis]
        sum += apart
        squares += apart * apart
      }
      left += squares / pairs.length - (sum / pairs.length) ** 2
    }
  return left / (68 - JAW)
}
