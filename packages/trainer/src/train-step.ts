import { hashSeed, Random } from '@dfl/core'
import { type Compiled, compile, type DeviceChoice, type State } from '@dfl/engine'
import type { FaceModel } from '@dfl/nn'
import { type Batch, samplesOf } from './batch.js'
import { adjustLossScale, GRADIENTS, LOSS_SCALE, lossScaleOf } from './loss-scale.js'
import { drawLots } from './lr-dropout.js'
import { partOf, sumName } from './parts.js'
import { passOf } from './step-pass.js'
import { type PlanOptions, planStep, type StepPlan } from './step-plan.js'
import { addCritics, sizeOf } from './train-state.js'

/** What is compiled into a train step: what it is made of, and how it computes. */
export interface StepOptions extends PlanOptions {
  /** Of what is drawn by lot in an iteration. */
  seed?: number
  /** Where it runs: `cpu` by default. With `webgpu` and `tensorflow` the state stays in the device's memory; saving brings it back. */
  device?: DeviceChoice
  threads?: number
  profile?: string
}

/** Losses of one step: means over the batch. */
export interface StepLosses {
  src: number
  dst: number
  /** Each loss by itself, not weighted, by name: 'src/dssim', and 'gan/critic' for what a critic is trained for. */
  parts: Readonly<Record<string, number>>
  /** In mixed precision: what losses were multiplied by for the gradients. */
  lossScale?: number
  /** In mixed precision: whether a gradient was no number. Then the state is as it was, but for a smaller `lossScale`. */
  skipped?: boolean
}

/** One training iteration as one compiled graph: both sides forward, backward, optimiser, critics. */
export interface TrainStep extends AsyncDisposable {
  /**
   * Advances the state by one iteration. Parameters of critics that the state lacks are added to it.
   *
   * @param iteration  Iterations done so far, from which what is drawn by lot follows; counted here if not given, which
   * a resumed run must not rely on.
   */
  run(state: State, batch: Batch, learningRate: number, iteration?: number): Promise<StepLosses>
  readonly compiled: Compiled
}

/**
 * The compiled train step of a model: its losses as data, a gradient, an optimiser; critics the same way in the same graph.
 *
 * The gradient is that of the mean over the batch, where DeepFaceLab takes the sum: AdaBelief and RMSprop do not see the
 * difference. The parameters of a loss's critic lie in the state under the loss's name: 'gan/down1/conv/weight'.
 */
export async function createTrainStep(model: FaceModel, options: StepOptions): Promise<TrainStep> {
  const { seed = 1, device, threads, profile } = options
  const plan = planStep(model, options)
  const { optimiser, parts, criticParams, precision } = plan
  const isMixed = precision === 'mixed'
  const compilePass = (last: boolean) =>
    compile(passOf(plan, last), plan, {
      ...{ device, threads, profile, precision },
      guard: isMixed && last ? GRADIENTS : undefined,
    })
  const compiled = await compilePass(true)
  const before = parts > 1 ? await compilePass(false) : undefined

  let counted = 0
  return {
    compiled,
    async run(state, batch, learningRate, iteration = counted) {
      counted = iteration + 1
      addCritics(state, criticParams, { optimiser, seed })
      if (before) clearSums(plan, state)
      const feeds = feedsOf(plan, batch, { rate: rateAt(plan, learningRate, iteration), iteration, seed })
      const lossScale = isMixed ? lossScaleOf(state) : undefined
      if (lossScale !== undefined) feeds[LOSS_SCALE] = [lossScale]
      const means: Record<string, number> = {}
      for (let part = 0; part < parts; part++) {
        const pass = part === parts - 1 ? compiled : before!
        const outputs = await pass.run(state, parts === 1 ? feeds : partOf(feeds, part, parts))
        for (const [name, { data }] of Object.entries(outputs))
          means[name] = (means[name] ?? 0) + Number(data[0]) / parts
      }
      const { src, dst, [GRADIENTS]: gradients, ...named } = means as { src: number; dst: number; [GRADIENTS]: number }
      if (lossScale === undefined) return { src, dst, parts: named }
      const sound = Number.isFinite(gradients)
      adjustLossScale(state, sound)
      return { src, dst, parts: named, lossScale, skipped: !sound }
    },
    async [Symbol.asyncDispose]() {
      await before?.[Symbol.asyncDispose]()
      await compiled[Symbol.asyncDispose]()
    },
  }
}

/** The learning rate of an iteration: with the swing of the settings and what the optimiser makes of it. */
function rateAt({ settings, optimiser }: StepPlan, learningRate: number, iteration: number): number {
  const swing = settings.lrCosineIterations
    ? (1 + Math.cos((2 * Math.PI * iteration) / settings.lrCosineIterations)) / 2
    : 1
  return learningRate * swing * (optimiser.rateAt?.(iteration + 1) ?? 1)
}

/** Sums of gradients as they are before the first part of a batch. */
function clearSums({ learning, criticParams, state: shapes }: StepPlan, state: State): void {
  for (const name of [...learning, ...Object.keys(criticParams)].map(sumName))
    state.set(name, { data: new Float32Array(sizeOf(shapes[name]!)), shape: shapes[name]! })
}

/** All that the graph is given in an iteration: learning rates, samples, and what is drawn by lot. */
function feedsOf(
  { model, sides, inputs, rateFactors, lots, batchSize }: StepPlan,
  batch: Batch,
  { rate, iteration, seed }: { rate: number; iteration: number; seed: number },
): Record<string, ArrayLike<number>> {
  const feeds: Record<string, ArrayLike<number>> = {}
  for (const [name, factor] of Object.entries(rateFactors)) feeds[name] = [rate * factor]
  for (const side of sides)
    for (const [name, data] of Object.entries(samplesOf(batch, side)))
      if (`${side}/${name}` in inputs) feeds[`${side}/${name}`] = data
  for (const [name, control] of Object.entries(model.controls ?? {})) {
    const size = sizeOf(control.shape)
    const values = new Float32Array(batchSize * size)
    for (let i = 0; i < batchSize; i++)
      values.set(control.draw(new Random(hashSeed(seed, name, iteration, i))), i * size)
    feeds[`control/${name}`] = values
  }
  return Object.assign(feeds, drawLots(lots ?? {}, { seed, iteration }))
}
