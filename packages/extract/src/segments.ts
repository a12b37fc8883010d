import { batches } from '@dfl/core'
import { createCutFinder, type Frame } from '@dfl/media'
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
  /** The frame before the first, if its segment is needed too, and the frame after the last. */
  previous: FrameItem | undefined
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
  let previous: FrameItem | undefined
  const segment = (): FrameSegment => {
    const items = window[middle]!
    const around = window.slice(Math.max(0, middle - reach), middle + reach + 1)
    const needed = around.some((list) => list.some(({ done }) => !done))
    const out = { items, previous, next: window[middle + 1]?.[0], needed }
    previous = needed ? items.at(-1) : undefined
    return out
  }
  for await (const list of batches(items, length)) {
    window.push(list)
    // The frame after a segment belongs to the next one, which must be there.
    if (window.length <= middle + Math.max(1, reach)) continue
    yield segment()
    if (middle < reach) middle++
    else window.shift()
  }
  for (; middle < window.length; middle++) yield segment()
}

/**
 * For each frame of a segment and the one after it, whether a new shot begins there; so it does where nothing is known.
 *
 * @param pictures `still`: photos, which need not be of one clip.
 */
export function cutsOf({ items, previous, next }: FrameSegment, { still = false } = {}): boolean[] {
  const finder = createCutFinder({ still })
  const list = [previous, ...items, next].filter((item) => item !== undefined)
  for (const item of list) finder.add(item.signature())
  // Photos of other sizes show something else, however alike they look.
  const cuts = finder.cuts().map((cut, i) => cut || (i > 0 && !sameSize(list[i]!.frame, list[i - 1]!.frame)))
  return [...(previous ? cuts.slice(1) : cuts), ...(next ? [] : [true])]
}

const sameSize = (a: Frame, b: Frame) => a.width === b.width && a.height === b.height

/** How many frames a segment holds: fewer where frames are large, so that a few segments fit in memory. */
export function segmentLength(frame: { width: number; height: number }, detectEvery: number): number {
  const bytes = frame.width * frame.height * 3
  return Math.max(1, Math.min(detectEvery, Math.max(4, Math.floor(SEGMENT_BYTES / bytes))))
}

const SEGMENT_BYTES = 96e6
