import { DflError } from '@dfl/core'
import type { Precision } from '@dfl/engine'
import { type Critic, type FaceModel, faceLosses, type Loss, type Optimiser, type ParamSpec, sidesOf } from '@dfl/nn'
import { LOSS_SCALE } from './loss-scale.js'
import { lotShapes } from './lr-dropout.js'
import { sumName } from './parts.js'
import { type StepSettings, settingOptions } from './settings.js'
import { momentName } from './train-state.js'

type Shapes = Readonly<Record<string, readonly number[]>>

/** What a train step is made of. */
export interface PlanOptions extends Partial<StepSettings> {
  batchSize: number
  /** Parts that a batch is computed in, one after the other, to take less memory; their gradients are summed. */
  accumulate?: number
  /** `mixed` computes products in 16-bit floats, with losses scaled; `float32` by default. */
  precision?: Precision
  optimiser: Optimiser
  /** Whether warping is on, which decides what learns in some architectures. */
  randomWarp: boolean
  /** Losses instead of the model's own, which `faceLosses` makes of the settings for most models. */
  losses?: readonly Loss[]
  /** Losses besides those. */
  furtherLosses?: readonly Loss[]
  /** Factors on the learning rate of the parameters whose path begins with a name: { 'encoder/': 0.1 }; 0 for none at all. */
  rates?: Readonly<Record<string, number>>
}

/** All that is known of a train step before it is traced. */
export interface StepPlan {
  model: FaceModel
  settings: StepSettings
  optimiser: Optimiser
  batchSize: number
  /** Parts that a batch is computed in. */
  parts: number
  precision: Precision
  /** All whom the model paints. */
  sides: readonly string[]
  losses: readonly Loss[]
  /** Critics by the names of their losses. */
  critics: Readonly<Record<string, Critic>>
  /** Parameters of the critics by their paths in the state: 'gan/down1/conv/weight'. */
  criticParams: ParamSpec
  /** Paths of the model's parameters that learn. */
  learning: readonly string[]
  /** Name of the input with a parameter's learning rate. */
  rateOf(path: string): string
  /** What the learning rate is multiplied by in each of these inputs. */
  rateFactors: Readonly<Record<string, number>>
  /** Shapes of the lines by which LR dropout is drawn; nothing where all learns. */
  lots: Shapes | undefined
  /** Shapes of what the step reads and replaces. */
  state: Shapes
  /** Shapes of what it is given. */
  inputs: Shapes
}

/**
 * The plan of a train step.
 *
 * @throws DflError `BAD_OPTION` where the batch does not fall into as many parts, or the losses do not fit the model.
 */
export function planStep(model: FaceModel, options: PlanOptions): StepPlan {
  const { batchSize, accumulate: parts = 1, optimiser, precision = 'float32' } = options
  if (!Number.isInteger(parts) || parts < 1 || batchSize % parts !== 0)
    throw new DflError(
      'BAD_OPTION',
      `Expected a whole number that divides the batch size ${batchSize} for \`accumulate\`, but got ${parts}. Change one of them.`,
    )
  const settings = { ...defaults(), ...withoutUndefined(options) }
  const { resolution, codeShape } = model
  const own = options.losses ?? (model.losses ?? faceLosses)({ ...settings, resolution, codeShape })
  const losses = [...own, ...(options.furtherLosses ?? [])]
  const critics = Object.fromEntries(losses.flatMap(({ name, critic }) => (critic ? [[name, critic] as const] : [])))
  const criticParams = Object.fromEntries(
    Object.entries(critics).flatMap(([name, { params }]) =>
      Object.entries(params).map(([path, spec]) => [`${name}/${path}`, spec]),
    ),
  )
  const { rateOf, factorOf } = ratesOf(options)
  // What does not learn has no gradient, which saves its backward pass.
  const learning = [...(model.trainable?.({ randomWarp: options.randomWarp }) ?? Object.keys(model.params))].filter(
    (path) => factorOf(path) !== 0,
  )
  const paths = [...learning, ...Object.keys(criticParams)]
  const rateFactors = { learningRate: 1, ...Object.fromEntries(paths.map((path) => [rateOf(path), factorOf(path)])) }
  const shapes = shapesOf({ ...model.params, ...criticParams })
  const lots = settings.lrDropout ? lotShapes(paths.map((path) => shapes[path]!)) : undefined
  const named = (nameOf: (path: string) => string) => Object.fromEntries(paths.map((p) => [nameOf(p), shapes[p]!]))
  const sides = sidesOf(model)
  const samples = batchSize / parts
  return {
    ...{ model, settings, optimiser, batchSize, parts, precision, sides, losses, critics, criticParams, learning },
    ...{ rateOf, rateFactors, lots },
    state: Object.assign(
      { ...shapes },
      ...optimiser.moments.map((moment) => named((path) => momentName(moment, path))),
      parts > 1 ? named(sumName) : {},
    ),
    inputs: {
      ...Object.fromEntries(Object.keys(rateFactors).map((name) => [name, []])),
      ...(precision === 'mixed' ? { [LOSS_SCALE]: [] } : {}),
      ...batchShapes(sides, losses, [samples, resolution, resolution]),
      ...Object.fromEntries(
        Object.entries(model.controls ?? {}).map(([name, { shape }]) => [`control/${name}`, [samples, ...shape]]),
      ),
      ...lots,
    },
  }
}

/** The input that a parameter's learning rate comes in, and what the learning rate is multiplied by there. */
function ratesOf({ rates = {} }: PlanOptions) {
  const prefixOf = (path: string) => Object.keys(rates).find((prefix) => path.startsWith(prefix))
  return {
    rateOf(path: string) {
      const prefix = prefixOf(path)
      return prefix === undefined ? 'learningRate' : `learningRate/${prefix}`
    },
    factorOf(path: string) {
      const prefix = prefixOf(path)
      return prefix === undefined ? 1 : rates[prefix]!
    },
  }
}

/** Shapes of what the losses see of each side: 'src/warped'. */
function batchShapes(sides: readonly string[], losses: readonly Loss[], image: readonly number[]): Shapes {
  const masks = ['mask', ...new Set(losses.flatMap(({ inputs = [] }) => inputs))]
  return Object.fromEntries(
    sides.flatMap((side) => [
      ...['warped', 'target'].map((name) => [`${side}/${name}`, [...image, 3]]),
      ...masks.map((name) => [`${side}/${name}`, [...image, 1]]),
    ]),
  )
}

const shapesOf = (params: ParamSpec): Shapes =>
  Object.fromEntries(Object.entries(params).map(([path, { shape }]) => [path, shape]))

const defaults = () =>
  Object.fromEntries(Object.entries(settingOptions).map(([name, spec]) => [name, spec.default])) as StepSettings

const withoutUndefined = <T extends object>(values: T): Partial<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>
