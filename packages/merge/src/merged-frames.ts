import { setImmediate } from 'node:timers/promises'
import { batches, mapConcurrent } from '@dfl/core'
import type { Frame, FrameChange, FramePart } from '@dfl/media'
import type { ClipFaces } from './faces-of-frames.js'
import { faceOfPart, rectOfFaces } from './frame-part.js'
import type { MergedFaceReport } from './mask-fit.js'
import {
  cutFace,
  type FaceCrop,
  type FaceNotes,
  type FaceToMerge,
  type MergeFace,
  type Swap,
  type Swapper,
} from './merge-face.js'
import type { Paster } from './paster.js'

/** Seconds spent on each step since the start; steps overlap, so that they may add up to more than has passed. */
export interface StageSeconds {
  decode: number
  swap: number
  merge: number
  encode: number
}

/** A decoded frame with what was painted on it. Whoever takes it closes it. */
export interface MergedClipFrame {
  frame: Frame
  /**
   * The part of the frame that holds its faces, their notes and what was done to them; nothing where the frame has no face.
   * Whoever takes the frame disposes of it; its `bitmap` is of no use after that.
   */
  merged?: FrameChange &
    Disposable & {
      notes: FaceNotes[]
      faces: MergedFaceReport[]
      /** The part before; `bitmap` is the same part after. */
      part: FramePart
      /** The faces as the stages left them, in pixels of the part, in the order in which they were laid over it; none where another thread pasted them. */
      layers: MergeFace[]
    }
}

interface Prepared {
  frame: Frame
  /** Nothing where the frame has no face. */
  part?: FramePart
  crops: FaceCrop[]
  swaps: Swap[]
}

/**
 * The frames in their order with the faces swapped.
 *
 * The faces of several frames go to the model at once, and while it works on them the frames before are merged. Only
 * the part of a frame that holds its faces is converted from the decoder's samples; stages see this part as the frame.
 *
 * @param work `past`: the notes of the frame before the first one; rounded, as those of every frame. `seconds`: added to as time is spent.
 */
export async function* mergedFrames(
  frames: AsyncIterable<Frame>,
  work: {
    faces: ClipFaces
    swapper: Swapper
    paster: Paster
    /** Whether nothing is remembered at a frame of what was before: at a cut. */
    isFresh: (frame: number) => boolean
    batchFrames: number
    past: readonly FaceNotes[]
    seconds: StageSeconds
  },
): AsyncGenerator<MergedClipFrame> {
  const { swapper, paster, isFresh, batchFrames, seconds } = work
  const timed = timer(seconds)

  const prepare = async (group: readonly Frame[]): Promise<Prepared[]> => {
    const facesOfGroup = await Promise.all(group.map((frame) => work.faces.of(frame)))
    const prepared: Prepared[] = []
    for (const [i, frame] of group.entries()) {
      const faces = facesOfGroup[i]!
      prepared.push(await timed('decode', () => cutFaces(frame, faces, swapper)))
      // Frames that are pasted meanwhile are passed on between two of them.
      await setImmediate()
    }
    const crops = prepared.flatMap((one) => one.crops.map(({ dst }) => dst))
    if (crops.length === 0) return prepared
    const swaps = await timed('swap', () => swapper.swap(crops))
    let from = 0
    for (const one of prepared) {
      const to = from + one.crops.length
      // The last frame takes all that is left, so that a wrong number of swaps is noticed there.
      one.swaps = swaps.slice(from, one === prepared.at(-1) ? undefined : to)
      from = to
    }
    return prepared
  }

  let past: readonly FaceNotes[] | undefined = work.past
  const pasted = async ({ frame, part, crops, swaps }: Prepared): Promise<MergedClipFrame> => {
    if (isFresh(frame.index)) past = []
    if (!part) return { frame }
    const { x, y, bitmap: before } = part
    const pasting = { bitmap: before, x, y, crops, swaps, ...(past ? { past } : {}) }
    past = undefined
    const made = await paster.paste(frame.index, pasting)
    const { bitmap, faces, layers, notes } = made
    seconds.merge += made.seconds
    const rects = made.rects.map((rect) => ({ ...rect, x: rect.x + x, y: rect.y + y }))
    return {
      frame,
      merged: { bitmap, x, y, rects, notes, faces, part, layers, [Symbol.dispose]: made[Symbol.dispose] },
    }
  }

  const groups = mapConcurrent(batches(clocked(frames, timed), batchFrames), prepare, 2)
  yield* mapConcurrent(oneByOne(groups), pasted, paster.atOnce)
}

/** The items of all groups. */
async function* oneByOne<T>(groups: AsyncIterable<readonly T[]>): AsyncGenerator<T> {
  for await (const group of groups) yield* group
}

/** The part of a frame that holds its faces, and the faces cut out of it. */
function cutFaces(frame: Frame, faces: readonly FaceToMerge[], swapper: Swapper): Prepared {
  if (faces.length === 0) return { frame, crops: [], swaps: [] }
  const part = frame.part(rectOfFaces(faces, swapper, frame), 1, 'own')
  const crops = faces.map((face) => cutFace(part.bitmap, faceOfPart(face, part), swapper))
  return { frame, part, crops, swaps: [] }
}

type Timed = <T>(step: keyof StageSeconds, work: () => T | Promise<T>) => Promise<T>

/** Runs work and adds the time it took to one of the steps. */
export const timer =
  (seconds: StageSeconds): Timed =>
  async (step, work) => {
    const start = performance.now()
    try {
      return await work()
    } finally {
      seconds[step] += (performance.now() - start) / 1000
    }
  }

/** The same items; waiting for them counts as decoding. */
async function* clocked<T>(items: AsyncIterable<T>, timed: Timed): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await timed('decode', () => iterator.next())
      if (next.done) return
      yield next.value
    }
  } finally {
    await iterator.return?.()
  }
}
