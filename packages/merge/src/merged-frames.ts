import { batches, mapConcurrent } from '@dfl/core'
import type { Frame } from '@dfl/media'
import type { FacesOf } from './faces-of-frames.js'
import { cutFace, type FaceCrop, type FaceNotes, type MergeStage, type Swap, type Swapper } from './merge-face.js'
import { type MergedFrame, pasteFaces } from './merge-frame.js'

/** Seconds spent on each step since the start; steps overlap, so that they may add up to more than has passed. */
export interface StageSeconds {
  decode: number
  swap: number
  merge: number
  encode: number
}

/** A decoded frame with its merged picture. Whoever takes it closes it. */
export interface MergedClipFrame {
  frame: Frame
  /** Nothing where the frame has no face. */
  merged?: MergedFrame
}

interface Prepared {
  frame: Frame
  crops: FaceCrop[]
  swaps: Swap[]
}

/**
 * The frames in their order with the faces swapped.
 *
 * The faces of several frames go to the model at once, and while it works on them the frames before are merged. Frames
 * without a face are never converted from the decoder's samples.
 *
 * @param work `past`: the notes of the frame before the first one. `seconds`: added to as time is spent.
 */
export async function* mergedFrames(
  frames: AsyncIterable<Frame>,
  work: {
    facesOf: FacesOf
    swapper: Swapper
    stages: readonly MergeStage[]
    batchFrames: number
    past: readonly FaceNotes[]
    seconds: StageSeconds
  },
): AsyncGenerator<MergedClipFrame> {
  const { facesOf, swapper, stages, batchFrames, seconds } = work
  const timed = timer(seconds)

  const prepare = async (group: readonly Frame[]): Promise<Prepared[]> => {
    const prepared = await timed('decode', () =>
      group.map((frame) => {
        const faces = facesOf(frame)
        return { frame, crops: faces.map((face) => cutFace(frame.bitmap, face, swapper)), swaps: [] as Swap[] }
      }),
    )
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

  let past = work.past
  for await (const group of mapConcurrent(batches(clocked(frames, timed), batchFrames), prepare, 2)) {
    for (const { frame, crops, swaps } of group) {
      if (crops.length === 0) {
        yield { frame }
        continue
      }
      const merged = await timed('merge', () => pasteFaces(frame.bitmap, { crops, swaps, stages, past }))
      past = merged.notes
      yield { frame, merged }
    }
  }
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
