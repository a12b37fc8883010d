import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { exists, writeFileAtomic } from '@dfl/core/files'
import type { DeviceChoice, Precision } from '@dfl/engine'
import type { OptimiserName } from '@dfl/nn'
import { type Recipe, readRecipe, type SampleSettings, type StagedRecipe, type StepSettings } from '@dfl/trainer'
import type { LoadedConfig } from './config.js'
import { type Preset, presetFor, presetNamed } from './presets.js'
import type { SampleOptions } from './samples.js'
import type { Workspace } from './workspace.js'

/** What a training is asked for. */
export interface TrainJob {
  /** Training time of the whole run, all sittings together. */
  seconds?: number
  /** Iterations of the whole run. */
  iterations?: number
  /** Where it trains: `cpu` by default. */
  device?: DeviceChoice
  /** `mixed` computes products in 16-bit floats; `float32` by default. */
  precision?: Precision
  /** Threads of a train step on the CPU; all cores by default. */
  threads?: number
  /** Milliseconds that `seconds` are counted in; those that pass by default. */
  clock?: () => number
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

/** The preset of a training: the one that was asked for, that of the model that is there, or the one that fits the length. */
export function presetOf({ record }: Workspace, job: TrainJob, isNew: boolean): Preset {
  if (job.preset) return presetNamed(job.preset)
  return !isNew && record.preset ? presetNamed(record.preset) : presetFor(job)
}

/**
 * The recipe that was asked for, now or when the model was last trained; nothing for the preset's.
 *
 * It is copied into the model's folder, so that a run goes on as it began, whatever becomes of the file.
 */
export async function ownRecipe(
  { model }: Workspace,
  { recipe }: TrainJob,
  { recipes }: LoadedConfig,
): Promise<Recipe | StagedRecipe | undefined> {
  const copy = join(model, 'recipe.json')
  if (recipe === undefined) return (await exists(copy)) ? readRecipe(copy) : undefined
  if (recipe === 'preset') return void (await rm(copy, { force: true }))
  const found = await recipeNamed(recipe, recipes)
  await writeFileAtomic(copy, `${JSON.stringify(found, null, 2)}\n`)
  return found
}

/** Nothing, if the recipe that was asked for can be read. @throws DflError as `readRecipe`. */
export async function expectRecipe({ recipe }: TrainJob, { recipes }: LoadedConfig): Promise<void> {
  if (recipe !== undefined && recipe !== 'preset') await recipeNamed(recipe, recipes)
}

const recipeNamed = async (recipe: string, recipes: LoadedConfig['recipes']) =>
  recipes.find(({ name }) => name === recipe) ?? (await readRecipe(recipe))
