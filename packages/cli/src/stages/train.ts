import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { DflError, type Side } from '@dfl/core'
import { exists, writeFileAtomic } from '@dfl/core/files'
import { chooseDevice, type DeviceChoice } from '@dfl/engine'
import { type Faceset, openFaceset } from '@dfl/faceset'
import { countParams, type OptimiserName } from '@dfl/nn'
import {
  createModel,
  hasModel,
  isStaged,
  type Length,
  type ModelFolder,
  openModel,
  progressOf,
  type Recipe,
  readRecipe,
  type SampleSettings,
  type StagedRecipe,
  type StepSettings,
  type TrainReport,
  train,
} from '@dfl/trainer'
import { architectureNamed, faceArchitectures } from '../architectures.js'
import { describeConfig, type LoadedConfig, NO_CONFIG } from '../config.js'
import { type ProgressEvent, type Stage, type StageContext, sayDuration } from '../events.js'
import { divide, measuredFaces } from '../held-out.js'
import { type Preset, presetFor, presetNamed, withoutEnd } from '../presets.js'
import { isPretrained, leavePretraining, PRETRAINING } from '../pretraining.js'
import { createPreviewer } from '../preview.js'
import { sayRunEvent } from '../run-events.js'
import { createRunMeasures } from '../run-measures.js'
import { openPeople, openSamples, type SampleOptions } from '../samples.js'
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
  /** A recipe over the preset's: the name of one in the config, or a JSON file. It stays that of the model; 'preset' goes back. */
  recipe?: string
  /** Settings over those of all phases of the recipe. */
  settings?: Partial<StepSettings & SampleSettings>
  /** The highest learning rate: the recipe's rates are brought in proportion to it. */
  learningRate?: number
  /** Folder of the faceset of many people that both sides are drawn from for now. */
  pretrain?: string
  /** What a new model learns by; 'adabelief' if not given. */
  optimiser?: OptimiserName
  /** How often a checkpoint is kept as a backup; never if not given. */
  backupEverySeconds?: number
  /** Name of the architecture of a new model; 'df' if not given. */
  architecture?: string
  /** Options of the architecture over the preset's. Refused where they differ from those of a model that is there. */
  model?: Readonly<Record<string, unknown>>
  sampler?: SampleOptions
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
  { signal, config = NO_CONFIG, wishes }: StageContext = {},
): Stage<TrainResult> {
  const length: Length = { iterations: job.iterations, seconds: job.seconds }
  const isNew = !(await hasModel(workspace.model))
  const preset = presetOf(workspace, job, isNew)
  const own = await ownRecipe(workspace, job, config)
  const endless = length.iterations === undefined && length.seconds === undefined && !(own && isStaged(own))
  const hasLength = length.iterations !== undefined || length.seconds !== undefined
  const device = await chooseDevice(job.device ?? 'cpu')
  const began = performance.now()

  if (!isNew) {
    const run = await openChecked(workspace, job, config)
    if (hasLength && progressOf(length, run.progress.iteration, run.progress.seconds) >= 1) {
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
  const faceType = sides.src.info.faceType
  const { run, startedFrom } = isNew
    ? await newModel(workspace, job, { preset, faceType, config })
    : { run: await openChecked(workspace, job, config), startedFrom: undefined }
  for (const text of run.skipped) yield { event: 'warning', text }
  const better = isNew || job.preset || own || !hasLength ? preset : presetFor(job)
  if (better.name !== preset.name)
    yield {
      event: 'warning',
      text: `The model here is of preset ${preset.name}; for this length ${better.name} is meant. To change, train in another workspace.`,
    }

  const meant = (workspace.record.fromWeights && preset.recipeFromWeights) || preset.recipe
  const recipe: Recipe | StagedRecipe = own ?? (endless ? withoutEnd(meant) : meant)
  const batchSize = job.sampler?.batchSize ?? preset.batchSize
  const settings = job.pretrain === undefined ? (job.settings ?? {}) : { ...job.settings, ...PRETRAINING.settings }
  if (config.path) yield { event: 'warning', text: `Uses ${describeConfig(config)}` }
  yield {
    event: 'stage',
    stage: 'train',
    state: 'started',
    text: beginning(run, preset, { isNew, startedFrom, endless }) + (device === 'cpu' ? '' : `, on ${device}`),
  }
  if (own) yield notice(run, `recipe ${own.name}: ${own.assumes}`)
  const faces = { src: divide(sides.src), dst: divide(sides.dst) }
  const many = job.pretrain === undefined ? undefined : await openFaceset(job.pretrain)
  if (!many && isPretrained(await run.readHistory())) yield notice(run, await leavePretraining(run))
  await using samples = openSamples(
    run,
    {
      sides: many ? { src: many, dst: many } : { src: faces.src.training, dst: faces.dst.training },
      people: await openPeople(run, config, faceType),
      augmentations: config.augmentations,
    },
    {
      options: many ? { ...job.sampler, ...PRETRAINING.samples } : (job.sampler ?? {}),
      batchSize,
      eyesMouth: [...recipe.phases, settings].some(({ eyesMouthPrio = 0 }) => eyesMouthPrio > 0),
      first: { ...recipe.phases[0]!, ...settings },
    },
  )
  await using previewer = createPreviewer(workspace.preview, run, samples.open)
  await using measures = createRunMeasures(run, () => measuredFaces(faces, run))
  const status = statusOf(length, recipe)
  const before = run.progress.iteration
  const trainWishes = new Set<'save' | 'backup'>()
  const reports = train(run, samples.batch, {
    ...{ recipe, length, batchSize, settings, device, signal, wishes: trainWishes },
    rateFactor: job.learningRate === undefined ? 1 : job.learningRate / highestRate(recipe),
    furtherLosses: config.losses,
    saveEverySeconds: job.saveEverySeconds ?? SAVE_EVERY_SECONDS,
    backupEverySeconds: job.backupEverySeconds,
    measure: { of: measures.of, best: 'mapping' },
    data: fedFrom({ sides, pretrain: job.pretrain, sampler: job.sampler, config }),
  })
  for await (const report of reports) {
    yield status(report)
    for (const event of report.events) yield sayRunEvent(event, report.iteration, report.seconds)
    for (const wish of ['save', 'backup'] as const)
      if (wishes?.delete(wish)) {
        trainWishes.add(wish)
        yield notice(run, wish === 'save' ? 'is saved' : 'is saved, and kept as a backup')
      }
    const preview = wishes?.delete('preview') ? await previewer.write() : await previewer.ifDue(report)
    if (preview) yield preview
  }
  const { iteration: iterations, seconds } = run.progress
  const last = iterations > before ? await previewer.write() : undefined
  if (last) yield last
  const stopped = signal?.aborted === true && !(hasLength && progressOf(length, iterations, seconds) >= 1)
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
function statusOf(length: Length, recipe: Recipe | StagedRecipe): (report: TrainReport) => ProgressEvent {
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
      note: `${ms.toFixed(0)} ms (${dataMs.toFixed(0)} data + ${computeMs.toFixed(0)} compute)  loss ${losses(mean)}  ${phase}`,
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

/** The preset of a training: the one that was asked for, that of the model that is there, or the one that fits the length. */
export function presetOf({ record }: Workspace, job: TrainJob, isNew: boolean): Preset {
  if (job.preset) return presetNamed(job.preset)
  return !isNew && record.preset ? presetNamed(record.preset) : presetFor(job)
}

/** The model that is there, if nothing that is fixed was asked to be another. */
async function openChecked(workspace: Workspace, job: TrainJob, config: LoadedConfig): Promise<ModelFolder> {
  const run = await openModel(workspace.model, faceArchitectures(config))
  const { options, seed } = run.description
  const asked: Record<string, unknown> = {
    ...(job.preset && workspace.record.preset ? { preset: job.preset } : {}),
    ...(job.architecture ? { architecture: job.architecture } : {}),
    ...job.model,
    ...(job.seed === undefined ? {} : { seed: job.seed }),
    ...(job.optimiser === undefined ? {} : { optimiser: job.optimiser }),
  }
  const own: Record<string, unknown> = {
    preset: workspace.record.preset,
    architecture: run.description.architecture,
    ...options,
    ...{ seed, optimiser: run.description.optimiser ?? 'adabelief' },
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

/** A model of the workspace, which has none yet. */
export async function newModel(
  workspace: Workspace,
  job: TrainJob,
  { preset, faceType, config }: { preset: Preset; faceType: Faceset['info']['faceType']; config: LoadedConfig },
): Promise<{ run: ModelFolder; startedFrom?: string }> {
  const architecture = architectureNamed(job.architecture ?? 'df', config)
  // Presets are made for DF. Of their options, another architecture gets those that it has.
  const known = Object.entries(preset.architecture).filter(([name]) => name in architecture.options)
  const options = { ...Object.fromEntries(known), ...job.model }
  const given = { options, faceType, seed: job.seed, optimiser: job.optimiser }
  const file = job.weights ?? START_WEIGHTS
  const weights = job.fromScratch || architecture.name !== 'df' ? undefined : await startWeights(file, options)
  await workspace.update({ preset: preset.name, fromWeights: weights !== undefined })
  const run = await createModel(workspace.model, architecture, weights ? { ...given, weights } : given)
  await run.remember({
    event: 'began',
    fromIteration: 0,
    with: weights ? `the weights of ${basename(file)}` : 'random weights',
  })
  return { run, startedFrom: weights ? file : undefined }
}

/** @throws DflError `NO_SUCH_FILE` where the side was not extracted yet, with what to do. */
export async function openSide(workspace: Workspace, side: Side): Promise<Faceset> {
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

/**
 * The recipe that was asked for, now or when the model was last trained; nothing for the preset's.
 *
 * It is copied into the model's folder, so that a run goes on as it began, whatever becomes of the file.
 */
async function ownRecipe(
  { model }: Workspace,
  { recipe }: TrainJob,
  { recipes }: LoadedConfig,
): Promise<Recipe | StagedRecipe | undefined> {
  const copy = join(model, 'recipe.json')
  if (recipe === undefined) return (await exists(copy)) ? readRecipe(copy) : undefined
  if (recipe === 'preset') return void (await rm(copy, { force: true }))
  const found = recipes.find(({ name }) => name === recipe) ?? (await readRecipe(recipe))
  await writeFileAtomic(copy, `${JSON.stringify(found, null, 2)}\n`)
  return found
}

const highestRate = ({ phases }: Recipe | StagedRecipe) => Math.max(...phases.flatMap((phase) => phase.learningRate))

/** What the weights are fed, for the history. */
function fedFrom({
  sides,
  pretrain,
  sampler,
  config,
}: {
  sides: Record<Side, Faceset>
  pretrain?: string
  sampler?: SampleOptions
  config: LoadedConfig
}): Record<string, unknown> {
  const names = (list: readonly { name: string }[]) => list.map(({ name }) => name)
  const own = Object.entries(sides).map(([side, { info }]) => [side, { faces: info.count, sources: info.sources }])
  return {
    ...(pretrain === undefined ? Object.fromEntries(own) : { pretrain }),
    ...(sampler && Object.keys(sampler).length > 0 ? { samples: sampler } : {}),
    ...(Object.keys(config.people).length > 0 ? { people: config.people } : {}),
    ...(config.losses.length > 0 ? { losses: names(config.losses) } : {}),
    ...(config.augmentations.length > 0 ? { augmentations: names(config.augmentations) } : {}),
  }
}

const notice = ({ progress }: ModelFolder, text: string) =>
  ({
    event: 'notice',
    kind: 'run',
    iteration: progress.iteration,
    text: `iteration ${progress.iteration}: ${text}`,
    detail: {},
  }) as const

function beginning(
  { model, progress, optimiser, description }: ModelFolder,
  preset: Preset,
  { isNew, startedFrom, endless }: { isNew: boolean; startedFrom?: string; endless: boolean },
): string {
  const parameters = countParams(model.params)
  // Each has a gradient and the optimiser's moments beside it.
  const gigabytes = (4 * parameters * (2 + optimiser.moments.length)) / 1e9
  const size = `${(parameters / 1e6).toFixed(1)} million parameters, ${gigabytes.toFixed(1)} GB with what the optimiser needs`
  const what = `${description.architecture.toUpperCase()} ${model.resolution} px, preset ${preset.name}, ${size}`
  const stop = endless ? '. Stop it with Ctrl-C' : ''
  if (!isNew) return `${what}, goes on from iteration ${progress.iteration} (${sayDuration(progress.seconds)})${stop}`
  return `${what}, ${startedFrom ? 'starts from weights that learned other, rendered heads (--from-scratch starts from zero)' : 'starts from zero'}${stop}`
}
