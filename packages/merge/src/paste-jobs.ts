import type { Bitmap } from '@dfl/core'
import { inScratch } from '@dfl/image'
import type { FaceCrop, FaceNotes, MergeStage, Swap } from './merge-face.js'
import { type MergedFrame, pasteFaces } from './merge-frame.js'
import { type MergeOptions, mergeStages } from './merge-options.js'

/** Swaps that are made, and what they are pasted on. */
export interface PasteWork {
  bitmap: Bitmap
  crops: readonly FaceCrop[]
  swaps: readonly Swap[]
  past: readonly FaceNotes[]
}

/** What a thread can be asked for. */
export type PasteJobs = {
  /** Swaps pasted by the usual stages: the frame with them is in `into`, of the same kind and length, unless none was pasted. */
  paste(
    work: PasteWork & { into: Bitmap['data'] },
    options: MergeOptions,
  ): Promise<Omit<MergedFrame, 'layers' | 'bitmap'> & { pasted: boolean }>
}

/** The jobs of one thread. */
export function pasteJobs(): PasteJobs {
  const stagesOf = stagesByOptions((options) => mergeStages(options))
  return {
    async paste({ bitmap, ...work }, options) {
      const {
        layers: _,
        bitmap: after,
        ...made
      } = await inScratch(() => pasteFaces(bitmap, { ...work, stages: stagesOf(options) }))
      return { ...made, pasted: after !== bitmap }
    },
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
