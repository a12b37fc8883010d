import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSampler, type Faceset } from '@dfl/faceset'
import { countParams, faceLosses, type Loss, type ModelArchitecture } from '@dfl/nn'
import {
  type BatchSource,
  createModel,
  findLearningRate,
  type ModelFolder,
  type Recipe,
  type TrainReport,
  train,
} from '@dfl/trainer'
import { architectureNamed, COMMON, type Setup, withCommon } from './option-cases.js'
import { aroundTheFace, paintedMeasures } from './option-paint.js'
import { orderMeasures, type Seen, watchSamples } from './option-samples.js'

/** Facesets of both sides that samples are drawn from. */
export type Sides = Record<'src' | 'dst', Faceset>

/** What a setup gave. Plain data: it is kept in a file. */
export interface OptionRun {
  iterations: number
  /** Losses that were no numbers, and times that the run had to go back. */
  notFinite: number
  /** Processor time of an iteration, of all threads, its samples included. */
  cpuMsPerIteration: number
  measures: Record<string, number>
  seen: Seen
}

/** One: threads that wait for each other take processor time, too, and most where others want the cores. */
const THREADS = 1
/** Iterations before times and mean losses are taken. */
const SETTLED = 20
/** How many iterations at the beginning are looked at: fewer than a warm-up has. */
const FIRST = 10
/** How many iterations at the end the losses are the means of. */
const LAST = 40

