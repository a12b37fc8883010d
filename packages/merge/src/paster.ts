import { availableParallelism } from 'node:os'
import { builtThread, startThread } from '@dfl/core/threads'
import type { MergeStage } from './merge-face.js'
import { type MergedFrame, pasteFaces } from './merge-frame.js'
import type { MergeOptions } from './merge-options.js'
import type { PasteJobs, PasteWork } from './paste-jobs.js'

/** Pastes swaps into the frames of a clip, one frame after the other. */
export interface Paster extends AsyncDisposable {
  /** @returns The frame with its faces; without layers where another thread pasted them. */
  paste(frame: number, work: PasteWork): Promise<MergedFrame>
}

/** Pastes in this thread, by any stages. */
export const pasterHere = (stagesOf: (frame: number) => readonly MergeStage[]): Paster => ({
  paste: (frame, { bitmap, ...work }) => pasteFaces(bitmap, { ...work, stages: stagesOf(frame) }),
  async [Symbol.asyncDispose]() {},
})

/**
 * Pastes by the usual stages in a thread, so that decoding, the model and the encoder go on meanwhile; nothing where
 * there is one processor only, or no file of a thread: from TypeScript sources.
 */
export function pasterInThread(optionsOf: (frame: number) => MergeOptions): Paster | undefined {
  const url = builtThread(new URL('./paste-thread.js', import.meta.url))
  if (!url || availableParallelism() === 1) return undefined
  const thread = startThread<PasteJobs>(url, { name: 'dfl-paste', advice: 'Merge again: it goes on from here.' })
  return {
    async paste(frame, work) {
      const { result } = await thread.ask('paste', [work, optionsOf(frame)])
      return { ...result, layers: [] }
    },
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  }
}
