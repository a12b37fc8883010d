import { DflError, hashSeed, Random } from '@dfl/core'
import { type Compiled, compile, type DeviceChoice, type State, type Traceable, tf } from '@dfl/engine'
import { clipGradients, type FaceModel, faceLosses, type Loss, type Optimiser, type Params } from '@dfl/nn'
import { drawLots, droppedRate, lotShapes } from './lr-dropout.js'
import { partOf, sumName } from './parts.js'
import { type StepSettings, settingOptions } from './settings.js'
import { addCritics, momentName, sizeOf } from './train-state.js'
import { viewsOf } from './views.js'

/** One side of a batch, all float32 0..1. */
export interface SideBatch {
  /** [N, R, R, 3]: what the model sees. */
  warped: ArrayLike<number>
  /** [N, R, R, 3]: what it must paint. */
  target: ArrayLike<number>
  /** [N, R, R, 1]: where the face is. */
  mask: ArrayLike<number>
  /** [N, R, R, 1]: eyes and mouth; needed with `eyesMouthPrio`. */
  eyesMouth?: ArrayLike<number>
}

/** Samples of both sides for one iteration. */
export interface Batch {
  src: SideBatch
  dst: SideBatch
  /** Of the further people of a model that has some, by their names. */
  people?: Readonly<Record<string, SideBatch>>
}

