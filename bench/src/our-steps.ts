import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { compile, decodeSafetensors, State, tf } from '@dfl/engine'
import { df } from '@dfl/model-df'
import { adaBelief, type FaceModel, meanSquaredError, rmsProp } from '@dfl/nn'
import { type Batch, createTrainStep, momentName, resetMoments } from '@dfl/trainer'
import type { TrainCase } from './train-cases.js'

/**
 * A program of its own, the counterpart of python/df.py: takes the same case and tensors, speaks the same lines of JSON.
 * Each side in a process of its own, so that the memory of one is not counted for the other.
 */
async function main([casePath, tensorsPath]: string[]): Promise<void> {
  const given: TrainCase = JSON.parse(await readFile(casePath!, 'utf8'))
  const { tensors } = decodeSafetensors(await readFile(tensorsPath!))
  const model = df.build(given.network)
  const optimiser = given.optimiser === 'rmsprop' ? rmsProp() : adaBelief()
  const state = new State(Object.fromEntries(Object.keys(model.params).map((path) => [path, tensors[path]!])))
  resetMoments(state, model, optimiser)
  const part = (side: string, name: string) => tensors[`batch/${side}/${name}`]!.data
  const sideOf = (side: string) => ({
    warped: part(side, 'warped'),
    target: part(side, 'target'),
    mask: part(side, 'mask'),
  })
  const batch: Batch = { src: sideOf('src'), dst: sideOf('dst') }
  const step = given.loss === 'mse' ? await plainStep(model, given) : await realStep(model, given)

  say({ ready: true, versions: { node: process.version } })
  for await (const line of createInterface({ input: process.stdin })) {
    const { steps } = JSON.parse(line) as { steps: number }
    const ms: number[] = []
    const losses: number[] = []
    for (let i = 0; i < steps; i++) {
      const began = performance.now()
      losses.push(await step(state, batch))
      ms.push(performance.now() - began)
    }
    say({ ms, losses, peakMegabytes: process.resourceUsage().maxRSS / 1024 })
  }
}

const say = (message: unknown) => process.stdout.write(`${JSON.stringify(message)}\n`)

type Step = (state: State, batch: Batch) => Promise<number>

/** The step that `dfl train` runs. */
async function realStep(model: FaceModel, { batchSize, learningRate, threads }: TrainCase): Promise<Step> {
  const options = { randomWarp: true, maskedTraining: true, eyesMouthPrio: 0 }
  const step = await createTrainStep(model, { batchSize, optimiser: adaBelief(), threads, ...options })
  return async (state, batch) => {
    const { src, dst } = await step.run(state, batch, learningRate)
    return src + dst
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
        const ofSide = (side: 'src' | 'dst') => {
          const input = (name: string) => given[`${side}/${name}`] as tf.Tensor4D
          const { face, mask } = model.forward(byPath, input('warped'), side)
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
  return async (state, batch) => {
    const feeds: Record<string, ArrayLike<number>> = { learningRate: [learningRate] }
    for (const side of ['src', 'dst'] as const)
      for (const [name, data] of Object.entries(batch[side])) feeds[`${side}/${name}`] = data
    const { loss } = await compiled.run(state, feeds)
    return Number(loss!.data[0])
  }
}

await main(process.argv.slice(2))
