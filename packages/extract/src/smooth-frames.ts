import type { Landmarks } from '@dfl/core'
import { isSameFace } from './detect-faces.js'
import { overlap } from './region.js'
import type { Face } from './types.js'

/** A frame's faces, and whether a new shot begins with it. */
export interface FrameFaces {
  faces: readonly Face[]
  cut: boolean
}

/** Frames before and after that have a say in a frame's landmarks. */
export const SMOOTHING_FRAMES = 6

/**
 * The same frames with the landmarks of each face smoothed over the frames around it.
 *
 * Only the same face within the same shot counts. Works in a window that moves along, so memory does not grow with the
 * clip, and a frame's result depends on nothing but the `SMOOTHING_FRAMES` around it.
 *
 * @param smooth  Landmarks of one face in consecutive frames → the same, smoothed.
 */
export async function* smoothFrames<T extends FrameFaces>(
  frames: AsyncIterable<T>,
  smooth: (track: Landmarks[]) => Landmarks[],
): AsyncGenerator<T> {
  const window: T[] = []
  let middle = 0
  const smoothed = (): T => {
    const frame = window[middle]!
    return { ...frame, faces: frame.faces.map((face) => ({ ...face, landmarks: at(window, middle, face, smooth) })) }
  }
  for await (const frame of frames) {
    window.push(frame)
    if (window.length <= middle + SMOOTHING_FRAMES) continue
    yield smoothed()
    if (middle < SMOOTHING_FRAMES) middle++
    else window.shift()
  }
  for (; middle < window.length; middle++) yield smoothed()
}

/** The smoothed landmarks of the face in `window[middle]`. */
function at(
  window: readonly FrameFaces[],
  middle: number,
  face: Face,
  smooth: (track: Landmarks[]) => Landmarks[],
): Landmarks {
  const track = [face.landmarks]
  let current: Face | undefined = face
  const first = Math.max(0, middle - SMOOTHING_FRAMES)
  for (let t = middle - 1; t >= first && !window[t + 1]!.cut; t--) {
    current = sameFace(current, window[t]!.faces)
    if (!current) break
    track.unshift(current.landmarks)
  }
  const index = track.length - 1
  current = face
  const last = Math.min(window.length - 1, middle + SMOOTHING_FRAMES)
  for (let t = middle + 1; t <= last && !window[t]!.cut; t++) {
    current = sameFace(current, window[t]!.faces)
    if (!current) break
    track.push(current.landmarks)
  }
  return track.length > 1 ? smooth(track)[index]! : face.landmarks
}

/** The face of a neighbouring frame that lies where `face` lies. */
function sameFace(face: Face, others: readonly Face[]): Face | undefined {
  let best: Face | undefined
  for (const other of others)
    if (isSameFace(face, other) && (!best || overlap(face.rect, other.rect) > overlap(face.rect, best.rect)))
      best = other
  return best
}
