import { join } from 'node:path'
import { DflError, type OptionsOf, type Side } from '@dfl/core'
import { exists } from '@dfl/core/files'
import { chooseDevice, type DeviceChoice } from '@dfl/engine'
import { createSampler, type Faceset, openFaceset, type SAMPLER_OPTIONS, type Sampler } from '@dfl/faceset'
import {
  createModel,
  hasModel,
  type Length,
  type ModelFolder,
  openModel,
  progressOf,
  type Recipe,
  type TrainReport,
  train,
} from '@dfl/trainer'
import { architectureNamed, FACE_ARCHITECTURES } from '../architectures.js'
import { type ProgressEvent, type Stage, type StageContext, sayDuration } from '../events.js'
import { type Preset, presetFor, presetNamed, withoutEnd } from '../presets.js'
import { createPreviewer } from '../preview.js'
import { START_WEIGHTS, startWeights } from '../start-weights.js'
import type { Workspace } from '../workspace.js'

const SAVE_EVERY_SECONDS = 30

/** What a training is asked for. */
export interface TrainJob {
  /** Training time of the whole run, all sittings together. */
  seconds?: number
  /** Iterations of the whole run. */
  iterations?: number
  /** Where it trains: `cpu` by default. */
  device?: DeviceChoice
  /** Name of a preset; if not given, the one that fits the length, or that of the model that is there. */
  preset?: string
  /** Name of the architecture of a new model; 'df' if not given. */
  architecture?: string
  /** Options of the architecture over the preset's. Refused where they differ from those of a model that is there. */
  model?: Readonly<Record<string, unknown>>
  sampler?: Partial<Omit<OptionsOf<typeof SAMPLER_OPTIONS>, 'randomWarp' | 'eyesMouth' | 'paired'>>
  seed?: number
  /** How often a checkpoint is written: what a crash costs at most. */
  saveEverySeconds?: number
  /** Start a new model from random weights instead of those that come with this package. */
  fromScratch?: boolean
  /** Another safetensors file that a new model may start from. Left aside where it does not fit the model. */
  weights?: string
}

/** How far a training came. */
export interface TrainResult {
  iterations: number
  /** Training time over all sittings. */
  seconds: number
  /** Whether it was stopped before its end. */
  stopped: boolean
  /** Whether there was nothing left to do. */
  skipped: boolean
  preset: string
  /** The last preview picture, if one was written. */
  preview?: string
  /** The file that the model started from, if it was made now and not from zero. */
  startedFrom?: string
}

/**
 * Trains the workspace's model, a new one if there is none, until the length is reached; without a length until it is
 * stopped. Stopped or killed, it goes on from the last checkpoint when it is called again.
 *
 * @throws DflError `NO_SUCH_FILE` without faces, `FACE_TYPE_MISMATCH`, `OPTION_IS_FIXED`, `NAN_LOSS`, `DISK_FULL`.
 */
