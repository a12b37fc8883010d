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
 * asked for before the last is done.
 */
export function pasteInOrder() {
  let before: Promise<readonly FaceNotes[]> = Promise.resolve([])
  return (
    { bitmap, x, y, past, ...work }: PasteWork & { into?: Bitmap['data'] },
    stages: readonly MergeStage[],
  ): Promise<PastedPart> => {
    const made = before.then(async (last) => {
      const start = performance.now()
      const pasted = await pasteFaces(bitmap, { ...work, stages, past: movedNotes(past ?? last, -x, -y) })
      const notes = rounded(movedNotes(pasted.notes, x, y))
      return { ...pasted, notes, seconds: (performance.now() - start) / 1000 }
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

/** What a thread can be asked for. */
export type PasteJobs = {
  /** Swaps pasted by the usual stages: the frame with them is in `into`, of the same kind and length, unless none was pasted. */
  paste(
    work: PasteWork & { into: Bitmap['data'] },
    options: MergeOptions,
  ): Promise<Omit<PastedPart, 'layers' | 'bitmap'> & { pasted: boolean }>
}

/** The jobs of one thread. */
export function pasteJobs(): PasteJobs {
  const stagesOf = stagesByOptions((options) => mergeStages(options))
  const pasted = pasteInOrder()
  return {
    paste: ({ bitmap: { data, ...size }, into, ...work }, options) =>
      inScratch(async () => {
        // Memory that threads share is copied fast as a whole only: stages work on a copy, and what they made is copied back.
        const bitmap = { ...size, data: samplesLike(data, data.length) }
        bitmap.data.set(data)
        const own = { ...work, bitmap, into: samplesLike(data, data.length) }
        const { layers: _, bitmap: after, ...made } = await pasted(own, stagesOf(options))
        const changed = after !== bitmap
        if (changed) into.set(after.data)
        return { ...made, pasted: changed }
      }),
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
