import { basename } from 'node:path'
import { DflError, type FaceType, type OptionsOf, type OptionTable, resolveOptions } from '@dfl/core'
import { ENCODER_SHRINKS } from '@dfl/model-df'
import { type FaceModel, type ModelArchitecture, OPTIMISERS } from '@dfl/nn'
import { createModel, hasModel, type ModelFolder, openModel, planStep } from '@dfl/trainer'
import { faceArchitectureNamed, faceArchitectures } from './architectures.js'
import type { LoadedConfig } from './config.js'
import { FIRST_LEVEL, type Preset, presetNamed, sameNetwork } from './presets.js'
import { START_WEIGHTS, startWeights } from './start-weights.js'
import type { TrainJob } from './train-job.js'
import type { Workspace } from './workspace.js'

/**
 * The workspace's model, if nothing that is fixed was asked to be another.
 *
 * @throws DflError `OPTION_IS_FIXED`, and as `openModel`.
 */
export async function openUnchanged(workspace: Workspace, job: TrainJob, config: LoadedConfig): Promise<ModelFolder> {
  const run = await openModel(workspace.model, faceArchitectures(config))
  const { options, seed } = run.description
  const asked: Record<string, unknown> = {
    ...(presetDiffers(workspace, job) ? { preset: job.preset } : {}),
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

/** Whether a preset was asked for whose network is not that of the model's preset. */
const presetDiffers = ({ record }: Workspace, { preset }: TrainJob): boolean =>
  preset !== undefined && record.preset !== undefined && !sameNetwork(presetNamed(preset), presetNamed(record.preset))

/** What a model is made with that is not there yet. */
interface NewModel {
  preset: Preset
  faceType: FaceType
  config: LoadedConfig
}

/**
 * The model that a training will have, as it is or as it would be made: what cannot be is told before any work.
 *
 * @throws DflError `BAD_OPTION`, and as `openUnchanged`.
 */
export async function modelToBe(workspace: Workspace, job: TrainJob, made: NewModel): Promise<FaceModel> {
  if (!(await hasModel(workspace.model))) return (await planned(job, made)).model
  const { model } = await openUnchanged(workspace, job, made.config)
  return expectLearnable(model, job, made)
}

/** The model itself if what was set goes with it. @throws DflError `BAD_OPTION`. */
function expectLearnable(model: FaceModel, job: TrainJob, { preset }: Pick<NewModel, 'preset'>): FaceModel {
  const { settings, sampler, pretrain } = job
  // Pretraining sets its own.
  if (pretrain !== undefined) return model
  const optimiser = OPTIMISERS[job.optimiser ?? preset.optimiser ?? 'adabelief']()
  planStep(model, { batchSize: sampler?.batchSize ?? preset.batchSize, optimiser, randomWarp: true, ...settings })
  return model
}

/** A model of the workspace, which has none yet. */
export async function newModel(
  workspace: Workspace,
  job: TrainJob,
  made: NewModel,
): Promise<{ run: ModelFolder; startedFrom?: string }> {
  const { preset, faceType } = made
  const { architecture, options, file, weights } = await planned(job, made)
  const given = { options, faceType, seed: job.seed, optimiser: job.optimiser ?? preset.optimiser }
  await workspace.update({
    preset: preset.name,
    fromWeights: weights ? hasDecoders(weights) || 'encoder' : false,
  })
  const run = await createModel(workspace.model, architecture, weights ? { ...given, weights } : given)
  await run.remember({
    event: 'began',
    fromIteration: 0,
    with: weights ? `the weights of ${basename(file)}` : 'random weights',
  })
  return { run, startedFrom: weights ? file : undefined }
}

/** Architecture and options of a new model, what it is with them, and the weights that it begins with, if any fit it. */
async function planned(job: TrainJob, { preset, faceType, config }: NewModel) {
  const architecture = faceArchitectureNamed(job.architecture ?? 'df', config)
  const file = job.weights ?? START_WEIGHTS
  const usual = optionsOver(preset, architecture, job.model)
  const weightsOf = async (options: typeof usual) =>
    job.fromScratch || architecture.name !== 'df' ? undefined : startWeights(file, options)
  // The weights know faces: in a head's square they find one in its window.
  const inWindow = faceType === 'head' && seesLess(usual) ? { faceWindow: true, ...usual } : usual
  const found = await weightsOf(inWindow)
  const [options, weights] = found ? [inWindow, found] : [usual, await weightsOf(usual)]
  const model = architecture.build(resolveOptions(architecture.options, options as OptionsOf<OptionTable>))
  return { architecture, options, file, weights, model: expectLearnable(model, job, { preset }) }
}

/** Whether the encoder sees a smaller picture than is painted. */
const seesLess = ({ resolution, encoderResolution: seen }: Readonly<Record<string, unknown>>) =>
  Boolean(seen) && seen !== resolution

/** Whether weights to start from are also those of the decoders. */
const hasDecoders = (weights: object) =>
  Object.keys(weights).some((path) => path.startsWith(`decoder_src/${FIRST_LEVEL[0]}`))

/**
 * Options of a new model: the preset's, which are made for DF and of which another architecture gets those that it has, and
 * over them what was asked for. What DF's encoder sees of another resolution stays as it is where that can be.
 */
function optionsOver(
  preset: Preset,
  architecture: ModelArchitecture,
  asked: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const known = Object.entries(preset.architecture).filter(([name]) => name in architecture.options)
  const options: Record<string, unknown> = { ...Object.fromEntries(known), ...asked }
  const { resolution, encoderResolution: seen } = options
  if (seen && asked.encoderResolution === undefined && !ENCODER_SHRINKS.includes(Number(resolution) / Number(seen)))
    options.encoderResolution = 0
  return options
}
