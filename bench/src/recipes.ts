import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { presetNamed, START_WEIGHTS, startWeights, type TrainJob, type TrainResult, type Workspace } from '@dfl/cli'
import { DflError, isDflError } from '@dfl/core'
import { exists } from '@dfl/core/files'
import { df } from '@dfl/model-df'
import type { ModelArchitecture } from '@dfl/nn'
import { createModel, openModel } from '@dfl/trainer'
import { ALTERNATIVES, type Alternative } from './alternatives.js'
import { benchArguments } from './bench-arguments.js'
import { ROOT } from './footage.js'
import { drawn, type Tensor } from './initialisers.js'
import {
  cellsOf,
  LOOK_COLUMNS,
  type Look,
  type LookedAt,
  lookAt,
  openPair,
  PROCESSOR_TIME,
  secondsOf,
  trainUntil,
} from './looks.js'
import { type BenchContext, type Outcome, table } from './report.js'

/** What an alternative gave, or why it gave nothing. */
interface Found extends Pick<Alternative, 'name' | 'change'> {
  look?: Look
  failed?: string
}

/** How long an alternative trains. */
interface Length {
  seconds: number
  /** Whether the seconds are of processor time. */
  processorTime: boolean
}

const DF = df as unknown as ModelArchitecture
const SEED = 1

/**
 * Ways to train, each for the same time on the same pair, in one table: the preset, DeepFaceLab's recipes, and the preset with
 * one thing changed. What is finished is kept and not trained again.
 */
export async function run(args: string[], context: BenchContext): Promise<Outcome> {
  const { values } = benchArguments(args, {
    pair: { type: 'string', about: 'clips of your own: x for x-src.mp4, x-dst.mp4 and x-truth.mp4' },
    time: { type: 'string', default: '2m', about: 'training time, such as 90s or 10m' },
    only: { type: 'string', about: 'those whose names begin so, with commas between them' },
    'every-nth': { type: 'string', default: '4', about: 'measure every so many frames' },
    'processor-time': { type: 'boolean', about: 'train on one thread and count its processor time' },
    out: { type: 'string', about: 'output folder' },
  })
  const seconds = secondsOf('--time', values.time)
  const alternatives = chosen(values.only)
  const outOf = (name: string) =>
    values.out ??
    join(ROOT, 'workspace', `recipes-${name}-${values.time}${values['processor-time'] ? '-processor' : ''}`)
  const { faceType } = presetNamed('quick')
  const pair = await openPair(values.pair, { faceType, everyNth: Number(values['every-nth']), out: outOf }, context)
  const found: Found[] = []
  for (const [i, alternative] of alternatives.entries()) {
    const say = (line: string) => context.say(`${alternative.name} (${i + 1} of ${alternatives.length}): ${line}`)
    found.push(await finished(pair, alternative, { seconds, processorTime: values['processor-time'], say }))
    context.tell(describe(found.slice(-1)))
  }
  const text = [
    describe(found),
    '',
    `${pair.name}, ${values.time}${values['processor-time'] ? ' of processor time' : ''} each. Merged clips and sheets: ${pair.out}`,
  ]
  return {
    text: text.join('\n'),
    data: {
      pair: pair.name,
      seconds,
      processorTime: values['processor-time'],
      everyNth: pair.everyNth,
      out: pair.out,
      alternatives: found,
    },
  }
}

/** Alternatives whose name begins as one of those in the list; all without a list. */
function chosen(only: string | undefined): readonly Alternative[] {
  if (only === undefined) return ALTERNATIVES
  const wanted = only.split(',')
  const unknown = wanted.filter((name) => !ALTERNATIVES.some((one) => one.name.startsWith(name)))
  if (unknown.length > 0)
    throw new DflError(
      'BAD_OPTION',
      `Expected beginnings of ${ALTERNATIVES.map(({ name }) => name).join(', ')} for \`--only\`, but got ${unknown.join(', ')}. Correct them.`,
    )
  return ALTERNATIVES.filter(({ name }) => wanted.some((one) => name.startsWith(one)))
}

