import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tf } from '@dfl/engine'
import { adaBelief, adam, conv, convParams, type ModelArchitecture } from '@dfl/nn'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createModel,
  createTrainState,
  createTrainStep,
  findLearningRate,
  type ModelFolder,
  openModel,
  type Recipe,
  type StepOptions,
  type TrainReport,
  train,
} from '../src/index.js'
import { adjustLossScale, lossScaleOf } from '../src/loss-scale.js'
import { BATCH, batchOf, tiny } from './tiny.js'

/** Two layers: gradients go from one to the other in 16 bits. */
const deep: ModelArchitecture = {
  ...tiny,
  name: 'deep',
  build(options) {
    const model = tiny.build(options)
    return {
      ...model,
      params: {
        ...convParams('encoder/in', 3, 3, 4),
        ...convParams('decoder_src/out', 3, 4, 4),
        ...convParams('decoder_dst/out', 3, 4, 4),
      },
      encode: (params, x) => [tf.leakyRelu(conv(params, 'encoder/in', x), 0.1)],
    }
  },
}
const model = deep.build({ resolution: 16 })
const SCALE = 'scale:loss'
const options = { batchSize: BATCH, randomWarp: true, threads: 1 } as const

/** Losses of some steps, and the state after them. */
async function trained(more: Partial<StepOptions>, steps: number, first?: number) {
  const optimiser = more.optimiser ?? adam()
  await using step = await createTrainStep(model, { ...options, optimiser, ...more })
  const state = createTrainState(model, optimiser, 3)
  if (first !== undefined) state.set(SCALE, { data: [first, 0], shape: [2] })
  const losses = []
  for (let i = 0; i < steps; i++) losses.push(await step.run(state, batchOf(i), 0.01, i))
  return { losses, state }
}

describe('a train step in mixed precision', () => {
  it.each([
    ['AdaBelief', { optimiser: adaBelief() }],
    ['Adam, clipped gradients and LR dropout', { optimiser: adam(), clipgrad: 1, lrDropout: 0.5 }],
    ['a critic beside it', { ganPower: 0.1, ganPatchSize: 7, ganDims: 4 }],
  ])('learns as in float32, within 1 % of the loss over 60 steps: %s', async (_, more) => {
    const [mixed, floats] = [await trained({ ...more, precision: 'mixed' }, 60), await trained(more, 60)]
    const sum = ({ src, dst }: { src: number; dst: number }) => src + dst
    mixed.losses.forEach((losses, i) => {
      expect(Math.abs(sum(losses) / sum(floats.losses[i]!) - 1)).toBeLessThan(0.01)
      expect(Object.keys(losses.parts)).toEqual(Object.keys(floats.losses[i]!.parts))
      expect([losses.skipped, losses.lossScale]).toEqual([false, 2 ** 15])
    })
    expect(sum(mixed.losses.at(-1)!)).toBeLessThan(0.9 * sum(mixed.losses[0]!))
    expect(mixed.state.get('decoder_src/out/weight').data).not.toEqual(floats.state.get('decoder_src/out/weight').data)
    expect(mixed.state.names.sort()).toEqual([...floats.state.names, SCALE].sort())
  })

  it.each([1, 2])(
    'in %i parts leaves a step out whose gradients are no numbers, and halves the scale until they are',
    async (accumulate) => {
      const optimiser = adam()
      await using step = await createTrainStep(model, { ...options, optimiser, accumulate, precision: 'mixed' })
      const state = createTrainState(model, optimiser, 3)
      state.set(SCALE, { data: [2 ** 40, 5], shape: [2] })
      const own = (name: string) => name !== SCALE && !name.startsWith('sum:')
      const before = state.snapshot(own)
      let scale = 2 ** 40
      for (;;) {
        const losses = await step.run(state, batchOf(0), 0.01, 0)
        expect(Number.isFinite(losses.src + losses.dst)).toBe(true)
        expect(losses.lossScale).toBe(scale)
        if (!losses.skipped) break
        for (const name of Object.keys(before)) expect(state.get(name).data, name).toEqual(before[name]!.data)
        scale /= 2
        expect(Array.from(state.get(SCALE).data)).toEqual([scale, 0])
      }
      expect(scale).toBeGreaterThan(2 ** 10)
      expect(scale).toBeLessThan(2 ** 40)
      expect(Array.from(state.get(SCALE).data)).toEqual([scale, 1])
      const { state: plain } = await trained({ optimiser }, 1)
      // Of what was left out nothing remains.
      for (const name of Object.keys(before))
        state.get(name).data.forEach((value, i) => {
          expect(value).toBeCloseTo(plain.get(name).data[i]!, 3)
        })
    },
  )

  it('doubles the scale after 2000 sound steps, up to a limit, and never halves it below 1', () => {
    const state = createTrainState(model, adam(), 1)
    expect(lossScaleOf(state)).toBe(2 ** 15)
    for (let i = 0; i < 1999; i++) adjustLossScale(state, true)
    expect(lossScaleOf(state)).toBe(2 ** 15)
    adjustLossScale(state, true)
    expect(lossScaleOf(state)).toBe(2 ** 16)
    for (let i = 0; i < 1999; i++) adjustLossScale(state, true)
    adjustLossScale(state, false) // and counting begins anew
    for (let i = 0; i < 1999; i++) adjustLossScale(state, true)
    expect(lossScaleOf(state)).toBe(2 ** 15)
    for (let i = 0; i < 20; i++) adjustLossScale(state, false)
    expect(lossScaleOf(state)).toBe(1)
    for (let i = 0; i < 40 * 2000; i++) adjustLossScale(state, true)
    expect(lossScaleOf(state)).toBe(2 ** 24)
  })
})

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dfl-mixed-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const recipe: Recipe = {
  name: 'plain',
  assumes: 'nothing',
  phases: [{ name: 'learn', until: 1, learningRate: [0.01, 0.01], randomWarp: true, eyesMouthPrio: 0 }],
}
const made = (name: string) => createModel(join(folder, name), deep, { faceType: 'full_face' })
const run = (model: ModelFolder, iterations: number, more: { saveEverySeconds?: number } = {}) =>
  train(model, async (draw) => batchOf(draw), {
    ...{ recipe, length: { iterations }, batchSize: BATCH, precision: 'mixed', ...more },
  })

