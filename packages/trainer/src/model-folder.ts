import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DflError, type FaceType, type OptionsOf, type OptionTable, resolveOptions } from '@dfl/core'
import { exists, removeTemporaryFiles, writeFileAtomic } from '@dfl/core/files'
import type { State } from '@dfl/engine'
import {
  type FaceModel,
  initialise,
  type ModelArchitecture,
  OPTIMISERS,
  type Optimiser,
  type OptimiserName,
} from '@dfl/nn'
import { loadCheckpoint, type Progress, removeUnfinishedCheckpoints, saveCheckpoint } from './checkpoint.js'
import { goBackTo, type Kept, keep, listGenerations, readKept } from './generations.js'
import type { Measured } from './recipe.js'
import { createTrainState } from './train-state.js'

/** What `model.json` says: fixed once a model exists. */
export interface ModelDescription {
  format: 1
  architecture: string
  options: Record<string, unknown>
  faceType: FaceType
  seed: number
  /** AdaBelief where it is left out. */
  optimiser?: OptimiserName
}

/** A line of `history.jsonl` that says what the weights were fed from an iteration on. */
export interface FedEntry {
  event: 'fed'
  fromIteration: number
  recipe: string
  phase: string
  batchSize: number
  /** Left out for float32. */
  precision?: 'mixed'
  /** The phase's settings, and those that were set over them. */
  settings: Readonly<Record<string, unknown>>
  /** What the batches were drawn from, in the caller's words. */
  data?: Record<string, unknown>
}

/** A line of `history.jsonl`: what the weights were fed, and what else befell them. */
export type HistoryEntry =
  | FedEntry
  | { event: 'began'; fromIteration: number; with: string }
  | { event: 'moved-on'; fromIteration: number; phase: string; because: string }
  | { event: 'went-back'; fromIteration: number; toIteration: number; because: string; rateFactor: number }

/** One line of `log.jsonl`: means over the iterations since the line before. */
export interface LogEntry {
  iteration: number
  seconds: number
  src: number
  dst: number
  learningRate: number
  /** In mixed precision: what losses are multiplied by. */
  lossScale?: number
  /** In mixed precision: steps that were left out because gradients were no numbers, if there were any. */
  skipped?: number
}

/** A model on disk and in memory: description, weights, optimiser, progress. */
export interface ModelFolder {
  readonly folder: string
  readonly description: ModelDescription
  readonly model: FaceModel
  readonly optimiser: Optimiser
  readonly state: State
  readonly progress: Progress
  /** Why newer checkpoints were passed over when it was opened. */
  readonly skipped: readonly string[]
  /** Writes a checkpoint of the present state, and clears what a killed writer left. */
  save(): Promise<void>
  /** Lines of the log that belong to the present weights. */
  readLog(): Promise<LogEntry[]>
  log(entry: LogEntry): Promise<void>
  /** All that the weights were ever fed, in order, also what was undone by going back. */
  readHistory(): Promise<HistoryEntry[]>
  /** Adds a line to the history, unless the last one says the same. */
  remember(entry: HistoryEntry): Promise<void>
  /** Measures that belong to the present weights, oldest first. */
  readMeasures(): Promise<Measured[]>
  measured(entry: Measured): Promise<void>
  /** Keeps the newest checkpoint as a backup, or as the best by a measure. */
  keep(what: { backup: true } | Omit<NonNullable<Kept['best']>, 'iteration'>): Promise<void>
  kept(): Promise<Kept>
  /**
   * Takes weights and progress from the newest sound checkpoint up to an iteration, or the oldest where all are later.
   * Later ones are moved to `checkpoints/aside`.
   */
  goBack(upTo: number): Promise<void>
}

/** What a new model is and starts from. */
export interface CreateModelOptions {
  options?: Record<string, unknown>
  faceType: FaceType
  seed?: number
  /** Iterations that its weights were trained for elsewhere; 0 unless given. */
  iteration?: number
  /** What it learns by: AdaBelief unless another is named. */
  optimiser?: OptimiserName
  /** Weights to begin with instead of random ones, by path; paths that the model lacks or of another shape are refused. */
  weights?: Readonly<Record<string, { data: ArrayLike<number>; shape: readonly number[] }>>
}

/**
 * A new model in a folder, with weights from the seed.
 *
 * @throws DflError `BAD_STATE` when the folder holds a model already, `BAD_OPTION` for wrong options.
 */
