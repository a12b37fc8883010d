import { availableParallelism } from 'node:os'
import { arrayKind, memoryPool, type Pixels, type Raster } from '@dfl/core'
import { builtThread, startThread } from '@dfl/core/threads'
import type { MergeStage, Swap } from './merge-face.js'
import type { MergeOptions } from './merge-options.js'
import { type PastedPart, type PasteJobs, type PasteWork, pasteInOrder } from './paste-jobs.js'
import { roomFor, sharedRooms } from './shared-room.js'

/** A frame with its faces. Disposed of, its `bitmap` is of no use any more. */
export type PastedFrame = PastedPart & Disposable

/** Pastes swaps into the frames of a clip, one frame after the other. */
export interface Paster extends AsyncDisposable {
  /**
   * The next may be asked for before the last is done, so that a thread never waits.
   *
   * @returns The part with its faces, and their notes in pixels of the frame; without layers where another thread pasted them.
   */
  paste(frame: number, work: PasteWork): Promise<PastedFrame>
}

/** Pastes in this thread, by any stages. */
export function pasterHere(stagesOf: (frame: number) => readonly MergeStage[]): Paster {
  const pasted = pasteInOrder()
  return {
    async paste(frame, work) {
      return { ...(await pasted(work, stagesOf(frame))), [Symbol.dispose]() {} }
    },
    async [Symbol.asyncDispose]() {},
  }
}

/**
 * Pastes by the usual stages in a thread, so that decoding, the model and the encoder go on meanwhile; nothing where
 * there is one processor only, or no file of a thread: from TypeScript sources.
 */
export function pasterInThread(optionsOf: (frame: number) => MergeOptions): Paster | undefined {
  const url = builtThread(new URL('./paste-thread.js', import.meta.url))
  if (!url || availableParallelism() === 1) return undefined
  const thread = startThread<PasteJobs>(url, { name: 'dfl-paste', advice: 'Merge again: it goes on from here.' })
  const roomOf = sharedRooms()
  const kept = memoryPool((bytes) => new ArrayBuffer(bytes))
  return {
    async paste(frame, work) {
      const { bitmap, crops, swaps } = work
      const pictures = [bitmap, bitmap, ...crops.map(({ dst }) => dst), ...swaps.flatMap(partsOf)]
      const room = roomOf(pictures.reduce((bytes, { data }) => bytes + roomFor(data), 0))
      const shared = <T extends Raster>(picture: T): T => ({ ...picture, data: room.copy(picture.data) })
      const into = room.like(bitmap.data)
      try {
        const { result } = await thread.ask('paste', [
          {
            ...work,
            bitmap: shared(bitmap),
            crops: crops.map((crop) => ({ ...crop, dst: shared(crop.dst) })),
            swaps: swaps.map((swap) => {
              const [face, mask, dstMask] = partsOf(swap).map(shared) as [Pixels, Pixels, Pixels]
              return { face, mask, dstMask }
            }),
            into,
          },
          optionsOf(frame),
        ])
        const { pasted, ...made } = result
        if (!pasted) return { ...made, bitmap, layers: [], [Symbol.dispose]() {} }
        // Parts of shared memory are read slowly: what the thread made is copied as a whole.
        const memory = kept.take(into.byteLength)
        const data = new (arrayKind(into))(memory, 0, into.length)
        data.set(into)
        return { ...made, bitmap: { ...bitmap, data }, layers: [], [Symbol.dispose]: () => kept.give(memory) }
      } finally {
        room.free()
      }
    },
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  }
}

const partsOf = ({ face, mask, dstMask }: Swap): Pixels[] => [face, mask, dstMask]
