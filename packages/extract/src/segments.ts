import { batches } from '@dfl/core'
import type { Frame } from '@dfl/media'
import { isSceneCut } from './scene-cut.js'
import type { Face } from './types.js'

/** One frame on its way through extraction. Everything about it is worked out when first asked for, and once. */
export interface FrameItem {
  frame: Frame
  /** Its faces are in the faceset already. */
  done: boolean
  signature(): Float32Array
  /** What the detector finds in it. */
  detected(): Promise<Face[]>
}

/** Frames in a row that are worked on together. */
export interface FrameSegment {
  items: FrameItem[]
  /** The frame after the last. */
  next: FrameItem | undefined
  /** Whether any of its faces, or those of a neighbour that depends on it, are still wanted. */
  needed: boolean
}

/**
 * Frames cut into segments of `length`, always at the same places of a clip.
 *
 * A segment is needed if a frame of it, or of the `reach` segments before and after it, is not done. The rest is passed
 * through so that its frames can be counted and closed.
 */
export async function* segmentsOf(
  items: AsyncIterable<FrameItem>,
  length: number,
  reach: number,
): AsyncGenerator<FrameSegment> {
  const window: FrameItem[][] = []
  let middle = 0
  const segment = (): FrameSegment => ({
    items: window[middle]!,
    next: window[middle + 1]?.[0],
    needed: window
      .slice(Math.max(0, middle - reach), middle + reach + 1)
      .some((list) => list.some(({ done }) => !done)),
  })
  for await (const list of batches(items, length)) {
    window.push(list)
    if (window.length <= middle + reach) continue
    yield segment()
    if (middle < reach) middle++
    else window.shift()
  }
  for (; middle < window.length; middle++) yield segment()
}

/** For each frame of a segment and the one after it, whether a new shot begins there. The first is never marked. */
export function cutsOf({ items, next }: FrameSegment): boolean[] {
  const all = next ? [...items, next] : items
  const cuts = all.map((item, i) => i > 0 && isSceneCut(all[i - 1]!.signature(), item.signature()))
  return next ? cuts : [...cuts, true]
}

/** How many frames a segment holds: fewer where frames are large, so that a few segments fit in memory. */
export function segmentLength(frame: { width: number; height: number }, detectEvery: number): number {
  const bytes = frame.width * frame.height * 3
  return Math.max(1, Math.min(detectEvery, Math.max(2, Math.floor(SEGMENT_BYTES / bytes))))
}

const SEGMENT_BYTES = 96e6