export async function createModel(
  folder: string,
  architecture: ModelArchitecture,
  given: CreateModelOptions,
): Promise<ModelFolder> {
  if (await hasModel(folder))
    throw new DflError(
      'BAD_STATE',
      `Expected no model yet in \`${folder}\`, but there is one. Open it, or choose another folder.`,
    )
  const options = resolveOptions(architecture.options, given.options as OptionsOf<OptionTable>)
  const description: ModelDescription = {
    format: 1,
    architecture: architecture.name,
    options,
    faceType: given.faceType,
    seed: given.seed ?? 1,
    ...(given.optimiser && given.optimiser !== 'adabelief' ? { optimiser: given.optimiser } : {}),
  }
  const model = architecture.build(options)
  const optimiser = optimiserOf(description)
  const state = createTrainState(model, optimiser, description.seed)
  for (const [path, tensor] of Object.entries(given.weights ?? {})) {
    const shape = model.params[path]?.shape
    if (shape?.join() !== tensor.shape.join())
      throw new DflError(
        'BAD_SHAPE',
        `Expected ${shape ? `[${shape}]` : 'no tensor'} for \`${path}\`, but the starting weights hold [${tensor.shape}]. They belong to a model with other options.`,
      )
    state.set(path, tensor)
  }
  const made = modelFolder(
    folder,
    description,
    model,
    optimiser,
    state,
    {
      ...{ iteration: given.iteration ?? 0, seconds: 0, losses: { src: 0, dst: 0 } },
      ...(given.iteration ? { begunAt: given.iteration } : {}),
    },
    [],
  )
  // model.json comes last: a folder without it holds no model, so a crash before it starts over with the same weights.
  await made.save()
  await writeFileAtomic(join(folder, 'model.json'), `${JSON.stringify(description, null, 2)}\n`)
  return made
}

/** Whether a folder holds a model. */
export const hasModel = (folder: string): Promise<boolean> => exists(join(folder, 'model.json'))

/**
 * A model as its newest whole checkpoint has it. Only reads, so it may be called while another process trains it.
 *
 * @param architectures  Those that the model may be of.
 * @throws DflError `NO_SUCH_FILE`, `CORRUPT_FILE`, or `UNKNOWN_NAME` when its architecture is not among the given ones.
 */
export async function openModel(folder: string, architectures: readonly ModelArchitecture[]): Promise<ModelFolder> {
  const path = join(folder, 'model.json')
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected a model in \`${folder}\`, but there is no model.json. Train one first.`,
      { cause },
    )
  })
  let description: ModelDescription
  try {
    description = JSON.parse(text)
  } catch (cause) {
    throw new DflError(
      'CORRUPT_FILE',
      `Expected JSON in \`${path}\`, but it cannot be parsed. Restore it from a copy.`,
      { cause },
    )
  }
  if (description.format > 1)
    throw new DflError(
      'BAD_STATE',
      `Expected a model of format 1 in \`${path}\`, but got format ${description.format}. Use the newer program that wrote it.`,
    )
  const architecture = architectures.find(({ name }) => name === description.architecture)
  if (!architecture)
    throw new DflError(
      'UNKNOWN_NAME',
      `No architecture named \`${description.architecture}\`, which \`${path}\` asks for. Known here: ${architectures.map(({ name }) => name).join(', ')}. Install the package that has it.`,
    )
  const model = architecture.build(resolveOptions(architecture.options, description.options as OptionsOf<OptionTable>))
  const optimiser = optimiserOf(description)
  const checkpoint = await loadCheckpoint(folder)
  const state = createTrainState(model, optimiser, description.seed)
  for (const name of checkpoint?.state.names ?? []) state.set(name, checkpoint!.state.get(name))
  const progress = checkpoint?.progress ?? { iteration: 0, seconds: 0, losses: { src: 0, dst: 0 } }
  return modelFolder(folder, description, model, optimiser, state, progress, checkpoint?.skipped ?? [])
}

/** @throws DflError `UNKNOWN_NAME` for a name that is not in `OPTIMISERS`. */
function optimiserOf({ optimiser = 'adabelief' }: ModelDescription): Optimiser {
  const make = OPTIMISERS[optimiser]
  if (make) return make()
  throw new DflError(
    'UNKNOWN_NAME',
    `Expected one of ${Object.keys(OPTIMISERS).join(', ')} for \`optimiser\`, but got ${optimiser}. Choose one of them.`,
  )
}