/** What an alternative gives, now or as it was found before by the same job. */
async function finished(
  pair: LookedAt,
  alternative: Alternative,
  { say, ...length }: Length & Pick<BenchContext, 'say'>,
): Promise<Found> {
  const { name, change, job, smallFirst } = alternative
  const label = name.replace('/', '-')
  const kept = join(pair.out, `${label}.json`)
  const key = JSON.stringify({ ...length, everyNth: pair.everyNth, change, job, smallFirst })
  if (await exists(kept)) {
    const known = JSON.parse(await readFile(kept, 'utf8')) as { key: string; look: Look }
    if (known.key === key) return { name, change, look: known.look }
  }
  try {
    const trained = await trainAlternative(pair.workspace, alternative, { ...length, say })
    const look = await lookAt(pair, label, trained, { say, config: configOf(alternative) })
    await writeFile(kept, `${JSON.stringify({ key, look }, null, 2)}\n`)
    return { name, change, look }
  } catch (error) {
    // That one way leads nowhere is a result, too: the others are tried all the same.
    if (isDflError(error)) return { name, change, failed: error.message }
    throw error
  }
}

/** Trains the workspace's model anew in an alternative's way. */
async function trainAlternative(
  workspace: Workspace,
  alternative: Alternative,
  { seconds, processorTime, say }: Length & Pick<BenchContext, 'say'>,
): Promise<TrainResult & { stageSeconds: number }> {
  const context = { say, config: configOf(alternative) }
  const { draw, architecture = DF, smallFirst } = alternative
  const job = { ...alternative.job, seconds, ...(processorTime ? PROCESSOR_TIME : {}) }
  await rm(workspace.model, { recursive: true, force: true })
  if (smallFirst) {
    const { model, share, recipe } = smallFirst
    const time = share * seconds
    const first = await trainUntil(workspace, { ...job, seconds: time, recipe, model }, time, context)
    const { state } = await openModel(workspace.model, [DF])
    const small = state.snapshot((path) => !path.includes(':')) as Record<string, Tensor>
    await rm(workspace.model, { recursive: true, force: true })
    await begin(workspace, DF, { job, weights: (params) => inCommon(params, small) })
    const rest = await trainUntil(workspace, { ...job, seconds: seconds - time }, seconds - time, context)
    return {
      ...rest,
      iterations: first.iterations + rest.iterations,
      seconds: first.seconds + rest.seconds,
      stageSeconds: first.stageSeconds + rest.stageSeconds,
    }
  }
  if (draw) await begin(workspace, DF, { job, weights: (params) => drawn(params, draw, SEED) })
  else if (architecture !== DF) await begin(workspace, architecture, { job })
  return trainUntil(workspace, job, seconds, context)
}

/** Those of a trained network's weights that another has, too. */
const inCommon = (params: ReturnType<typeof df.build>['params'], trained: Readonly<Record<string, Tensor>>) =>
  Object.fromEntries(Object.entries(trained).filter(([path, { shape }]) => params[path]?.shape.join() === shape.join()))

/** Makes the model that training then finds: what `trainStage` would not begin so by itself. */
async function begin(
  workspace: Workspace,
  architecture: ModelArchitecture,
  {
    job,
    weights,
  }: { job: TrainJob; weights?: (params: ReturnType<typeof df.build>['params']) => Record<string, Tensor> },
): Promise<void> {
  const { architecture: options, faceType } = presetNamed('quick')
  const { params } = df.build({ ...defaults(), ...options })
  const start = job.fromScratch ? undefined : await startWeights(START_WEIGHTS, options)
  await workspace.update({ preset: 'quick', fromWeights: start !== undefined })
  const initial = start ?? weights?.(params)
  await createModel(workspace.model, architecture, {
    ...{ options, faceType, seed: SEED, optimiser: job.optimiser },
    ...(initial ? { weights: initial } : {}),
  })
}

const defaults = () =>
  Object.fromEntries(Object.entries(df.options).map(([name, spec]) => [name, spec.default])) as Parameters<
    typeof df.build
  >[0]

const configOf = ({ config, architecture }: Alternative) => ({
  ...{ architectures: [], losses: [], augmentations: [], recipes: [], people: {} },
  ...config,
  ...(architecture ? { architectures: [architecture] } : {}),
})

function describe(found: readonly Found[]): string {
  const rows = found.map(({ name, change, look }) => [
    name,
    change,
    ...(look ? cellsOf(look) : LOOK_COLUMNS.map(() => '–')),
  ])
  const failures = found.flatMap(({ name, failed }) => (failed ? [`${name} failed: ${failed}`] : []))
  return [table(['alternative', 'what is another', ...LOOK_COLUMNS], rows), ...failures].join('\n')
}
