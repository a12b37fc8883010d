import { type Compiled, compile, State, type TensorData, tf } from '@dfl/engine'
import {
  dssim,
  type FaceModel,
  initialise,
  meanAbsoluteError,
  meanSquaredError,
  type Optimiser,
  type Params,
} from '@dfl/nn'

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
}

/** What is compiled into a train step. */
export interface StepOptions {
  batchSize: number
  optimiser: Optimiser
  /** Whether warping is on, which decides what learns in some architectures. */
  randomWarp: boolean
  /** Compare faces inside their mask only. */
  maskedTraining: boolean
  /** Weight of the absolute error over eyes and mouth; DeepFaceLab's switch stands for 300. */
  eyesMouthPrio: number
  threads?: number
  profile?: string
}

/** Losses of one step: means over the batch. */
export interface StepLosses {
  src: number
  dst: number
}

/** One training iteration as one compiled graph: both sides forward, backward, optimiser. */
export interface TrainStep extends AsyncDisposable {
  /** Advances the state by one iteration. */
  run(state: State, batch: Batch, learningRate: number): Promise<StepLosses>
  readonly compiled: Compiled
}

/** Name of an optimiser's moment in the state: 'm:encoder/down1/conv/weight'. */
export const momentName = (moment: string, path: string) => `${moment}:${path}`

/** The parameters and zeroed moments with which a run begins. */
export function createTrainState(model: FaceModel, optimiser: Optimiser, seed: number): State {
  const state = new State(initialise(model.params, seed))
  resetMoments(state, model, optimiser)
  return state
}

/** Sets all moments to zero, as at the start of a run or after a change of optimiser. */
export function resetMoments(state: State, model: FaceModel, optimiser: Optimiser): void {
  for (const [path, { shape }] of Object.entries(model.params))
    for (const moment of optimiser.moments)
      state.set(momentName(moment, path), { data: new Float32Array(state.get(path).data.length), shape })
}

/**
 * The compiled train step of a model.
 *
 * Losses of each side as in DeepFaceLab: 10·DSSIM (window R/11.6; from R = 256 on half of it with R/23.2) + 10·MSE of
 * the faces, inside the mask if `maskedTraining`; 10·MSE of the masks; `eyesMouthPrio`·MAE over eyes and mouth.
 * `maskedTraining` adds 1·MSE outside of the mask, as DeepFaceLab's AMP has it weakly: what lies just beyond must not
 * become noise that a soft edge lets through. The gradient is that of the mean over the batch, where DeepFaceLab takes the
 * sum: AdaBelief and RMSprop do not see the difference.
 */
