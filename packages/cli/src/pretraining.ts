import { initialise } from '@dfl/nn'
import { type HistoryEntry, type ModelFolder, momentName, type SampleSettings, type StepSettings } from '@dfl/trainer'
import type { SampleOptions } from './samples.js'

/** What pretraining does whatever else is asked for: no warp, no critics, no styles, all poses alike, mirrored at times. */
export const PRETRAINING: {
  settings: Partial<StepSettings & SampleSettings>
  samples: SampleOptions
} = {
  settings: {
    randomWarp: false,
    ...{ ganPower: 0, trueFacePower: 0, faceStylePower: 0, bgStylePower: 0, lrDropout: 0 },
  },
  samples: { flipSrc: 0.4, flipDst: 0.4, hsvPower: 0 },
}

/** Whether the weights were last fed faces of many people. */
export function isPretrained(history: readonly HistoryEntry[]): boolean {
  const last = history.findLast((entry) => entry.event === 'fed' || entry.event === 'began')
  return last?.event === 'fed' && last.data?.pretrain !== undefined
}

/**
 * Begins anew what lies between the shared encoder and the decoders, so that what is common to SRC and DST is found among
 * them and not among the many people of the pretraining: what was done, in words.
 */
export async function leavePretraining(run: ModelFolder): Promise<string> {
  const own = Object.fromEntries(Object.entries(run.model.params).filter(([path]) => /^inter[_/]/.test(path)))
  for (const [path, tensor] of Object.entries(initialise(own, run.description.seed))) {
    run.state.set(path, tensor)
    for (const moment of run.optimiser.moments)
      run.state.set(momentName(moment, path), { data: new Float32Array(tensor.data.length), shape: tensor.shape })
  }
  const inters = [...new Set(Object.keys(own).map((path) => path.split('/')[0]))].join(', ')
  const what = inters ? `pretraining is over: ${inters} begins anew` : 'pretraining is over'
  await run.remember({ event: 'began', fromIteration: run.progress.iteration, with: what })
  return what
}