/** Trains a setup from random weights in a folder of its own and looks at what became of it. */
export async function trainSetup(setup: Setup, all: Sides, iterations: number): Promise<OptionRun> {
  const { asMany, architecture, options, faceType, samples, settings, weights, optimiser, accumulate, rates } =
    withCommon(setup)
  const sides = asMany ? firstOfBoth(all) : all
  const folder = await mkdtemp(join(tmpdir(), 'dfl-options-'))
  try {
    const run = await createModel(folder, weighted(architectureNamed(architecture), weights), {
      ...{ options, faceType, seed: 1, optimiser },
    })
    const { resolution } = run.model
    const drawing = { ...samples, eyesMouth: samples.eyesMouth || (settings.eyesMouthPrio ?? 0) > 0 }
    await using sampler = await createSampler({ ...sides, faceType, resolution, ...drawing })
    const watched = watchSamples(resolution)
    const batches: BatchSource = async (draw) => watched.see(await sampler.batch(draw))
    const { batchSize = COMMON.samples.batchSize, randomWarp = true } = samples
    const learningRate =
      setup.learningRate === 'found'
        ? (
            await findLearningRate(run, async (draw) => sampler.batch(draw), {
              batchSize,
              iterations: 100,
              threads: THREADS,
            })
          ).learningRate
        : (setup.learningRate ?? COMMON.learningRate)
    const recipe: Recipe = {
      name: 'options',
      assumes: 'Nothing.',
      warmUpIterations: setup.warmUpIterations ?? COMMON.warmUpIterations,
      phases: [
        {
          ...{ name: 'learn', until: 1, learningRate: [learningRate, learningRate], randomWarp, eyesMouthPrio: 0 },
          ...{ ...settings, rates },
        },
      ],
    }
    const first = run.state.snapshot()
    let memory = 0
    let early = first
    let before = first
    const reports: TrainReport[] = []
    let began = process.cpuUsage()
    for await (const report of train(run, batches, {
      ...{ recipe, length: { iterations }, batchSize, accumulate, furtherLosses: [aroundTheFace] },
      ...{ saveEverySeconds: 3600, threads: THREADS },
      onPrepared: ({ memory: { total } }) => {
        memory = total
      },
    })) {
      reports.push(report)
      if (report.iteration === SETTLED) began = process.cpuUsage()
      if (report.iteration === FIRST) early = run.state.snapshot()
      if (report.iteration === iterations - 1) before = run.state.snapshot()
    }
    const { user, system } = process.cpuUsage(began)
    return {
      iterations: reports.length,
      notFinite: reports.filter(({ losses, events }) => !areNumbers(losses) || events.length > 0).length,
      cpuMsPerIteration: (user + system) / 1000 / (iterations - SETTLED),
      measures: {
        ...lossMeasures(reports),
        ...stepMeasures(run, { first, early, before, batchSize }),
        parameters: countParams(run.model.params),
        'memory MB': memory / 1e6,
        ...watched.measures,
        ...(await orderMeasures(sides, { ...samples, faceType })),
        ...(await paintedMeasures(run, sides)),
      },
      seen: watched.seen,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** As many faces of each side as both have: the first ones. */
function firstOfBoth({ src, dst }: Sides): Sides {
  const count = Math.min(src.info.count, dst.info.count)
  const first = (faceset: Faceset): Faceset => {
    const all = async () => (await faceset.all()).slice(0, count)
    const faces = async function* () {
      yield* await all()
    }
    return { ...faceset, info: { ...faceset.info, count }, faces, all }
  }
  return { src: first(src), dst: first(dst) }
}

/** An architecture whose losses weigh other than usual. */
function weighted(architecture: ModelArchitecture, weights: Readonly<Record<string, number>>): ModelArchitecture {
  if (Object.keys(weights).length === 0) return architecture
  return {
    ...architecture,
    build(options) {
      const model = architecture.build(options)
      const losses = model.losses ?? faceLosses
      const change = (loss: Loss): Loss => ({ ...loss, weight: weights[loss.name] ?? loss.weight })
      return { ...model, losses: (settings) => losses(settings).map(change) }
    },
  }
}

const areNumbers = ({ src, dst, parts }: TrainReport['losses']) =>
  [src, dst, ...Object.values(parts)].every(Number.isFinite)

/** Every loss by itself, and both sides together at the beginning and at the end. */
function lossMeasures(reports: readonly TrainReport[]): Record<string, number> {
  const mean = (part: readonly TrainReport[], of: (losses: TrainReport['losses']) => number) =>
    part.reduce((sum, { losses }) => sum + of(losses), 0) / part.length
  const [start, end] = [reports.slice(0, 5), reports.slice(-LAST)]
  const both = ({ src, dst }: TrainReport['losses']) => src + dst
  const names = Object.keys(reports.at(-1)!.losses.parts)
  return {
    'first loss': mean(start, both),
    loss: mean(end, both),
    ...Object.fromEntries(names.map((name) => [name, mean(end, ({ parts }) => parts[name]!)])),
  }
}

type Snapshot = ReturnType<ModelFolder['state']['snapshot']>

/** How far parameters moved: in the first steps, in the last one and in all. */
function stepMeasures(
  { model, state }: ModelFolder,
  { first, early, before, batchSize }: Record<'first' | 'early' | 'before', Snapshot> & { batchSize: number },
): Record<string, number> {
  const paths = Object.keys(model.params)
  const now = state.snapshot()
  const moves = (from: Snapshot, of: readonly string[], to = now) =>
    of.map((path) => to[path]!.data.map((value, i) => value - from[path]!.data[i]!))
  const length = (tensors: readonly Float32Array[]) =>
    Math.sqrt(tensors.reduce((sum, values) => sum + values.reduce((all, value) => all + value * value, 0), 0))
  const part = (name: string) => paths.filter((path) => path.startsWith(name))
  const count = (tensors: readonly Float32Array[]) => tensors.reduce((sum, { length }) => sum + length, 0)
  const tensors = (names: RegExp) => state.names.filter((name) => names.test(name)).map((name) => state.get(name).data)
  const lastMoves = moves(before, paths)
  return {
    'share learning': lastMoves.reduce((sum, one) => sum + one.filter(Boolean).length, 0) / count(lastMoves),
    'first steps': length(moves(first, paths, early)),
    'last step': length(lastMoves),
    'encoder moved': length(moves(first, part('encoder/'))),
    'inter_AB moved': length(moves(first, part('inter_AB/'))),
    'mean gradient': batchSize * length(tensors(/^m:/)),
    "critic's parameters": count(tensors(/^(gan|true_face)\//)),
  }
}
