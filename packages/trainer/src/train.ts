import { DflError } from '@dfl/core'
import type { DeviceChoice } from '@dfl/engine'
import type { ModelFolder } from './model-folder.js'
import { type Length, phaseAt, progressOf, type Recipe } from './recipe.js'
import { type Batch, createTrainStep, type StepLosses, type TrainStep } from './train-step.js'

/** What one iteration did. */
export interface TrainReport {
  /** Iterations done, over all sittings. */
  iteration: number
  losses: StepLosses
  /** Time the iteration waited for its batch. */
  dataMs: number
  /** Time it computed. */
  computeMs: number
  /** Training time over all sittings. */
  seconds: number
  /** Share of the run that is done, 0..1; 0 for a run without an end. */
  progress: number
  /** Until the run's end at the present rate; nothing for a run without an end. */
  secondsLeft?: number
  phase: string
  learningRate: number
  /** Whether a checkpoint was written after this iteration. */
  saved: boolean
}

/** Gives the batch of an iteration; `randomWarp` comes from the recipe's phase. */
export type BatchSource = (iteration: number, phase: { randomWarp: boolean }) => Promise<Batch>

/** What a run does and how long it is. */
export interface TrainOptions {
  recipe: Recipe
  length: Length
  batchSize: number
  /** Parts that a batch is computed in, to take less memory. */
  accumulate?: number
  maskedTraining?: boolean
  signal?: AbortSignal
  saveEverySeconds?: number
  /** Where it trains: `cpu` by default. */
  device?: DeviceChoice
  threads?: number
  /** What the batches are drawn from, for the model's history. */
  data?: Record<string, unknown>
}

/** Iterations between two lines of the log. */
const LOG_EVERY = 20

/**
 * Trains a model and reports every iteration.
 *
 * The caller owns the loop: leaving it, by `break`, by an error or by the signal, writes a checkpoint first, so nothing
 * is lost. Checkpoints are also written every `saveEverySeconds` and at the end of the run.
 *
 * @throws DflError `NAN_LOSS` when a loss is no longer a number; the checkpoint before stays the newest.
 */
export async function* train(
  run: ModelFolder,
  batches: BatchSource,
  options: TrainOptions,
): AsyncGenerator<TrainReport> {
  const { recipe, length, batchSize, signal, saveEverySeconds = 60 } = options
  const { progress, state } = run
  let step: TrainStep | undefined
  let stepKey = ''
  let healthy = true
  let savedIteration = progress.iteration
  let lastSave = performance.now()
  let sum = { src: 0, dst: 0, count: 0 }
  let sinceSave = { src: 0, dst: 0, count: 0 }
  let pace = 0 // Seconds of an iteration, smoothed.
  const save = async () => {
    if (progress.iteration === savedIteration) return
    if (sinceSave.count > 0)
      progress.losses = { src: sinceSave.src / sinceSave.count, dst: sinceSave.dst / sinceSave.count }
    await run.save()
    savedIteration = progress.iteration
    sinceSave = { src: 0, dst: 0, count: 0 }
    lastSave = performance.now()
  }
  try {
    while (!signal?.aborted) {
      const share = progressOf(length, progress.iteration, progress.seconds)
      if (share >= 1) return
      const { phase, learningRate } = phaseAt(recipe, share, progress.iteration)
      const key = JSON.stringify([phase.randomWarp, phase.eyesMouthPrio, phase.rates])
      if (!step || key !== stepKey) {
        await step?.[Symbol.asyncDispose]()
        stepKey = key
        step = await createTrainStep(run.model, {
          batchSize,
          optimiser: run.optimiser,
          randomWarp: phase.randomWarp,
          maskedTraining: options.maskedTraining ?? true,
          eyesMouthPrio: phase.eyesMouthPrio,
          ...(phase.rates ? { rates: phase.rates } : {}),
          accumulate: options.accumulate,
          device: options.device,
          threads: options.threads,
        })
        await run.remember({
          fromIteration: progress.iteration,
          recipe: recipe.name,
          phase: phase.name,
          batchSize,
          data: options.data,
        })
      }
      const began = performance.now()
      const batch = await batches(progress.iteration, phase)
      const ready = performance.now()
      const losses = await step.run(state, batch, learningRate, progress.iteration)
      const done = performance.now()
      if (!Number.isFinite(losses.src + losses.dst)) {
        healthy = false
        throw new DflError(
          'NAN_LOSS',
          `The loss became ${losses.src + losses.dst} at iteration ${progress.iteration + 1}. The last good checkpoint is iteration ${savedIteration}; resume from it with a lower learning rate.`,
          { data: { iteration: progress.iteration + 1, savedIteration } },
        )
      }
      progress.iteration++
      progress.seconds += (done - began) / 1000
      pace = pace ? pace + 0.05 * ((done - began) / 1000 - pace) : (done - began) / 1000
      for (const total of [sum, sinceSave]) {
        total.src += losses.src
        total.dst += losses.dst
        total.count++
      }
      if (progress.iteration % LOG_EVERY === 0) {
        await run.log({
          iteration: progress.iteration,
          seconds: Math.round(progress.seconds * 10) / 10,
          src: sum.src / sum.count,
          dst: sum.dst / sum.count,
          learningRate,
        })
        sum = { src: 0, dst: 0, count: 0 }
      }
      const nextShare = progressOf(length, progress.iteration, progress.seconds)
      const saved = performance.now() - lastSave > saveEverySeconds * 1000
      if (saved) await save()
      yield {
        iteration: progress.iteration,
        losses,
        dataMs: ready - began,
        computeMs: done - ready,
        seconds: progress.seconds,
        progress: nextShare,
        secondsLeft: timeLeft(length, progress, pace),
        phase: phase.name,
        learningRate,
        saved,
      }
    }
  } finally {
    if (healthy) await save()
    await step?.[Symbol.asyncDispose]()
  }
}

function timeLeft(
  length: Length,
  { iteration, seconds }: { iteration: number; seconds: number },
  pace: number,
): number | undefined {
  const ends: number[] = []
  if (length.seconds) ends.push(length.seconds - seconds)
  if (length.iterations) ends.push((length.iterations - iteration) * pace)
  return ends.length > 0 ? Math.max(0, Math.min(...ends)) : undefined
}
