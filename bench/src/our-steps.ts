import { compile, type SavedTensor, State, tf } from '@dfl/engine'
import { adaBelief, encodeTogether, type FaceModel, meanSquaredError, rmsProp } from '@dfl/nn'
import { type Batch, createTrainStep, momentName, resetMoments } from '@dfl/trainer'
import { modelOf, type TrainCase } from './train-cases.js'

/** An iteration of a case, over and over on one state. */
export interface CaseSteps {
  /** Takes one and gives its loss before the update. */
  step(): Promise<number>
  dispose(): Promise<void>
}

/** Compiles a case's step and fills its state. `profile`: folder and name prefix of ONNX Runtime's profile. */
export async function startCase(
  given: TrainCase,
  tensors: Readonly<Record<string, SavedTensor>>,
  profile?: string,
): Promise<CaseSteps> {
  const model = modelOf(given)
  const optimiser = given.optimiser === 'rmsprop' ? rmsProp() : adaBelief()
  const state = new State(Object.fromEntries(Object.keys(model.params).map((path) => [path, tensors[path]!])))
  resetMoments(state, model, optimiser)
  // Copies, so that nothing holds on to the file that the tensors lie in.
  const part = (side: string, name: string) => tensors[`batch/${side}/${name}`]!.data.slice()
  const sideOf = (side: string) => ({
    warped: part(side, 'warped'),
    target: part(side, 'target'),
    mask: part(side, 'mask'),
  })
  const batch: Batch = { src: sideOf('src'), dst: sideOf('dst') }
  const { step, dispose } = given.loss === 'mse' ? await plainStep(model, given) : await realStep(model, given, profile)
  return { step: () => step(state, batch), dispose }
}

interface Step {
  step(state: State, batch: Batch): Promise<number>
  dispose(): Promise<void>
}

/** The step that `dfl train` runs. */
async function realStep(model: FaceModel, given: TrainCase, profile?: string): Promise<Step> {
  const { batchSize, learningRate, threads } = given
  const options = { randomWarp: true, maskedTraining: true, eyesMouthPrio: 0 }
  const step = await createTrainStep(model, { batchSize, optimiser: adaBelief(), threads, profile, ...options })
  return {
    async step(state, batch) {
      const { src, dst } = await step.run(state, batch, learningRate)
      return src + dst
    },
    dispose: async () => step[Symbol.asyncDispose](),
  }
}

/** A step with masked MSE and RMSprop, as short as a step can be written. */
async function plainStep(model: FaceModel, { batchSize: N, learningRate, threads }: TrainCase): Promise<Step> {
  const R = model.resolution
  const paths = Object.keys(model.params)
  const optimiser = rmsProp()
  const inputs: Record<string, number[]> = { learningRate: [] }
  const shapes: Record<string, readonly number[]> = {}
  for (const side of ['src', 'dst']) {
    inputs[`${side}/warped`] = [N, R, R, 3]
    inputs[`${side}/target`] = [N, R, R, 3]
    inputs[`${side}/mask`] = [N, R, R, 1]
  }
  for (const path of paths) for (const name of [path, momentName('a', path)]) shapes[name] = model.params[path]!.shape
  const compiled = await compile(
    (state, given) => {
      const loss = (...params: tf.Tensor[]) => {
        const byPath = Object.fromEntries(paths.map((path, i) => [path, params[i]!]))
        const warped = (side: string) => given[`${side}/warped`] as tf.Tensor4D
        const codes = encodeTogether(model, byPath, { src: warped('src'), dst: warped('dst') })
        const ofSide = (side: string) => {
          const input = (name: string) => given[`${side}/${name}`] as tf.Tensor4D
          const { face, mask } = model.decode(byPath, codes[side]!, side)
          const masked = (x: tf.Tensor4D) => tf.mul(x, input('mask')) as tf.Tensor4D
          const errors = tf.add(
            meanSquaredError(masked(face), masked(input('target'))),
            meanSquaredError(mask, input('mask')),
          )
          return tf.mul(tf.mean(errors), 10)
        }
        return tf.add(ofSide('src'), ofSide('dst')) as tf.Scalar
      }
      const { value, grads } = tf.valueAndGrads(loss)(paths.map((path) => state[path]!))
      const next: Record<string, tf.Tensor> = {}
      paths.forEach((path, i) => {
        const moments = { a: state[momentName('a', path)]! }
        const updated = optimiser.update(state[path]!, grads[i]!, moments, given.learningRate!)
        next[path] = updated.param
        next[momentName('a', path)] = updated.moments.a!
      })
      return { state: next, outputs: { loss: value } }
    },
    { state: shapes, inputs },
    { threads },
  )
  return {
    async step(state, batch) {
      const feeds: Record<string, ArrayLike<number>> = { learningRate: [learningRate] }
      for (const side of ['src', 'dst'] as const)
        for (const [name, data] of Object.entries(batch[side])) feeds[`${side}/${name}`] = data
      const { loss } = await compiled.run(state, feeds)
      return Number(loss!.data[0])
    },
    dispose: async () => compiled[Symbol.asyncDispose](),
  }
}