export async function* trainStage(
  workspace: Workspace,
  job: TrainJob,
  { signal }: StageContext = {},
): Stage<TrainResult> {
  const length: Length = { iterations: job.iterations, seconds: job.seconds }
  const endless = length.iterations === undefined && length.seconds === undefined
  const isNew = !(await hasModel(workspace.model))
  const preset = choosePreset(workspace, job, isNew)
  const device = await chooseDevice(job.device ?? 'cpu')
  const began = performance.now()

  if (!isNew) {
    const run = await openChecked(workspace, job)
    if (!endless && progressOf(length, run.progress.iteration, run.progress.seconds) >= 1) {
      const { iteration: iterations, seconds } = run.progress
      yield {
        event: 'stage',
        stage: 'train',
        state: 'skipped',
        text: `trained ${iterations} iterations (${sayDuration(seconds)}) already. Ask for more time to go on`,
      }
      return {
        iterations,
        seconds,
        stopped: false,
        skipped: true,
        preset: preset.name,
        preview: await latestPreview(workspace),
      }
    }
  }

  const sides = { src: await openSide(workspace, 'src'), dst: await openSide(workspace, 'dst') }
  expectSameFaceType(workspace, sides)
  const { run, startedFrom } = isNew
    ? await newModel(workspace, job, { preset, faceType: sides.src.info.faceType })
    : { run: await openChecked(workspace, job), startedFrom: undefined }
  for (const text of run.skipped) yield { event: 'warning', text }
  const better = isNew || job.preset || endless ? preset : presetFor(job)
  if (better.name !== preset.name)
    yield {
      event: 'warning',
      text: `The model here is of preset ${preset.name}; for this length ${better.name} is meant. To change, train in another workspace.`,
    }

  const meant = (workspace.record.fromWeights && preset.recipeFromWeights) || preset.recipe
  const recipe = endless ? withoutEnd(meant) : meant
  const batchSize = job.sampler?.batchSize ?? preset.batchSize
  yield {
    event: 'stage',
    stage: 'train',
    state: 'started',
    text: beginning(run, preset, { isNew, startedFrom, endless }) + (device === 'cpu' ? '' : `, on ${device}`),
  }
  await using samplers = samplerOfPhase(sides, run, { job, recipe, batchSize })
  await using previewer = createPreviewer(workspace.preview, run, samplers.open)
  const status = statusOf(length)
  const before = run.progress.iteration
  const reports = train(run, async (iteration, phase) => (await samplers.get(phase.randomWarp)).batch(iteration), {
    recipe,
    length,
    batchSize,
    device,
    saveEverySeconds: job.saveEverySeconds ?? SAVE_EVERY_SECONDS,
    signal,
    data: Object.fromEntries(
      Object.entries(sides).map(([side, { info }]) => [side, { faces: info.count, sources: info.sources }]),
    ),
  })
  for await (const report of reports) {
    yield status(report)
    const preview = await previewer.ifDue(report)
    if (preview) yield preview
  }
  const { iteration: iterations, seconds } = run.progress
  const last = iterations > before ? await previewer.write() : undefined
  if (last) yield last
  const stopped = signal?.aborted === true && (endless || progressOf(length, iterations, seconds) < 1)
  yield {
    event: 'stage',
    stage: 'train',
    state: stopped ? 'stopped' : 'finished',
    text: `iteration ${iterations}, ${sayDuration(seconds)} of training, loss ${losses(run.progress.losses)}`,
    seconds: (performance.now() - began) / 1000,
  }
  return { iterations, seconds, stopped, skipped: false, preset: preset.name, preview: last?.path, startedFrom }
}

