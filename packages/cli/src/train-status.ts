import { countParams } from '@dfl/nn'
import { isStaged, type Length, type ModelFolder, type Recipe, type StagedRecipe, type TrainReport } from '@dfl/trainer'
import { type NoticeEvent, type ProgressEvent, sayDuration } from './events.js'
import type { Preset } from './presets.js'

/** Turns reports of the loop into status lines: times are means over the last iterations, losses too. */
export function statusOf(length: Length, recipe: Recipe | StagedRecipe): (report: TrainReport) => ProgressEvent {
  let mean: { dataMs: number; computeMs: number; src: number; dst: number } | undefined
  return (report) => {
    const { src, dst } = report.losses
    const now = { dataMs: report.dataMs, computeMs: report.computeMs, src, dst }
    const blend = (name: keyof typeof now) => (mean ? mean[name] + 0.05 * (now[name] - mean[name]) : now[name])
    mean = { dataMs: blend('dataMs'), computeMs: blend('computeMs'), src: blend('src'), dst: blend('dst') }
    const { dataMs, computeMs } = mean
    const ms = dataMs + computeMs
    const endless = length.iterations === undefined && length.seconds === undefined
    const phase = isStaged(recipe) ? `${recipe.name}: ${report.phase}` : report.phase
    return {
      event: 'progress',
      stage: 'train',
      unit: 'iterations',
      done: report.iteration,
      total: length.iterations,
      share: endless ? undefined : report.progress,
      perSecond: 1000 / ms,
      secondsLeft: report.secondsLeft,
      note: `${ms.toFixed(0)} ms (${dataMs.toFixed(0)} data + ${computeMs.toFixed(0)} compute)  loss ${sayLosses(mean)}  ${phase}`,
      detail: {
        iteration: report.iteration,
        seconds: report.seconds,
        dataMs,
        computeMs,
        srcLoss: mean.src,
        dstLoss: mean.dst,
        phase: report.phase,
        learningRate: report.learningRate,
      },
    }
  }
}

/** Both losses in words. */
export const sayLosses = ({ src, dst }: { src: number; dst: number }) => `src ${src.toFixed(3)} dst ${dst.toFixed(3)}`

/** A line about a run at its present iteration. */
export const notice = ({ progress: { iteration } }: ModelFolder, text: string): NoticeEvent => ({
  event: 'notice',
  ...{ kind: 'run', iteration, text: `iteration ${iteration}: ${text}`, detail: {} },
})

/** What to expect of a new model that begins with random weights where nobody asked for that. */
export const WITHOUT_START_WEIGHTS =
  'begins with random weights, since those that come with this program are of a DF with the encoder of its presets: a likeness takes many times as long'

/** A full face's share of the side of a head's square: their squares are 1.6 and 2.98 sides of the face's template wide. */
const FACE_IN_HEAD = 0.536

/** What to expect of a new model of heads; nothing for other faces. */
export function sayHead({ model: { resolution }, description: { faceType } }: ModelFolder): string | undefined {
  if (faceType !== 'head') return undefined
  const share = Math.round(FACE_IN_HEAD * resolution)
  return `paints heads of ${resolution} px, which show the face as a full face of ${share} px does: it comes out later and softer, so give it more time`
}

/** What a training begins with: model, size, start. */
export function sayBeginning(
  { model, progress, description }: ModelFolder,
  preset: Preset,
  { isNew, startedFrom, endless }: { isNew: boolean; startedFrom?: string; endless: boolean },
): string {
  const size = `${(countParams(model.params) / 1e6).toFixed(1)} million parameters`
  const what = `${description.architecture.toUpperCase()} ${model.resolution} px, preset ${preset.name}, ${size}`
  const stop = endless ? '. Stop it with Ctrl-C' : ''
  if (!isNew) return `${what}, goes on from iteration ${progress.iteration} (${sayDuration(progress.seconds)})${stop}`
  return `${what}, ${startedFrom ? 'starts from weights that learned other, rendered heads (--from-scratch starts from zero)' : 'starts from zero'}${stop}`
}
