import { join } from 'node:path'
import type { Side } from '@dfl/core'
import { exists } from '@dfl/core/files'
import { chooseDevice, type Device } from '@dfl/engine'
import { type Faceset, openFaceset } from '@dfl/faceset'
import {
  hasModel,
  isStaged,
  type Length,
  progressOf,
  type Recipe,
  type StagedRecipe,
  type TrainOptions,
  train,
} from '@dfl/trainer'
import { describeConfig, type LoadedConfig, NO_CONFIG } from '../config.js'
import { type Stage, type StageContext, sayDuration } from '../events.js'
import { divide, measuredFaces } from '../held-out.js'
import { leftOutOf } from '../left-out.js'
import { createNearestSheet } from '../nearest-sheet.js'
import { presetFor, rateForWidth, recipeOf, sameNetwork, withoutEnd } from '../presets.js'
import { isPretrained, leavePretraining, PRETRAINING } from '../pretraining.js'
import { createPreviewer } from '../preview.js'
import { sayRunEvent } from '../run-events.js'
import { createRunMeasures } from '../run-measures.js'
import { openPeople, openSamples, type SampleOptions } from '../samples.js'
import { headAdvice, openSides } from '../sides.js'
import { ownRecipe, presetOf, type TrainJob } from '../train-job.js'
import { notice, sayBeginning, sayHead, sayLosses, statusOf, WITHOUT_START_WEIGHTS } from '../train-status.js'
import { afterCost, sayCost } from '../training-cost.js'
import type { Workspace } from '../workspace.js'
import { newModel, openUnchanged } from '../workspace-model.js'

