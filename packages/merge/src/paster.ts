import { availableParallelism } from 'node:os'
import { arrayKind, memoryPool, type Pixels, type Raster } from '@dfl/core'
import { builtThread, startThread } from '@dfl/core/threads'
import type { FaceNotes, MergeStage, Swap } from './merge-face.js'
import type { MergeOptions } from './merge-options.js'
import { type PastedPart, type PasteJobs, type PasteWork, pasteInOrder } from './paste-jobs.js'
import { roomFor, sharedRooms } from './shared-room.js'

/** A frame with its faces. Disposed of, its `bitmap` is of no use any more. */
export type PastedFrame = PastedPart & Disposable

/** Pastes swaps into the frames of a clip, one frame after the other. */
export interface Paster extends AsyncDisposable {
  /** How many frames to ask for at once, so that no thread waits. */
  readonly atOnce: number
  /**
   * Frames are asked for in their order; the next may be before the last is done.
   *
   * @returns The part with its faces, and their notes in pixels of the frame; without layers where another thread pasted them.
   */
  paste(frame: number, work: PasteWork): Promise<PastedFrame>
}

/** Pastes in this thread, by any stages. */
export function pasterHere(stagesOf: (frame: number) => readonly MergeStage[]): Paster {
  const pasted = pasteInOrder()
  return {
    atOnce: 2,
    async paste(frame, work) {
      return { ...(await pasted(work, stagesOf(frame))), [Symbol.dispose]() {} }
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** Threads that paste, where nothing else is asked for: the network, decoders and encoders have cores of their own then. */
const threadsHere = () => Math.min(4, Math.max(1, Math.floor(availableParallelism() / 2)))

/**
 * Pastes by the usual stages in threads, so that decoding, the model and the encoder go on meanwhile; nothing where there is
 * one processor only, or no file of a thread: from TypeScript sources.
 *
 * Frames go to the threads in turn. What a frame averages over time comes from the frame before: the next begins when that is
 * known, and the face is laid over meanwhile.
 */
export function pasterInThreads(
  optionsOf: (frame: number) => MergeOptions,
  { threads: count = threadsHere() }: { threads?: number | undefined } = {},
): Paster | undefined {
  const url = builtThread(new URL('./paste-thread.js', import.meta.url))
  if (!url || availableParallelism() === 1) return undefined
  const settings = { name: 'dfl-paste', advice: 'Merge again: it goes on from here.' }
  const threads = Array.from({ length: count }, () => startThread<PasteJobs>(url, settings))
  const roomOf = sharedRooms()
  const kept = memoryPool((bytes) => new ArrayBuffer(bytes))
  let turn = 0
  let before: Promise<FaceNotes[]> = Promise.resolve([])
  return {
    atOnce: count + 1,
    async paste(frame, { past, ...work }) {
      const { bitmap, crops, swaps } = work
      const thread = threads[turn++ % count]!
      const pictures = [bitmap, bitmap, ...crops.map(({ dst }) => dst), ...swaps.flatMap(partsOf)]
      const room = roomOf(pictures.reduce((bytes, { data }) => bytes + roomFor(data), 0))
      const shared = <T extends Raster>(picture: T): T => ({ ...picture, data: room.copy(picture.data) })
      const into = room.like(bitmap.data)
      const sent = {
        ...work,
        bitmap: shared(bitmap),
        crops: crops.map((crop) => ({ ...crop, dst: shared(crop.dst) })),
        swaps: swaps.map((swap) => {
          const [face, mask, dstMask] = partsOf(swap).map(shared) as [Pixels, Pixels, Pixels]
          return { face, mask, dstMask }
        }),
        into,
      }
      // A thread of its own knows the notes of the frame before: nothing to wait for.
      const known = past || count === 1 ? Promise.resolve(past) : before
      const asked = known.then((notes) => ({
        begun: thread.ask('begin', [notes ? { ...sent, past: notes } : sent, optionsOf(frame)]),
        finished: thread.ask('finish', []),
      }))
      before = asked.then(async ({ begun }) => (await begun).result)
      try {
        const [notes, { result }] = await Promise.all([before, asked.then(({ finished }) => finished)])
        const { pasted, ...made } = result
        if (!pasted) return { ...made, notes, bitmap, layers: [], [Symbol.dispose]() {} }
        // Parts of shared memory are read slowly: what the thread made is copied as a whole.
        const memory = kept.take(into.byteLength)
        const data = new (arrayKind(into))(memory, 0, into.length)
        data.set(into)
        return { ...made, notes, bitmap: { ...bitmap, data }, layers: [], [Symbol.dispose]: () => kept.give(memory) }
      } finally {
        room.free()
      }
    },
    async [Symbol.asyncDispose]() {
      for (const thread of threads) await thread[Symbol.asyncDispose]()
    },
  }
}

const partsOf = ({ face, mask, dstMask }: Swap): Pixels[] => [face, mask, dstMask]