/** What is compiled into a train step: how it computes, and the settings of losses and of what learns. */
export interface StepOptions extends Partial<StepSettings> {
  batchSize: number
  /** Parts that a batch is computed in, one after the other, to take less memory; their gradients are summed. */
  accumulate?: number
  optimiser: Optimiser
  /** Whether warping is on, which decides what learns in some architectures. */
  randomWarp: boolean
  /** Losses instead of the model's own, which `faceLosses` makes of the settings for most models. */
  losses?: readonly Loss[]
  /** Losses besides those. */
  furtherLosses?: readonly Loss[]
  /** Factors on the learning rate of the parameters whose path begins with a name: { 'encoder/': 0.1 }; 0 for none at all. */
  rates?: Readonly<Record<string, number>>
  /** Of what is drawn by lot in an iteration. */
  seed?: number
  /** Where it runs: `cpu` by default. With `webgpu` the state stays in the device's memory; saving brings it back. */
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

/** All that a model paints as: SRC, DST, and further people where it has some. */
export const sidesOf = ({ people }: FaceModel): readonly string[] => ['src', 'dst', ...(people?.names ?? [])]

/** @throws DflError `BAD_OPTION` where a batch lacks somebody. */
function samplesOf(batch: Batch, side: string): SideBatch {
  const found = side === 'src' || side === 'dst' ? batch[side] : batch.people?.[side]
  if (found) return found
  throw new DflError(
    'BAD_OPTION',
    `Expected samples of ${side}, whom the model paints, in the batch, but got none. Give a faceset of each of the model's people.`,
  )
}

/**
 * The compiled train step of a model: its losses as data, a gradient, an optimiser; critics the same way in the same graph.
 *
 * The gradient is that of the mean over the batch, where DeepFaceLab takes the sum: AdaBelief and RMSprop do not see the
 * difference. The parameters of a loss's critic lie in the state under the loss's name: 'gan/down1/conv/weight'.
 */
export async function createTrainStep(model: FaceModel, options: StepOptions): Promise<TrainStep> {
  const { batchSize, accumulate: parts = 1, optimiser, seed = 1 } = options
  if (!Number.isInteger(parts) || parts < 1 || batchSize % parts !== 0)
    throw new DflError(
      'BAD_OPTION',
      `Expected a whole number that divides the batch size ${batchSize} for \`accumulate\`, but got ${parts}. Change one of them.`,
    )
  const N = batchSize / parts // samples in one pass
  const R = model.resolution
  const settings = { ...defaults(), ...withoutUndefined(options) }
  const own = options.losses ?? (model.losses ?? faceLosses)({ ...settings, resolution: R, code: model.code })
  const losses = [...own, ...(options.furtherLosses ?? [])]
  const sides = sidesOf(model)
  const critics = losses.flatMap(({ name, critic }) => (critic ? [{ name, ...critic }] : []))
  const criticParams = Object.assign({}, ...critics.map((c) => prefixed(c.name, c.params))) as FaceModel['params']
  const rates = Object.entries(options.rates ?? {})
  const rateOf = (path: string) => rates.find(([name]) => path.startsWith(name))
  // What does not learn has no gradient, which saves its backward pass.
  const paths = [...(model.trainable?.({ randomWarp: options.randomWarp }) ?? Object.keys(model.params))].filter(
    (path) => rateOf(path)?.[1] !== 0,
  )
  const learning = [...paths, ...Object.keys(criticParams)]

  const shapes: Record<string, readonly number[]> = {}
  for (const [path, { shape }] of Object.entries({ ...model.params, ...criticParams })) shapes[path] = shape
  for (const path of learning) for (const moment of optimiser.moments) shapes[momentName(moment, path)] = shapes[path]!
  if (parts > 1) for (const path of learning) shapes[sumName(path)] = shapes[path]!
  const rateName = (path: string) => {
    const own = rateOf(path)
    return own ? `learningRate/${own[0]}` : 'learningRate'
  }
  const moved = rates.filter(([name, factor]) => factor !== 0 && paths.some((path) => path.startsWith(name)))
  const inputs: Record<string, readonly number[]> = { learningRate: [] }
  for (const [name] of moved) inputs[`learningRate/${name}`] = []
  const further = new Set(losses.flatMap((loss) => loss.inputs ?? []))
  for (const side of sides) {
    inputs[`${side}/warped`] = [N, R, R, 3]
    inputs[`${side}/target`] = [N, R, R, 3]
    inputs[`${side}/mask`] = [N, R, R, 1]
    for (const name of further) inputs[`${side}/${name}`] = [N, R, R, 1]
  }
  const controls = Object.entries(model.controls ?? {})
  for (const [name, { shape }] of controls) inputs[`control/${name}`] = [N, ...shape]
  const lots = settings.lrDropout ? lotShapes(learning.map((path) => shapes[path]!)) : undefined
  Object.assign(inputs, lots)

  const define =
    (last: boolean): Traceable =>
    (state, given) => {
      const viewOptions = {
        given,
        controls: Object.fromEntries(controls.map(([name]) => [name, given[`control/${name}`]!])),
        maskedTraining: settings.maskedTraining,
        blurOutMask: settings.blurOutMask,
      }
      const all = Object.fromEntries(Object.keys(model.params).map((path) => [path, state[path]!]))
      // Other tensors of the same values: no gradient flows through them, and the graph has each but once.
      const still = { ...all, ...Object.fromEntries(paths.map((path) => [path, tf.clone(state[path]!)])) }
      const criticOf = (name: string, from: Readonly<Record<string, tf.Tensor>>): Params =>
        Object.fromEntries(
          Object.keys(critics.find((critic) => critic.name === name)?.params ?? {}).map((path) => [
            path,
            from[`${name}/${path}`]!,
          ]),
        )
      const outputs: Record<string, tf.Tensor> = {}
      const total = (...values: tf.Tensor[]) => {
        const params = { ...all, ...Object.fromEntries(paths.map((path, i) => [path, values[i]!])) }
        const views = viewsOf(model, { learning: params, still }, viewOptions)
        for (const side of sides) {
          let sum: tf.Tensor | undefined
          for (const loss of losses) {
            if (loss.side && loss.side !== side) continue
            const value = loss.of(views[side]!, criticOf(loss.name, state))
            outputs[`${side}/${loss.name}`] = tf.mean(value)
            const weighted = loss.weight === 1 ? value : tf.mul(value, loss.weight)
            sum = sum ? tf.add(sum, weighted) : weighted
          }
          outputs[side] = tf.mean(sum ?? tf.scalar(0))
        }
        return tf.addN(sides.map((side) => outputs[side]!)) as tf.Scalar
      }
      const next: Record<string, tf.Tensor> = {}
      const descend = (of: readonly string[], loss: (...values: tf.Tensor[]) => tf.Scalar) => {
        const sums = tf
          .grads(loss)(of.map((path) => state[path]!))
          .map((gradient, i) => (parts > 1 ? tf.add(state[sumName(of[i]!)]!, gradient) : gradient))
        if (!last) {
          of.forEach((path, i) => {
            next[sumName(path)] = sums[i]!
          })
          return
        }
        const gradients = parts > 1 ? sums.map((sum) => tf.mul(sum, 1 / parts)) : sums
        const used = settings.clipgrad ? clipGradients(gradients, settings.clipgrad / batchSize) : gradients
        of.forEach((path, i) => {
          const moments = Object.fromEntries(
            optimiser.moments.map((moment) => [moment, state[momentName(moment, path)]!]),
          )
          const rate = lots
            ? droppedRate(given, shapes[path]!, { rate: rateName(path), path, share: settings.lrDropout })
            : given[rateName(path)]!
          const updated = optimiser.update(state[path]!, used[i]!, moments, rate)
          next[path] = updated.param
          for (const moment of optimiser.moments) next[momentName(moment, path)] = updated.moments[moment]!
        })
      }
      descend(paths, total)
      for (const { name, params, loss } of critics) {
        const own = Object.keys(params)
        descend(
          own.map((path) => `${name}/${path}`),
          (...values) => {
            const views = viewsOf(model, { learning: still, still }, viewOptions)
            const mean = tf.mean(loss(Object.fromEntries(own.map((path, i) => [path, values[i]!])), views))
            outputs[`${name}/critic`] = mean
            return mean as tf.Scalar
          },
        )
      }
      return { state: next, outputs }
    }
  const compileOptions = { device: options.device, threads: options.threads, profile: options.profile }
  const compiled = await compile(define(true), { state: shapes, inputs }, compileOptions)
  const before = parts > 1 ? await compile(define(false), { state: shapes, inputs }, compileOptions) : undefined

  let counted = 0
  return {
    compiled,
    async run(state, batch, learningRate, iteration = counted) {
      counted = iteration + 1
      addCritics(state, criticParams, { optimiser, seed })
      const swing = settings.lrCosineIterations
        ? (1 + Math.cos((2 * Math.PI * iteration) / settings.lrCosineIterations)) / 2
        : 1
      const rate = learningRate * swing * (optimiser.rateAt?.(iteration + 1) ?? 1)
      if (before)
        for (const path of learning)
          state.set(sumName(path), { data: new Float32Array(sizeOf(shapes[path]!)), shape: shapes[path]! })
      const feeds: Record<string, ArrayLike<number>> = { learningRate: [rate] }
      for (const [name, factor] of moved) feeds[`learningRate/${name}`] = [rate * factor]
      for (const side of sides)
        for (const [name, data] of Object.entries(samplesOf(batch, side)))
          if (`${side}/${name}` in inputs) feeds[`${side}/${name}`] = data
      for (const [name, control] of controls) {
        const size = sizeOf(control.shape)
        const values = new Float32Array(batchSize * size)
        for (let i = 0; i < batchSize; i++)
          values.set(control.draw(new Random(hashSeed(seed, name, iteration, i))), i * size)
        feeds[`control/${name}`] = values
      }
      Object.assign(feeds, drawLots(lots ?? {}, { seed, iteration }))
      const means: Record<string, number> = {}
      for (let part = 0; part < parts; part++) {
        const pass = part === parts - 1 ? compiled : before!
        const outputs = await pass.run(state, parts === 1 ? feeds : partOf(feeds, part, parts))
        for (const [name, { data }] of Object.entries(outputs))
          means[name] = (means[name] ?? 0) + Number(data[0]) / parts
      }
      const { src, dst, ...named } = means as { src: number; dst: number }
      return { src, dst, parts: named }
    },
    async [Symbol.asyncDispose]() {
      await before?.[Symbol.asyncDispose]()
      await compiled[Symbol.asyncDispose]()
    },
  }
}

const defaults = () =>
  Object.fromEntries(Object.entries(settingOptions).map(([name, spec]) => [name, spec.default])) as StepSettings

const withoutUndefined = <T extends object>(values: T): Partial<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>

const prefixed = (name: string, params: FaceModel['params']): FaceModel['params'] =>
  Object.fromEntries(Object.entries(params).map(([path, spec]) => [`${name}/${path}`, spec]))
