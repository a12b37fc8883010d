import { jitterPx, smoothLandmarks } from '@dfl/align'
import type { Landmarks } from '@dfl/core'
import { isSameFace } from './detect-faces.js'
import { fillGaps } from './fill-gaps.js'
import { overlap } from './region.js'
import type { Face } from './types.js'

/** A frame's faces, when it is shown, and whether a new shot begins with it. */
export interface FrameFaces {
  timestampSeconds: number
  faces: readonly Face[]
  cut: boolean
}

/** Frames before and after a segment that have a say in its faces, at least. */
export const STEADY_FRAMES = 6

/** What is done to the faces of a clip over time. */
export interface SteadyOptions {
  /** Whether landmarks are smoothed. */
  smooth: boolean
  /** Whether faces that are missing in a few frames are put there. */
  fill: boolean
  /** The largest so many faces of each frame; 0 for all. */
  maxFaces: number
  /** Segments before and after one that have a say in it. */
  reach: number
  /** Hears of every face with neighbours in time by how many pixels of the frame it shakes, before and after. */
  shaken(beforePx: number, afterPx: number): void
}

/**
 * The same segments with gaps of each face filled and its landmarks smoothed over time.
 *
 * A segment is looked at together with `reach` segments before and after it. So memory does not grow with the clip, and
 * the result depends on nothing farther away: a resumed run gives the same.
 */
export async function* steadySegments<T extends FrameFaces>(
  segments: AsyncIterable<readonly T[]>,
  options: SteadyOptions,
): AsyncGenerator<T[]> {
  const { reach } = options
  const window: (readonly T[])[] = []
  let middle = 0
  const steadied = () => {
    const from = window.slice(0, middle).reduce((sum, segment) => sum + segment.length, 0)
    return steadyPart(window.flat(), { from, count: window[middle]!.length }, options)
  }
  for await (const segment of segments) {
    window.push(segment)
    if (window.length <= middle + reach) continue
    yield steadied()
    if (middle < reach) middle++
    else window.shift()
  }
  for (; middle < window.length; middle++) {
    yield steadied()
    if (middle >= reach) {
      window.shift()
      middle--
    }
  }
}

/** `count` frames from `from` on, steadied with the help of all frames. */
function steadyPart<T extends FrameFaces>(
  given: readonly T[],
  { from, count }: { from: number; count: number },
  { smooth, fill, maxFaces, shaken }: SteadyOptions,
): T[] {
  const frames = fill ? fillGaps(given, maxFaces) : given
  const landmarksOf = new Map<Face, Landmarks>()
  const part = frames.slice(from, from + count)
  for (const [i, frame] of part.entries())
    for (const face of frame.faces) {
      if (landmarksOf.has(face)) continue
      const { start, faces } = trackOf(frames, from + i, face)
      const raw = faces.map(({ landmarks }, t) => ({
        timestampSeconds: frames[start + t]!.timestampSeconds,
        landmarks,
      }))
      // One frame more on either side, to tell how much those at the ends shake.
      const wanted = [Math.max(0, from - 1 - start), Math.min(faces.length, from + count + 1 - start)] as const
      const calm = smooth ? smoothLandmarks(raw, { wanted }) : raw.slice(...wanted).map(({ landmarks }) => landmarks)
      for (const [k, landmarks] of calm.entries()) {
        const t = wanted[0] + k
        landmarksOf.set(faces[t]!, landmarks)
        const inPart = start + t >= from && start + t < from + count
        if (!inPart || t === 0 || t + 1 === faces.length) continue
        // Between two looks nothing can shake.
        if (faces.slice(t - 1, t + 2).some(({ halfway }) => halfway)) continue
        const three = raw.slice(t - 1, t + 2)
        const after = three.map((point, n) => ({ ...point, landmarks: calm[k - 1 + n]! }))
        shaken(jitterPx(three), smooth ? jitterPx(after) : jitterPx(three))
      }
    }
  return part.map((frame) => ({
    ...frame,
    faces: frame.faces.map((face) => ({ ...face, landmarks: landmarksOf.get(face) ?? face.landmarks })),
  }))
}

/** The face of `frames[index]` in the frames around it, as far as it is there in every frame of the same shot. */
function trackOf(frames: readonly FrameFaces[], index: number, face: Face): { start: number; faces: Face[] } {
  const faces = [face]
  let start = index
  while (start > 0 && !frames[start]!.cut) {
    const before = sameFace(faces[0]!, frames[start - 1]!.faces)
    if (!before) break
    faces.unshift(before)
    start--
  }
  for (let t = index + 1; t < frames.length && !frames[t]!.cut; t++) {
    const after = sameFace(faces.at(-1)!, frames[t]!.faces)
    if (!after) break
    faces.push(after)
  }
  return { start, faces }
}

/** The face of a neighbouring frame that lies where `face` lies. */
function sameFace(face: Face, others: readonly Face[]): Face | undefined {
  let best: Face | undefined
  for (const other of others)
    if (isSameFace(face, other) && (!best || overlap(face.rect, other.rect) > overlap(face.rect, best.rect)))
      best = other
  return best
}