export async function createTrainStep(model: FaceModel, options: StepOptions): Promise<TrainStep> {
  const { batchSize: N, optimiser, maskedTraining, eyesMouthPrio } = options
  const R = model.resolution
  const paths = [...(model.trainable?.({ randomWarp: options.randomWarp }) ?? Object.keys(model.params))]
  const shapes: Record<string, readonly number[]> = {}
  for (const [path, { shape }] of Object.entries(model.params)) shapes[path] = shape
  for (const path of paths) for (const moment of optimiser.moments) shapes[momentName(moment, path)] = shapes[path]!
  const inputs: Record<string, readonly number[]> = { learningRate: [] }
  for (const side of ['src', 'dst']) {
    inputs[`${side}/warped`] = [N, R, R, 3]
    inputs[`${side}/target`] = [N, R, R, 3]
    inputs[`${side}/mask`] = [N, R, R, 1]
    if (eyesMouthPrio > 0) inputs[`${side}/eyesMouth`] = [N, R, R, 1]
  }

  const compiled = await compile(
    (state, given) => {
      const frozen = Object.fromEntries(Object.keys(model.params).map((path) => [path, state[path]!]))
      const sideLoss = (params: Params, side: 'src' | 'dst') => {
        const input = (name: string) => given[`${side}/${name}`] as tf.Tensor4D
        const { face, mask } = model.forward(params, input('warped'), side)
        const soft = maskedTraining ? outline(input('mask'), R) : undefined
        const inside = (x: tf.Tensor4D) => (soft ? tf.mul(x, soft) : x) as tf.Tensor4D
        let loss = faceLoss(inside(input('target')), inside(face), R)
        loss = tf.add(loss, tf.mul(meanSquaredError(input('mask'), mask), 10))
        if (soft) {
          const outside = tf.sub(1, soft) as tf.Tensor4D
          loss = tf.add(loss, meanSquaredError(tf.mul(input('target'), outside), tf.mul(face, outside)))
        }
        if (eyesMouthPrio > 0) {
          const where = input('eyesMouth')
          loss = tf.add(
            loss,
            tf.mul(meanAbsoluteError(tf.mul(input('target'), where), tf.mul(face, where)), eyesMouthPrio),
          )
        }
        return tf.mean(loss) as tf.Scalar
      }
      const losses: Record<string, tf.Scalar> = {}
      const total = (...values: tf.Tensor[]) => {
        const params: Params = { ...frozen, ...Object.fromEntries(paths.map((path, i) => [path, values[i]!])) }
        losses.src = sideLoss(params, 'src')
        losses.dst = sideLoss(params, 'dst')
        return tf.add(losses.src, losses.dst) as tf.Scalar
      }
      const gradients = tf.grads(total)(paths.map((path) => state[path]!))
      const next: Record<string, tf.Tensor> = {}
      paths.forEach((path, i) => {
        const moments = Object.fromEntries(
          optimiser.moments.map((moment) => [moment, state[momentName(moment, path)]!]),
        )
        const updated = optimiser.update(state[path]!, gradients[i]!, moments, given.learningRate!)
        next[path] = updated.param
        for (const moment of optimiser.moments) next[momentName(moment, path)] = updated.moments[moment]!
      })
      return { state: next, outputs: { src: losses.src!, dst: losses.dst! } }
    },
    { state: shapes, inputs },
    { threads: options.threads, profile: options.profile },
  )

  return {
    compiled,
    async run(state, batch, learningRate) {
      const feeds: Record<string, ArrayLike<number>> = { learningRate: [learningRate] }
      for (const side of ['src', 'dst'] as const)
        for (const [name, data] of Object.entries(batch[side]))
          if (`${side}/${name}` in inputs) feeds[`${side}/${name}`] = data
      const { src, dst } = await compiled.run(state, feeds)
      return { src: Number((src as TensorData).data[0]), dst: Number((dst as TensorData).data[0]) }
    },
    [Symbol.asyncDispose]: () => compiled[Symbol.asyncDispose](),
  }
}

/** 10·DSSIM + 10·MSE of each sample: [N]. */
function faceLoss(target: tf.Tensor4D, face: tf.Tensor4D, R: number): tf.Tensor {
  const wide = Math.max(3, Math.floor(R / 11.6))
  const structure =
    R < 256
      ? tf.mul(dssim(target, face, wide), 10)
      : tf.add(tf.mul(dssim(target, face, wide), 5), tf.mul(dssim(target, face, Math.floor(R / 23.2)), 5))
  return tf.add(structure, tf.mul(meanSquaredError(target, face), 10))
}

/**
 * The mask with a soft edge pushed outwards: 2·min(blurred, 0.5), blurred by a Gaussian of σ = R/32.
 *
 * @param mask  [N, R, R, 1] float32 0..1.
 */
function outline(mask: tf.Tensor4D, R: number): tf.Tensor4D {
  const sigma = Math.max(1, Math.floor(R / 32))
  const weights = new Float32Array(R * R)
  const reach = Math.max(1, Math.floor((4 * sigma) / 2))
  let sum = 0
  for (let d = -reach; d <= reach; d++) sum += Math.exp(-(d * d) / (2 * sigma * sigma))
  for (let i = 0; i < R; i++)
    for (let j = Math.max(0, i - reach); j <= Math.min(R - 1, i + reach); j++)
      weights[i * R + j] = Math.exp(-((i - j) ** 2) / (2 * sigma * sigma)) / sum
  const band = tf.tensor2d(weights, [R, R])
  const N = mask.shape[0]
  const lines = tf.matMul(tf.reshape(mask, [N * R, R]), band)
  const blurred = tf.matMul(tf.tile(tf.expandDims(band, 0), [N, 1, 1]), tf.reshape(lines, [N, R, R]))
  return tf.reshape(tf.mul(tf.minimum(blurred, 0.5), 2), [N, R, R, 1])
}
