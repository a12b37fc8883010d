import { type Traceable, tf } from '@dfl/engine'
import { clipGradients, type Params, type Views } from '@dfl/nn'
import { GRADIENTS, LOSS_SCALE } from './loss-scale.js'
import { droppedRate } from './lr-dropout.js'
import { sumName } from './parts.js'
import type { StepPlan } from './step-plan.js'
import { momentName } from './train-state.js'
import { viewsOf } from './views.js'

type Tensors = Readonly<Record<string, tf.Tensor>>

/**
 * One pass over a part of a batch, as a function to compile: losses, gradients, and what becomes of the state.
 *
 * @param last  Whether the sums of the gradients are put to use after it.
 */
export const passOf =
  (plan: StepPlan, last: boolean): Traceable =>
  (state, given) => {
    const { model, learning, critics, settings } = plan
    const all = taken(state, Object.keys(model.params))
    // Other tensors of the same values: no gradient flows through them, and the graph has each but once.
    const still = { ...all, ...Object.fromEntries(learning.map((path) => [path, tf.clone(state[path]!)])) }
    const viewOptions = {
      given,
      controls: Object.fromEntries(Object.keys(model.controls ?? {}).map((name) => [name, given[`control/${name}`]!])),
      maskedTraining: settings.maskedTraining,
      blurOutMask: settings.blurOutMask,
    }
    const outputs: Record<string, tf.Tensor> = {}
    const next: Record<string, tf.Tensor> = {}
    const checked: tf.Tensor[] = []
    const scale = given[LOSS_SCALE]
    /** Lets parameters learn from a loss of them. */
    const learn = (paths: readonly string[], loss: (params: Params) => tf.Tensor) => {
      const gradients = tf.grads((...values) => loss(zipped(paths, values)) as tf.Scalar)(
        paths.map((path) => state[path]!),
        scale,
      )
      const { sums, next: own } = learnt(plan, last, { state, given }, zipped(paths, gradients))
      checked.push(...(plan.parts > 1 ? sums : gradients))
      Object.assign(next, own)
    }
    learn(learning, (params) => {
      const views = viewsOf(model, { learning: { ...all, ...params }, still }, viewOptions)
      Object.assign(outputs, meanLosses(plan, views, state))
      return tf.addN(plan.sides.map((side) => outputs[side]!))
    })
    for (const [name, { params, loss }] of Object.entries(critics)) {
      const inState = (path: string) => `${name}/${path}`
      learn(Object.keys(params).map(inState), (values) => {
        const views = viewsOf(model, { learning: still, still }, viewOptions)
        const own = Object.fromEntries(Object.keys(params).map((path) => [path, values[inState(path)]!]))
        outputs[`${name}/critic`] = tf.mean(loss(own, views))
        return outputs[`${name}/critic`]!
      })
    }
    if (scale && last) outputs[GRADIENTS] = tf.addN(checked.map((gradient) => tf.sum(tf.abs(gradient))))
    return { state: next, outputs }
  }

/** The mean of each loss, 'src/dssim', and of each side's weighted sum, 'src'. */
function meanLosses({ sides, losses, critics }: StepPlan, views: Views, state: Tensors): Tensors {
  const means: Record<string, tf.Tensor> = {}
  for (const side of sides) {
    let sum: tf.Tensor | undefined
    for (const { name, weight, of, ...loss } of losses) {
      if (loss.side && loss.side !== side) continue
      const critic = Object.keys(critics[name]?.params ?? {}).map((path) => [path, state[`${name}/${path}`]!])
      const value = of(views[side]!, Object.fromEntries(critic))
      means[`${side}/${name}`] = tf.mean(value)
      const weighted = weight === 1 ? value : tf.mul(value, weight)
      sum = sum ? tf.add(sum, weighted) : weighted
    }
    means[side] = tf.mean(sum ?? tf.scalar(0))
  }
  return means
}

/** What gradients change: the sums of those of all parts or, in the last pass, parameters and moments. */
function learnt(
  { optimiser, settings, batchSize, parts, rateOf, lots }: StepPlan,
  last: boolean,
  { state, given }: { state: Tensors; given: Tensors },
  gradients: Tensors,
): { sums: tf.Tensor[]; next: Tensors } {
  const paths = Object.keys(gradients)
  const scale = given[LOSS_SCALE]
  const own = paths.map((path) => (scale ? tf.div(gradients[path]!, scale) : gradients[path]!))
  const sums = parts > 1 ? paths.map((path, i) => tf.add(state[sumName(path)]!, own[i]!)) : own
  if (!last) return { sums, next: zipped(paths.map(sumName), sums) }
  const means = parts > 1 ? sums.map((sum) => tf.mul(sum, 1 / parts)) : sums
  const used = settings.clipgrad ? clipGradients(means, settings.clipgrad / batchSize) : means
  const next: Record<string, tf.Tensor> = {}
  paths.forEach((path, i) => {
    const param = state[path]!
    const moments = Object.fromEntries(optimiser.moments.map((moment) => [moment, state[momentName(moment, path)]!]))
    const rate = lots
      ? droppedRate(given, param.shape, { rate: rateOf(path), path, share: settings.lrDropout })
      : given[rateOf(path)]!
    const updated = optimiser.update(param, used[i]!, moments, rate)
    next[path] = updated.param
    for (const moment of optimiser.moments) next[momentName(moment, path)] = updated.moments[moment]!
  })
  return { sums, next }
}

const zipped = (names: readonly string[], tensors: readonly tf.Tensor[]): Tensors =>
  Object.fromEntries(names.map((name, i) => [name, tensors[i]!]))

const taken = (from: Tensors, names: readonly string[]): Tensors =>
  Object.fromEntries(names.map((name) => [name, from[name]!]))