/** Turns reports of the loop into status lines: times are means over the last iterations, losses too. */
function statusOf(length: Length): (report: TrainReport) => ProgressEvent {
  let mean: { dataMs: number; computeMs: number; src: number; dst: number } | undefined
  return (report) => {
    const { src, dst } = report.losses
    const now = { dataMs: report.dataMs, computeMs: report.computeMs, src, dst }
    const blend = (name: keyof typeof now) => (mean ? mean[name] + 0.05 * (now[name] - mean[name]) : now[name])
    mean = { dataMs: blend('dataMs'), computeMs: blend('computeMs'), src: blend('src'), dst: blend('dst') }
    const { dataMs, computeMs } = mean
    const ms = dataMs + computeMs
    const endless = length.iterations === undefined && length.seconds === undefined
    return {
      event: 'progress',
      stage: 'train',
      unit: 'iterations',
      done: report.iteration,
      total: length.iterations,
      share: endless ? undefined : report.progress,
      perSecond: 1000 / ms,
      secondsLeft: report.secondsLeft,
      note: `${ms.toFixed(0)} ms (${dataMs.toFixed(0)} data + ${computeMs.toFixed(0)} compute)  loss ${losses(mean)}  ${report.phase}`,
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

/** The newest preview picture, if there is one. */
async function latestPreview({ preview }: Workspace): Promise<string | undefined> {
  const path = join(preview, 'latest.png')
  return (await exists(path)) ? path : undefined
}

const losses = ({ src, dst }: { src: number; dst: number }) => `src ${src.toFixed(3)} dst ${dst.toFixed(3)}`

function choosePreset({ record }: Workspace, job: TrainJob, isNew: boolean): Preset {
  if (job.preset) return presetNamed(job.preset)
  return !isNew && record.preset ? presetNamed(record.preset) : presetFor(job)
}

/** The model that is there, if nothing that is fixed was asked to be another. */
async function openChecked(workspace: Workspace, job: TrainJob): Promise<ModelFolder> {
  const run = await openModel(workspace.model, FACE_ARCHITECTURES)
  const { options, seed } = run.description
  const asked: Record<string, unknown> = {
    ...(job.preset && workspace.record.preset ? { preset: job.preset } : {}),
    ...(job.architecture ? { architecture: job.architecture } : {}),
    ...job.model,
    ...(job.seed === undefined ? {} : { seed: job.seed }),
  }
  const own: Record<string, unknown> = {
    preset: workspace.record.preset,
    architecture: run.description.architecture,
    ...options,
    seed,
  }
  const changed = Object.keys(asked).filter((name) => asked[name] !== own[name])
  if (changed.length === 0) return run
  const of = (values: Record<string, unknown>) => changed.map((name) => `${name} ${values[name]}`).join(', ')
  throw new DflError(
    'OPTION_IS_FIXED',
    `Expected ${of(own)}, as the model in \`${workspace.model}\` has it, but got ${of(asked)}. A trained model cannot change these: leave them out, or train in another workspace.`,
    { data: { options: changed } },
  )
}

async function newModel(
  workspace: Workspace,
  job: TrainJob,
  { preset, faceType }: { preset: Preset; faceType: Faceset['info']['faceType'] },
): Promise<{ run: ModelFolder; startedFrom?: string }> {
  const architecture = architectureNamed(job.architecture ?? 'df')
  const options = { ...preset.architecture, ...job.model }
  const given = { options, faceType, seed: job.seed }
  const file = job.weights ?? START_WEIGHTS
  const weights = job.fromScratch || architecture.name !== 'df' ? undefined : await startWeights(file, options)
  await workspace.update({ preset: preset.name, fromWeights: weights !== undefined })
  const run = await createModel(workspace.model, architecture, weights ? { ...given, weights } : given)
  return { run, startedFrom: weights ? file : undefined }
}

/** @throws DflError `NO_SUCH_FILE` where the side was not extracted yet, with what to do. */
async function openSide(workspace: Workspace, side: Side): Promise<Faceset> {
  const folder = workspace.faceset[side]
  const advice = `Extract them first: dfl extract --side ${side} --input <clip> --workspace ${workspace.folder}`
  const missing = (code: 'NO_SUCH_FILE' | 'NO_FACES', cause?: unknown) =>
    new DflError(code, `Expected faces of ${side.toUpperCase()} in \`${folder}\`, but got none. ${advice}`, { cause })
  const faceset = await openFaceset(folder).catch((cause) => {
    throw cause instanceof DflError && cause.code === 'NO_SUCH_FILE' ? missing('NO_SUCH_FILE', cause) : cause
  })
  if (faceset.info.count === 0) throw missing('NO_FACES')
  return faceset
}

function expectSameFaceType({ folder }: Workspace, { src, dst }: Record<Side, Faceset>): void {
  if (src.info.faceType === dst.info.faceType) return
  throw new DflError(
    'FACE_TYPE_MISMATCH',
    `Expected SRC and DST of one face type in \`${folder}\`, but got ${src.info.faceType} for SRC and ${dst.info.faceType} for DST. Extract one of them again with the other's --face-type.`,
    { data: { src: src.info.faceType, dst: dst.info.faceType } },
  )
}

/** A sampler for warped batches and one for unwarped ones, each made when first needed; one at a time. */
function samplerOfPhase(
  sides: Record<Side, Faceset>,
  { description, model }: ModelFolder,
  { job, recipe, batchSize }: { job: TrainJob; recipe: Recipe; batchSize: number },
) {
  let current: { randomWarp: boolean; sampler: Promise<Sampler> } | undefined
  const close = async () => {
    const open = await current?.sampler.catch(() => undefined)
    current = undefined
    await open?.[Symbol.asyncDispose]()
  }
  const samplers = {
    /** The one that is open, whichever it is: the faces of a preview are warped by none. */
    open: () => samplers.get(current?.randomWarp ?? recipe.phases[0]!.randomWarp),
    async get(randomWarp: boolean): Promise<Sampler> {
      if (current?.randomWarp !== randomWarp) {
        await close()
        const sampler = createSampler({
          rareExpressions: !job.sampler?.uniformYaw,
          ...job.sampler,
          ...sides,
          faceType: description.faceType,
          resolution: model.resolution,
          batchSize,
          seed: description.seed,
          randomWarp,
          eyesMouth: recipe.phases.some(({ eyesMouthPrio }) => eyesMouthPrio > 0),
        })
        current = { randomWarp, sampler }
      }
      return current.sampler
    },
    [Symbol.asyncDispose]: close,
  }
  return samplers
}

function beginning(
  { model, progress }: ModelFolder,
  preset: Preset,
  { isNew, startedFrom, endless }: { isNew: boolean; startedFrom?: string; endless: boolean },
): string {
  const what = `DF ${model.resolution} px, preset ${preset.name}`
  const stop = endless ? '. Stop it with Ctrl-C' : ''
  if (!isNew) return `${what}, goes on from iteration ${progress.iteration} (${sayDuration(progress.seconds)})${stop}`
  return `${what}, ${startedFrom ? 'starts from weights that learned other, rendered heads (--from-scratch starts from zero)' : 'starts from zero'}${stop}`
}
