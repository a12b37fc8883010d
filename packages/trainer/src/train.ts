import { DflError } from '@dfl/core'
import type { DeviceChoice, MemoryEstimate, Precision } from '@dfl/engine'
import type { Loss } from '@dfl/nn'
import type { Batch } from './batch.js'
import type { Progress } from './checkpoint.js'
import { type MeasureEvent, type MeasureOptions, measuringOf } from './measuring.js'
import { isSound, type ModelFolder } from './model-folder.js'
import { type Length, type Phase, progressOf, type Recipe, type StagedRecipe } from './recipe.js'
import { scheduleOf } from './schedule.js'
import { type StepSettings, settingOptions } from './settings.js'
import { stepTime } from './step-time.js'
import { createTotals } from './totals.js'
import { createTrainStep, type StepLosses, type TrainStep } from './train-step.js'
import { createWatch, type Trouble } from './watch.js'

/** Something in a run that a person should know. */
export type RunEvent =
  | MeasureEvent
  | { kind: 'phase'; name: string; because: string }
  | { kind: 'skipped-step'; lossScale: number }
  | { kind: 'went-back'; because: string; fromIteration: number; toIteration: number; rateFactor: number }

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
  /** What else happened since the report before. */
  events: readonly RunEvent[]
}

/** What a phase says about samples. */
export type SampleSettings = Pick<Phase, 'randomWarp' | 'uniformYaw'>

/**
 * Gives the batch of a draw; the rest comes from the recipe's phase. Draws are counted like iterations, until a run has to
 * go back: from then on it gets other numbers, so that it does not meet the same samples.
 */
export type BatchSource = (draw: number, phase: SampleSettings) => Promise<Batch>

/** A train step that has not run yet. */
export interface PreparedStep {
  phase: string
  /** What it takes. */
  memory: MemoryEstimate
  /** Milliseconds that an iteration computes here, measured by some on a copy of the state, which takes as much memory again. */
  time(): Promise<number>
}

/** What a run does and how long it is. */
export interface TrainOptions {
  recipe: Recipe | StagedRecipe
  /** Without a length it goes on until it is stopped, or a staged recipe is over. */
  length: Length
  batchSize: number
  /** Parts that a batch is computed in, to take less memory. */
  accumulate?: number
  /** Settings over those of all phases. */
  settings?: Partial<StepSettings & SampleSettings>
  /** What the learning rates of all phases are multiplied by. */
  rateFactor?: number
  /** Losses besides those of the model. */
  furtherLosses?: readonly Loss[]
  signal?: AbortSignal
  saveEverySeconds?: number
  /** How often a checkpoint is kept as a backup; never if left out. */
  backupEverySeconds?: number
  /** What is wished for from outside, done after the present iteration and then removed. */
  wishes?: Set<'save' | 'backup'>
  /** Numbers taken while it trains; they decide which checkpoint is kept as the best, and end phases. */
  measure?: MeasureOptions
  /** Where it trains: `cpu` by default. */
  device?: DeviceChoice
  /** `mixed` computes products in 16-bit floats; `float32` by default. Weights and moments are the same kind of file either way. */
  precision?: Precision
  threads?: number
  /** Milliseconds that the seconds of a run are counted in; those that pass by default. */
  clock?: () => number
  /** Told of a train step before it first runs, and waited for: at the start, and where another phase needs another one. */
  onPrepared?: (step: PreparedStep) => void | Promise<void>
  /** What the batches are drawn from, for the model's history. */
  data?: Record<string, unknown>
}

/** Iterations between two lines of the log. */
const LOG_EVERY = 20
/** Times a run goes back without getting any further. */
const MOST_ATTEMPTS = 5
/** Iterations after which halved learning rates are doubled again. */
const CAREFUL_ITERATIONS = 2000
/** Between the draws of a run and those after it went back. */
const OTHER_DRAWS = 1_000_003

/**
 * Trains a model and reports every iteration.
 *
 * The caller owns the loop: leaving it, by `break`, by an error or by the signal, writes a checkpoint first, so nothing
 * is lost. Checkpoints are also written every `saveEverySeconds` and at the end of the run. When weights are no longer
 * numbers, or a run collapses, it goes back to the last sound checkpoint, halves its learning rates for some 2000
 * iterations, draws other samples and goes on.
 *
 * In mixed precision a step whose gradients are no numbers is left out and taken again with the loss scale halved; it counts as
 * no iteration.
 *
 * @throws DflError `NAN_LOSS` when it went back five times and got no further; the sound checkpoint stays the newest.
 */
