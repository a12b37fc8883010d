import { setImmediate } from 'node:timers/promises'
import type { Bitmap } from '@dfl/core'
import { inScratch, samplesLike } from '@dfl/image'
import { movedNotes } from './frame-part.js'
import type { FaceCrop, FaceNotes, MergeStage, Swap } from './merge-face.js'
import { type MergedFrame, pasteFaces } from './merge-frame.js'
import { type MergeOptions, mergeStages } from './merge-options.js'

/** Swaps that are made, and what they are pasted on. */
export interface PasteWork {
  /** The part of the frame that holds its faces; crops and swaps lie in its pixels. */
  bitmap: Bitmap
  /** Column and row of the frame at which the part begins. */
  x: number
  y: number
  crops: readonly FaceCrop[]
  swaps: readonly Swap[]
  /** Notes to begin with, in pixels of the frame; those of the work before if not given. */
  past?: readonly FaceNotes[]
}

/** A part of a frame with its faces, and the seconds that took, without the wait for its turn. */
export type PastedPart = MergedFrame & { seconds: number }

/**
 * Pastes one work after the other, each with the notes of the one before: `notes` are in pixels of the frame. The next may be
 * asked for before the last is done. `noted` is told them as soon as they are known.
 */
export function pasteInOrder() {
  let before: Promise<readonly FaceNotes[]> = Promise.resolve([])
  return (
    { bitmap, x, y, past, ...work }: PasteWork & { into?: Bitmap['data'] },
    stages: readonly MergeStage[],
    noted?: (notes: FaceNotes[]) => Promise<void>,
  ): Promise<PastedPart> => {
    const inFrame = (notes: readonly FaceNotes[]) => rounded(movedNotes(notes, x, y))
    const made = before.then(async (last) => {
      const start = performance.now()
      const pasting = { ...work, stages, past: movedNotes(past ?? last, -x, -y) }
      const pasted = await pasteFaces(bitmap, noted ? { ...pasting, noted: (notes) => noted(inFrame(notes)) } : pasting)
      return { ...pasted, notes: inFrame(pasted.notes), seconds: (performance.now() - start) / 1000 }
    })
    before = made.then(
      ({ notes }) => notes,
      () => [],
    )
    return made
  }
}

/**
 * Notes with as many digits as show. Averages over time forget what was long ago, but never to the last bit: rounded, two
 * merges that differed in one place agree again a little later, and what follows need not be made again.
 */
const rounded = (notes: readonly FaceNotes[]): FaceNotes[] =>
  notes.map((note) => ({
    ...note,
    values: Object.fromEntries(
      Object.entries(note.values).map(([name, values]) => [name, values.map((v) => Math.round(v * 1e6) / 1e6)]),
    ),
  }))

/** What a thread can be asked for: the two jobs in turn. */
export type PasteJobs = {
  /** Begins to paste by the usual stages; gives the notes for the next frame, which may begin elsewhere meanwhile. */
  begin(work: PasteWork & { into: Bitmap['data'] }, options: MergeOptions): Promise<FaceNotes[]>
  /** The rest of what was begun: the frame with its faces is in `into`, of the same kind and length, unless none was pasted. */
  finish(): Promise<Omit<PastedPart, 'layers' | 'bitmap' | 'notes'> & { pasted: boolean }>
}

/** The jobs of one thread. */
export function pasteJobs(): PasteJobs {
  const stagesOf = stagesByOptions((options) => mergeStages(options))
  const pasted = pasteInOrder()
  let begun: ReturnType<PasteJobs['finish']> | undefined
  return {
    begin: ({ bitmap: { data, ...size }, into, ...work }, options) =>
      new Promise((resolve, reject) => {
        begun = inScratch(async () => {
          // Memory that threads share is copied fast as a whole only: stages work on a copy, and what they made is copied back.
          const bitmap = { ...size, data: samplesLike(data, data.length) }
          bitmap.data.set(data)
          const own = { ...work, bitmap, into: samplesLike(data, data.length) }
          const {
            layers: _,
            bitmap: after,
            notes,
            ...made
          } = await pasted(own, stagesOf(options), (known) => {
            resolve(known)
            return setImmediate() // The answer goes out before the next stage.
          })
          resolve(notes)
          const changed = after !== bitmap
          if (changed) into.set(after.data)
          return { ...made, pasted: changed }
        })
        begun.catch(reject)
      }),
    finish: () => begun!,
  }
}

/** The stages of a frame's options, made anew only where the options change. */
export function stagesByOptions(
  stages: (options: MergeOptions) => readonly MergeStage[],
): (options: MergeOptions) => readonly MergeStage[] {
  let last: { key: string; stages: readonly MergeStage[] } | undefined
  return (options) => {
    const key = JSON.stringify(options)
    if (last?.key !== key) last = { key, stages: stages(options) }
    return last.stages
  }
}