function modelFolder(
  folder: string,
  description: ModelDescription,
  model: FaceModel,
  optimiser: Optimiser,
  state: State,
  progress: Progress,
  skipped: readonly string[],
): ModelFolder {
  const append = (file: string, entry: object) => appendFile(join(folder, file), `${JSON.stringify(entry)}\n`)
  const read = <T>(file: string) => readLines<T>(join(folder, file))
  const present = <T extends { iteration: number }>(entries: T[]) =>
    withoutUndone(entries).filter(({ iteration }) => iteration <= progress.iteration)
  return {
    folder,
    description,
    model,
    optimiser,
    state,
    progress,
    skipped,
    async save() {
      await removeUnfinishedCheckpoints(folder)
      await removeTemporaryFiles(folder)
      await saveCheckpoint(folder, state, progress)
    },
    log: (entry) => append('log.jsonl', entry),
    readLog: async () => present(await read<LogEntry>('log.jsonl')),
    readHistory: () => read<HistoryEntry>('history.jsonl'),
    async remember(entry) {
      const last = (await read<HistoryEntry>('history.jsonl')).at(-1)
      if (last && sayingOf(last) === sayingOf(entry)) return
      await append('history.jsonl', { at: new Date().toISOString(), ...entry })
    },
    measured: (entry) => append('measures.jsonl', entry),
    readMeasures: async () => present(await read<Measured>('measures.jsonl')),
    keep: (what) =>
      keep(folder, 'backup' in what ? { backup: progress.iteration } : { iteration: progress.iteration, ...what }),
    kept: () => readKept(folder),
    async goBack(upTo) {
      const found = await soundCheckpoint(folder, upTo)
      if (!found)
        throw new DflError(
          'CORRUPT_FILE',
          `Expected a sound checkpoint in \`${folder}\` to go back to, but got none. Restore a copy, or train anew.`,
        )
      await goBackTo(folder, found.progress.iteration)
      for (const name of state.names) {
        const shape = state.shapeOf(name)
        if (found.state.has(name)) state.set(name, found.state.get(name))
        // Of what came later, such as a critic, nothing sound is known: its moments begin anew, its values at small numbers.
        else state.set(name, startOf(name, shape))
      }
      for (const key of Object.keys(progress)) delete (progress as unknown as Record<string, unknown>)[key]
      Object.assign(progress, found.progress)
    },
  }
}

/** The newest checkpoint up to an iteration whose values are all numbers; the oldest sound one where all are later. */
async function soundCheckpoint(folder: string, upTo: number) {
  const names = (await listGenerations(folder)).map(Number) // newest first
  const wanted = [...names.filter((name) => name <= upTo), ...names.filter((name) => name > upTo).reverse()]
  for (const name of wanted) {
    const found = await loadCheckpoint(folder, name).catch(() => undefined)
    if (found?.progress.iteration === name && isSound(found.state)) return found
  }
  return undefined
}

/** Whether all values of a state are numbers. What devices hold must have been downloaded. */
export function isSound(state: State): boolean {
  return state.names.every((name) => {
    const { data } = state.get(name)
    let sum = 0
    for (let i = 0; i < data.length; i++) sum += data[i]! * 0 // 0, or NaN once a value is none
    return sum === 0
  })
}

function startOf(name: string, shape: readonly number[]) {
  if (!name.includes(':') && shape.length > 1)
    return initialise({ [name]: { shape, init: 'glorot-uniform' } }, 1)[name]!
  return { data: new Float32Array(shape.reduce((a, b) => a * b, 1)), shape }
}

/** The lines of a file, without what a crash has torn. */
async function readLines<T>(path: string): Promise<T[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as T]
    } catch {
      return []
    }
  })
}

/** Entries that no later one has replaced: after going back, iterations come again. */
function withoutUndone<T extends { iteration: number }>(entries: readonly T[]): T[] {
  const out: T[] = []
  for (const entry of entries) {
    while (out.length > 0 && out.at(-1)!.iteration >= entry.iteration) out.pop()
    out.push(entry)
  }
  return out
}

/** What an entry says, wherever and whenever. */
const sayingOf = (entry: HistoryEntry): string =>
  JSON.stringify({ ...entry, at: undefined, fromIteration: entry.event === 'fed' ? undefined : entry.fromIteration })