export async function* train(
  run: ModelFolder,
  batches: BatchSource,
  options: TrainOptions,
): AsyncGenerator<TrainReport> {
  const { length, batchSize, signal, saveEverySeconds = 60, backupEverySeconds } = options
  const clock = options.clock ?? (() => performance.now())
  const { progress, state } = run
  const { precision = 'float32' } = options
  const schedule = scheduleOf(run, options.recipe, length)
  const measuring = await measuringOf(run, options.measure)
  const watch = createWatch()
  const totals = createTotals()
  let step: TrainStep | undefined
  let stepKey = ''
  let fed = '' // The phase that the history tells of.
  let savedIteration = progress.iteration
  let lastSave = performance.now()
  let nextBackup = backupEverySeconds ? progress.seconds + backupEverySeconds : Number.POSITIVE_INFINITY
  let attempts = 0
  let farthest = 0 // The iteration at which something last went wrong.
  let pace = 0 // Seconds of an iteration, smoothed.
  let events: RunEvent[] = []

  /** Writes a checkpoint of what is not saved yet: what is wrong if it cannot be, because values are no numbers. */
  const save = async (): Promise<Trouble | undefined> => {
    if (progress.iteration === savedIteration) return undefined
    await state.download()
    if (!isSound(state)) return { reason: 'weights became no numbers', goodUntil: progress.iteration - 1 }
    totals.ofSave(progress)
    await run.save()
    savedIteration = progress.iteration
    lastSave = performance.now()
    return undefined
  }
  const goBack = async ({ reason, goodUntil }: Trouble) => {
    const from = progress.iteration
    const { rateFactor = 1, rollbacks = 0 } = progress
    attempts = from > farthest + LOG_EVERY ? 1 : attempts + 1
    farthest = Math.max(farthest, from)
    await run.goBack(goodUntil)
    savedIteration = progress.iteration
    if (attempts > MOST_ATTEMPTS)
      throw new DflError(
        'NAN_LOSS',
        `Training went wrong ${attempts} times at iteration ${from + 1} (${reason}), also with lower learning rates. The model is as it was at iteration ${savedIteration}. Look at the faces, or train with lower powers of the losses or with \`clipgrad\` 1.`,
        { data: { iteration: from + 1, savedIteration } },
      )
    const carefulUntil = from + CAREFUL_ITERATIONS
    Object.assign(progress, { rateFactor: rateFactor / 2, rollbacks: rollbacks + 1, carefulUntil })
    const what = { toIteration: progress.iteration, because: reason, rateFactor: progress.rateFactor! }
    await run.remember({ event: 'went-back', fromIteration: from, ...what })
    events.push({ kind: 'went-back', fromIteration: from, ...what })
    await measuring.reload()
    watch.restart()
    totals.restart()
    stepKey = '' // A device may hold what went wrong.
  }
  const moveOn = async () => {
    const next = schedule.advance(measuring.taken)
    if (!next) return
    await run.remember({
      event: 'moved-on',
      fromIteration: progress.iteration,
      phase: next.name,
      because: next.because,
    })
    events.push({ kind: 'phase', ...next })
  }
  const measure = async (): Promise<Trouble | undefined> => {
    const found = await measuring.take()
    events.push(...found)
    const values = found.flatMap((event) => (event.kind === 'measured' ? [event.values] : []))[0] ?? {}
    const trouble = watch.measured(progress.iteration, values)
    const best = found.find((event) => event.kind === 'best')
    if (trouble || !best) return trouble
    const unsaved = await save()
    if (!unsaved) await run.keep({ measure: best.measure, value: best.value })
    return unsaved
  }

  try {
    while (!signal?.aborted) {
      const now = schedule.now()
      const over = !now || progressOf(length, progress.iteration, progress.seconds) >= 1
      if (over) {
        if (measuring.dueAtEnd()) await measure()
        return
      }
      const { phase } = now
      const learningRate = now.learningRate * (options.rateFactor ?? 1) * (progress.rateFactor ?? 1)
      const settings = { ...settingsOf(phase), ...definedOnly(options.settings ?? {}) }
      const key = JSON.stringify([settings, phase.rates])
      if (!step || key !== stepKey) {
        await step?.[Symbol.asyncDispose]()
        stepKey = key
        watch.restart()
        step = await createTrainStep(run.model, {
          ...settings,
          ...{ batchSize, accumulate: options.accumulate, optimiser: run.optimiser, rates: phase.rates },
          furtherLosses: options.furtherLosses,
          ...{ device: options.device, threads: options.threads, precision },
        })
        const prepared = step
        const draw = drawOf(progress)
        await options.onPrepared?.({
          phase: phase.name,
          memory: prepared.compiled.memory,
          time: async () => stepTime(prepared, state, await batches(draw, settings)),
        })
        fed = ''
      }
      if (phase.name !== fed)
        await run.remember({
          event: 'fed',
          fromIteration: progress.iteration,
          ...{ recipe: options.recipe.name, phase: phase.name, batchSize, settings, data: options.data },
          ...(precision === 'mixed' ? { precision } : {}),
        })
      fed = phase.name
      const began = clock()
      const batch = await batches(drawOf(progress), settings)
      const ready = clock()
      const losses = await step.run(state, batch, learningRate, progress.iteration)
      const done = clock()
      const trouble = watch.seen(progress.iteration + 1, losses)
      if (trouble) {
        await goBack(trouble)
        continue
      }
      progress.seconds += (done - began) / 1000
      if (losses.skipped) {
        totals.skip()
        events.push({ kind: 'skipped-step', lossScale: losses.lossScale! / 2 })
        continue
      }
      progress.iteration++
      pace = pace ? pace + 0.05 * ((done - began) / 1000 - pace) : (done - began) / 1000
      totals.add(losses)
      if (progress.iteration === progress.carefulUntil) lessCareful(progress)
      if (progress.iteration % LOG_EVERY === 0)
        await run.log({ ...totals.ofLog(progress), learningRate, ...scaleOf(losses) })

      const wishes = options.wishes ?? new Set()
      const backup = wishes.delete('backup') || progress.seconds >= nextBackup
      const wished = wishes.delete('save') || backup
      const saveNow = wished || performance.now() - lastSave > saveEverySeconds * 1000
      let later = saveNow ? await save() : undefined
      if (backup && !later) {
        await run.keep({ backup: true })
        nextBackup = progress.seconds + (backupEverySeconds ?? Number.POSITIVE_INFINITY)
      }
      if (!later && measuring.due()) later = await measure()
      if (later) await goBack(later)
      else await moveOn()
      yield {
        iteration: progress.iteration,
        losses,
        dataMs: ready - began,
        computeMs: done - ready,
        seconds: progress.seconds,
        progress: progressOf(length, progress.iteration, progress.seconds),
        secondsLeft: timeLeft(length, progress, pace),
        phase: phase.name,
        learningRate,
        saved: saveNow && !later,
        events,
      }
      events = []
    }
  } finally {
    await save()
    await step?.[Symbol.asyncDispose]()
  }
}

/** The settings of a phase, without what only says when and how fast. */
function settingsOf({
  randomWarp,
  uniformYaw,
  ...phase
}: Omit<Phase, 'until'>): Partial<StepSettings> & SampleSettings {
  const own = Object.entries(phase).filter(([name]) => name in settingOptions)
  return { randomWarp, ...(uniformYaw === undefined ? {} : { uniformYaw }), ...Object.fromEntries(own) }
}

/** The loss scale, for the log. */
const scaleOf = ({ lossScale }: StepLosses) => (lossScale === undefined ? {} : { lossScale })

/** The number of the next batch. */
const drawOf = ({ iteration, rollbacks = 0 }: Progress) => iteration + rollbacks * OTHER_DRAWS

/** Doubles learning rates that were halved. */
function lessCareful(progress: Progress): void {
  const factor = Math.min(1, 2 * (progress.rateFactor ?? 1))
  progress.rateFactor = factor < 1 ? factor : undefined
  progress.carefulUntil = factor < 1 ? progress.iteration + CAREFUL_ITERATIONS : undefined
}

const definedOnly = <T extends object>(values: T): T =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T

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
