import { smoothLandmarks } from '@dfl/align'
import type { Landmarks } from '@dfl/core'
import { isSameFace } from './detect-faces.js'
import { overlap } from './region.js'
import type { Face } from './types.js'

/** A frame's faces, when it is shown, and whether a new shot begins with it. */
export interface FrameFaces {
  timestampSeconds: number
  faces: readonly Face[]
  cut: boolean
}

/** Frames before and after a segment that have a say in its landmarks, at least. */
export const SMOOTHING_FRAMES = 6

/**
 * The same segments with the landmarks of each face smoothed over time.
 *
 * A segment is smoothed together with `reach` segments before and after it. So memory does not grow with the clip, and
 * the result depends on nothing farther away: a resumed run gives the same.
 */
export async function* smoothSegments<T extends FrameFaces>(
  segments: AsyncIterable<readonly T[]>,
  reach: number,
): AsyncGenerator<T[]> {
  const window: (readonly T[])[] = []
  let middle = 0
  const smoothed = () => {
    const from = window.slice(0, middle).reduce((sum, segment) => sum + segment.length, 0)
    return smoothPart(window.flat(), from, window[middle]!.length)
  }
  for await (const segment of segments) {
    window.push(segment)
    if (window.length <= middle + reach) continue
    yield smoothed()
    if (middle < reach) middle++
    else window.shift()
  }
  for (; middle < window.length; middle++) {
    yield smoothed()
    if (middle >= reach) {
      window.shift()
      middle--
    }
  }
}

/** `count` frames from `from` on, their landmarks smoothed with the help of all `frames`. */
function smoothPart<T extends FrameFaces>(frames: readonly T[], from: number, count: number): T[] {
  const smooth = new Map<Face, Landmarks>()
  const part = frames.slice(from, from + count)
  for (const [i, frame] of part.entries())
    for (const face of frame.faces) {
      if (smooth.has(face)) continue
      const { start, faces } = trackOf(frames, from + i, face)
      const track = faces.map(({ landmarks }, t) => ({
        timestampSeconds: frames[start + t]!.timestampSeconds,
        landmarks,
      }))
      for (const [t, landmarks] of smoothLandmarks(track).entries()) smooth.set(faces[t]!, landmarks)
    }
  return part.map((frame) => ({
    ...frame,
    faces: frame.faces.map((face) => ({ ...face, landmarks: smooth.get(face) ?? face.landmarks })),
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