describe('a run in mixed precision', () => {
  it('says which steps it left out, goes not back for them, and keeps scale and counter with the weights', async () => {
    const model = await made('model')
    model.state.set(SCALE, { data: [2 ** 40, 0], shape: [2] })
    const reports: TrainReport[] = []
    for await (const report of run(model, 40)) reports.push(report)
    expect(reports.map(({ iteration }) => iteration)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
    const events = reports.flatMap((report) => report.events)
    events.forEach((event, i) => {
      expect(event).toEqual({ kind: 'skipped-step', lossScale: 2 ** (39 - i) })
    })
    expect(reports[0]!.events.length).toBeGreaterThan(10)
    const scale = 2 ** (40 - events.length)
    const log = await model.readLog()
    expect(log.at(-1)!.lossScale).toBe(scale)
    expect(log.reduce((sum, { skipped = 0 }) => sum + skipped, 0)).toBe(events.length)
    expect((await model.readHistory()).map(({ event }) => event)).toEqual(['fed'])
    expect(await model.readHistory()).toMatchObject([{ precision: 'mixed' }])
    const lastSkipped = reports.findLastIndex((report) => report.events.length > 0)
    const opened = await openModel(join(folder, 'model'), [deep])
    expect(Array.from(opened.state.get(SCALE).data)).toEqual([scale, 40 - lastSkipped])
  })

  it('ends bit for bit as one that was killed between, also with steps left out', async () => {
    const [whole, killed] = [await made('whole'), await made('killed')]
    for (const { state } of [whole, killed]) state.set(SCALE, { data: [2 ** 40, 0], shape: [2] })
    for await (const _ of run(whole, 24));
    for await (const { iteration } of run(killed, 24, { saveEverySeconds: 0 }))
      if (iteration === 9) await cp(join(folder, 'killed'), join(folder, 'left'), { recursive: true })
    const resumed = await openModel(join(folder, 'left'), [deep])
    expect(resumed.progress.iteration).toBe(9)
    for await (const _ of run(resumed, 24));
    expect(resumed.state.names.sort()).toEqual(whole.state.names.sort())
    for (const name of whole.state.names) expect(resumed.state.get(name).data, name).toEqual(whole.state.get(name).data)
  })

  it('gives up where gradients are no numbers without a scale, and keeps the sound checkpoint', async () => {
    const model = await made('model')
    for await (const _ of run(model, 2));
    const steep = { name: 'steep', weight: 1e-30 }
    const loop = train(model, async (draw) => batchOf(draw), {
      ...{ recipe, length: { iterations: 9 }, batchSize: BATCH, precision: 'mixed' },
      // Finite, and its gradient is not: the root of nothing.
      furtherLosses: [{ ...steep, of: ({ painted }) => tf.sqrt(tf.mul(tf.mean(painted.face, [1, 2, 3]), 0)) }],
    })
    await expect(loop.next()).rejects.toThrow(
      'Training went wrong 6 times at iteration 3 (gradients were no numbers, also without a loss scale), also with lower learning rates. The model is as it was at iteration 2.',
    )
  })

  it('finds a learning rate in the range of that of float32', async () => {
    const model = await made('model')
    const found = (precision: 'float32' | 'mixed') =>
      findLearningRate(model, async (draw) => batchOf(draw), { batchSize: BATCH, iterations: 40, precision })
    const [mixed, floats] = [await found('mixed'), await found('float32')]
    expect(mixed.learningRate / floats.learningRate).toBeGreaterThan(0.3)
    expect(mixed.learningRate / floats.learningRate).toBeLessThan(3)
    expect(model.state.has(SCALE)).toBe(false)
  })
})
