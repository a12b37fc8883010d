import type { FaceTrack } from '../analysis.js'

/** Delays up to this many frames are looked for, and up to a third of the clip. */
const MOST_FRAMES = 12
/** A delay is believed when it explains the difference so much better than none. */
const MUCH_BETTER = 0.5
/** Landmarks from here on: all but the jaw, which networks place least surely. */
const FIRST = 17

/**
 * By how many frames a swap is late, or early below 0; 0 where it is in time, and where DST moves too little to tell.
 *
 * The delay at which the face, the mean of its landmarks, moves over the picture most like DST's: what is left of their
 * distance without its mean over the clip, for another person's landmarks lie elsewhere.
 *
 * @param swap One analysis per frame, in order of time, none left out.
 * @param dst The same frames.
 */
export function delayFrames(swap: FaceTrack, dst: FaceTrack): number {
  const most = Math.min(MOST_FRAMES, Math.floor(Math.min(swap.length, dst.length) / 3))
  const [swapPlaces, dstPlaces] = [placesOf(swap), placesOf(dst)]
  const inTime = unlikeness(swapPlaces, dstPlaces, 0)
  if (inTime === Number.POSITIVE_INFINITY) return 0
  let best = { delay: 0, unlike: MUCH_BETTER * inTime }
  for (let delay = -most; delay <= most; delay++) {
    const unlike = delay === 0 ? Number.POSITIVE_INFINITY : unlikeness(swapPlaces, dstPlaces, delay)
    if (unlike < best.unlike) best = { delay, unlike }
  }
  // What is still growing more alike at the furthest is another clip, not a late one.
  return Math.abs(best.delay) < most ? best.delay : 0
}

/** Mean square of what is left between a swap's places in the picture and those of DST so many frames before, in px². */
function unlikeness(swap: readonly Place[], dst: readonly Place[], delay: number): number {
  let [n, x, y, squares] = [0, 0, 0, 0]
  swap.forEach((place, t) => {
    const other = dst[t - delay]
    if (!place || !other) return
    const [dx, dy] = [place[0] - other[0], place[1] - other[1]]
    n++
    x += dx
    y += dy
    squares += dx * dx + dy * dy
  })
  return n < 3 ? Number.POSITIVE_INFINITY : squares / n - (x / n) ** 2 - (y / n) ** 2
}

type Place = readonly [x: number, y: number] | undefined

/** Where each face is in its frame. */
const placesOf = (track: FaceTrack): Place[] =>
  track.map((face) => {
    if (!face) return undefined
    const points = face.landmarks.slice(FIRST)
    const mean = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis] / points.length, 0)
    return [mean(0), mean(1)]
  })