const SAVE_EVERY_SECONDS = 30

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
  const device = await chooseDevice(job.device ?? 'cpu')
  const preset = presetOf(workspace, { ...job, device }, isNew)
  const own = await ownRecipe(workspace, job, config)
  const endless = length.iterations === undefined && length.seconds === undefined && !(own && isStaged(own))
  const hasLength = length.iterations !== undefined || length.seconds !== undefined
  const began = performance.now()

  if (!isNew) {
    const run = await openUnchanged(workspace, job, config)
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

  const sides = await openSides(workspace)
  const faceType = sides.src.info.faceType
  const { run, startedFrom } = isNew
    ? await newModel(workspace, job, { preset, faceType, config })
    : { run: await openUnchanged(workspace, job, config), startedFrom: undefined }
  const recorded = workspace.record.preset
  if (recorded && recorded !== preset.name) await workspace.update({ preset: preset.name })
  for (const text of run.skipped) yield { event: 'warning', text }
  const better = isNew || job.preset || own || !hasLength ? preset : presetFor({ ...job, device })
  if (better.name !== preset.name)
    yield {
      event: 'warning',
      text: `The model here is of preset ${preset.name}; for this length ${better.name} is meant. To change, ${sameNetwork(better, preset) ? `add --preset ${better.name}` : 'train in another workspace'}.`,
    }

  const meant = recipeOf(preset, workspace.record.fromWeights, faceType)
  const recipe: Recipe | StagedRecipe = own ?? (endless ? withoutEnd(meant) : meant)
  const forWidth = own || job.learningRate !== undefined ? 1 : rateForWidth(preset, run.description.options)
  const sampling = { ...preset.samples, ...job.sampler }
  const batchSize = sampling.batchSize ?? preset.batchSize
  const settings = job.pretrain === undefined ? (job.settings ?? {}) : { ...job.settings, ...PRETRAINING.settings }
  if (config.path) yield { event: 'warning', text: `Uses ${describeConfig(config)}` }
  yield {
    event: 'stage',
    stage: 'train',
    state: 'started',
    text: sayBeginning(run, preset, { isNew, startedFrom, endless }) + sayWhere(device, job),
  }
  const advice = [
    ...(['src', 'dst'] as const).map((side) => leftOutOf(sides[side].info, workspace.faceset[side])),
    await headAdvice(sides),
  ]
  for (const text of advice) if (text) yield { event: 'warning', text }
  if (isNew && !startedFrom && !job.fromScratch && preset.recipeFromWeights) yield notice(run, WITHOUT_START_WEIGHTS)
  const ofHeads = isNew ? sayHead(run) : undefined
  if (ofHeads) yield notice(run, ofHeads)
  if (device === 'cpu' && job.precision === 'mixed')
    yield {
      event: 'warning',
      text: 'In mixed precision a CPU trains about half as fast: it has to go by way of 32 bits. Leave --precision out, or name a --device that dfl doctor lists as quicker in 16-bit floats.',
    }
  if (own) yield notice(run, `recipe ${own.name}: ${own.assumes}`)
  if (forWidth < 1)
    yield notice(
      run,
      `learns at ${forWidth.toFixed(2)} of the rates of preset ${preset.name}, because it is as much wider than its network`,
    )
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
      options: many ? { ...sampling, ...PRETRAINING.samples } : sampling,
      batchSize,
      eyesMouth: [...recipe.phases, settings].some(({ eyesMouthPrio = 0 }) => eyesMouthPrio > 0),
      first: { ...recipe.phases[0]!, ...settings },
    },
  )
  await using previewer = createPreviewer(workspace.preview, run, samples.open)
  await using measures = createRunMeasures(run, () => measuredFaces(faces, run))
  const nearest = createNearestSheet(workspace.preview, sides.src)
  const status = statusOf(length, recipe)
  const before = run.progress.iteration
  const trainWishes = new Set<'save' | 'backup'>()
  const options: TrainOptions = {
    ...{ recipe, length, batchSize, settings, device, precision: job.precision, signal, wishes: trainWishes },
    ...{ threads: job.threads, clock: job.clock },
    rateFactor: job.learningRate === undefined ? forWidth : job.learningRate / highestRate(recipe),
    furtherLosses: config.losses,
    saveEverySeconds: job.saveEverySeconds ?? SAVE_EVERY_SECONDS,
    backupEverySeconds: job.backupEverySeconds,
    measure: { of: measures.of, best: 'mapping' },
    data: fedFrom({ sides, pretrain: job.pretrain, sampler: sampling, config }),
  }
  const at = { ...run.progress, length, device }
  for await (const report of afterCost((told) => train(run, samples.batch, { ...options, ...told }), device)) {
    if ('memory' in report) {
      yield sayCost(report, at)
      continue
    }
    yield status(report)
    for (const event of report.events) {
      yield sayRunEvent(event, report.iteration, report.seconds)
      const drift = event.kind === 'measured' && measures.seen && (await nearest.write(measures.seen, report.iteration))
      if (drift) yield drift
    }
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
    text: `iteration ${iterations}, ${sayDuration(seconds)} of training, loss ${sayLosses(run.progress.losses)}`,
    seconds: (performance.now() - began) / 1000,
  }
  return { iterations, seconds, stopped, skipped: false, preset: preset.name, preview: last?.path, startedFrom }
}

/** Where and how a training computes, where it is not as usual. */
const sayWhere = (device: Device, { precision }: TrainJob): string =>
  (device === 'cpu' ? '' : `, on ${device}`) + (precision === 'mixed' ? ', in mixed precision' : '')

/** The newest preview picture, if there is one. */
async function latestPreview({ preview }: Workspace): Promise<string | undefined> {
  const path = join(preview, 'latest.png')
  return (await exists(path)) ? path : undefined
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
  sampler: SampleOptions
  config: LoadedConfig
}): Record<string, unknown> {
  const names = (list: readonly { name: string }[]) => list.map(({ name }) => name)
  const own = Object.entries(sides).map(([side, { info }]) => [side, { faces: info.count, sources: info.sources }])
  return {
    ...(pretrain === undefined ? Object.fromEntries(own) : { pretrain }),
    ...(Object.keys(sampler).length > 0 ? { samples: sampler } : {}),
    ...(Object.keys(config.people).length > 0 ? { people: config.people } : {}),
    ...(config.losses.length > 0 ? { losses: names(config.losses) } : {}),
    ...(config.augmentations.length > 0 ? { augmentations: names(config.augmentations) } : {}),
  }
}
