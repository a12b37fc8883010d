import { tf } from '@dfl/engine'
import { adaBelief, adam, conv, convParams, type FaceModel, type Loss, type Optimiser, rmsProp } from '@dfl/nn'
import { describe, expect, it } from 'vitest'
import { createTrainState, createTrainStep, type SideBatch, type StepLosses, type StepOptions } from '../src/index.js'
import { BATCH, batchOf } from './tiny.js'

const R = 16

/** One convolution to a code that both people share, one for each of them to paint. */
const model: FaceModel = {
  resolution: R,
  params: {
    ...convParams('encoder/in', 3, 3, 4),
    ...convParams('decoder_src/out', 3, 4, 4),
    ...convParams('decoder_dst/out', 3, 4, 4),
  },
  encode(params, x) {
    const map = tf.leakyRelu(conv(params, 'encoder/in', x), 0.1)
    return [tf.slice(map, [0, 6, 6, 0], [x.shape[0], 4, 4, 4]), map]
  },
  codeShape: [4, 4, 4],
  decode(params, [, map]: [tf.Tensor4D, tf.Tensor4D], as) {
    const y = tf.sigmoid(conv(params, `decoder_${as}/out`, map))
    const [face, mask] = tf.split(y, [3, 1], 3) as [tf.Tensor4D, tf.Tensor4D]
    return { face, mask }
  },
}

const batch = () => {
  const { src, dst } = batchOf(1)
  const eyesMouth = Float32Array.from({ length: BATCH * R * R }, (_, i) => Number(i % 16 < 4))
  const mask = Float32Array.from({ length: BATCH * R * R }, (_, i) => Number(i % 16 > 3 && i % 16 < 12))
  // DST is brighter than SRC, and has structure that a style can take on.
  const target = (dst.target as Float32Array).map((v, i) => Math.min(1, v + 0.3 + 0.1 * Math.sin(i / 9)))
  return { src: { ...src, eyesMouth, mask }, dst: { ...dst, target, eyesMouth, mask } }
}

const still = { batchSize: BATCH, randomWarp: true, maskedTraining: false, eyesMouthPrio: 0, threads: 1 }

/** Twice as many samples: those, and the same turned round. */
const twice = (side: SideBatch): SideBatch =>
  Object.fromEntries(
    Object.entries(side).map(([name, data]) => [
      name,
      Float32Array.from([...Array.from(data as Float32Array), ...Array.from(data as Float32Array).reverse()]),
    ]),
  ) as unknown as SideBatch

/** What a short training gives: losses of every step, and the state. */
async function trained(options: Partial<StepOptions>, { steps = 30, rate = 0.01, from = 0 } = {}) {
  const optimiser: Optimiser = options.optimiser ?? adaBelief()
  await using step = await createTrainStep(model, { ...still, ...options, optimiser })
  const state = createTrainState(model, optimiser, 3)
  const before = state.snapshot()
  const losses: StepLosses[] = []
  for (let i = 0; i < steps; i++) losses.push(await step.run(state, batch(), rate, from + i))
  return { losses, state, before, last: losses.at(-1)!, nodeCount: step.compiled.nodeCount }
}

describe('a train step', () => {
  it.each([
    ['AdaBelief', adaBelief()],
    ['RMSprop', rmsProp()],
    ['Adam', adam()],
  ])('learns by %s', async (_, optimiser) => {
    const { losses } = await trained({ optimiser })
    expect(losses.at(-1)!.src + losses.at(-1)!.dst).toBeLessThan(0.8 * (losses[0]!.src + losses[0]!.dst))
  })

  it('encodes the faces of both sides once, in one batch', async () => {
    const batches: number[] = []
    const watched: FaceModel = {
      ...model,
      encode(params, x) {
        batches.push(x.shape[0])
        return model.encode(params, x)
      },
    }
    await using _ = await createTrainStep(watched, { ...still, optimiser: adaBelief() })
    expect(batches).toEqual([2 * BATCH])
  })

  it('reports every loss, which add up to that of the side', async () => {
    const { last } = await trained({ eyesMouthPrio: 5 }, { steps: 1 })
    const { parts } = last
    const sum = 10 * (parts['src/dssim']! + parts['src/mse']! + parts['src/mask']!) + 5 * parts['src/eyes_mouth']!
    expect(sum).toBeCloseTo(last.src, 4)
  })

  it('in parts, does what the whole batch at once does', async () => {
    const options = { batchSize: 4, clipgrad: 1, lrDropout: 0.5, optimiser: adam() }
    const four = { src: twice(batch().src), dst: twice(batch().dst) }
    const run = async (accumulate?: number) => {
      await using step = await createTrainStep(model, { ...still, ...options, accumulate })
      const state = createTrainState(model, options.optimiser, 3)
      const losses = []
      for (let i = 0; i < 4; i++) losses.push(await step.run(state, four, 0.01, i))
      return { state, losses }
    }
    const whole = await run()
    for (const parts of [2, 4]) {
      const inParts = await run(parts)
      whole.losses.forEach(({ src, dst }, i) => {
        expect(inParts.losses[i]!.src).toBeCloseTo(src, 4)
        expect(inParts.losses[i]!.dst).toBeCloseTo(dst, 4)
        expect(Object.keys(inParts.losses[i]!.parts)).toEqual(Object.keys(whole.losses[i]!.parts))
      })
      for (const name of whole.state.names)
        whole.state.get(name).data.forEach((value, i) => {
          expect(inParts.state.get(name).data[i]).toBeCloseTo(value, 4)
        })
    }
  })

  it('refuses parts that a batch does not fall into', async () => {
    await expect(createTrainStep(model, { ...still, optimiser: adam(), batchSize: 4, accumulate: 3 })).rejects.toThrow(
      'Expected a whole number that divides the batch size 4 for `accumulate`, but got 3. Change one of them.',
    )
  })

  it('paints eyes and mouth better the more they weigh', async () => {
    const error = async (eyesMouthPrio: number) => {
      const watch: Loss = {
        name: 'watch',
        weight: 0,
        inputs: ['eyesMouth'],
        of: ({ input, target, painted }) =>
          tf.mean(tf.abs(tf.mul(tf.sub(target, painted.face), input('eyesMouth'))), [1, 2, 3]),
      }
      const pixels: Loss = {
        name: 'weighed',
        weight: 1,
        inputs: ['eyesMouth'],
        of: ({ input, target, painted }) =>
          tf.mean(
            tf.mul(tf.squaredDifference(tf.sub(1, target), painted.face), tf.sub(1, input('eyesMouth'))),
            [1, 2, 3],
          ),
      }
      const eyes: Loss = { ...watch, name: 'eyes', weight: eyesMouthPrio }
      const { last } = await trained({ losses: [pixels, eyes, watch] })
      return last.parts['src/watch']!
    }
    expect(await error(30)).toBeLessThan(0.8 * (await error(0.01)))
  })

  it('trains a critic beside the model, which learns to deceive it', async () => {
    const { losses, state } = await trained({ ganPower: 1, ganPatchSize: 7, ganDims: 4 }, { rate: 1e-3 })
    const critic = losses.map(({ parts }) => parts['gan/critic']!)
    expect(Math.min(...critic)).toBeLessThan(0.9 * critic[0]!)
    expect(state.names).toContain('gan/down1/conv/weight')
    expect(state.names).toContain('m:gan/down1/conv/weight')
    const alone = await trained({ ganPower: 0 })
    expect(state.get('decoder_src/out/weight').data).not.toEqual(alone.state.get('decoder_src/out/weight').data)
    expect(state.get('decoder_dst/out/weight').data).not.toEqual(alone.before['decoder_dst/out/weight']!.data)
  })

  it('makes codes of SRC look like those of DST with true face', async () => {
    const deceived = async (trueFacePower: number) =>
      (await trained({ trueFacePower }, { rate: 1e-3 })).last.parts['src/true_face']!
    expect(await deceived(1)).toBeLessThan(await deceived(1e-9))
  })

  it('brings the colours of the swap to DST with style, and only decoders learn from it', async () => {
    const only = (power: { faceStylePower?: number; bgStylePower?: number }) => trained(power, { steps: 40 })
    const plain = await only({ faceStylePower: 1e-6, bgStylePower: 1e-6 })
    const face = await only({ faceStylePower: 100 })
    const background = await only({ bgStylePower: 100 })
    expect(face.last.parts['dst/face_style']!).toBeLessThan(0.5 * plain.last.parts['dst/face_style']!)
    expect(background.last.parts['dst/bg_style']!).toBeLessThan(plain.last.parts['dst/bg_style']!)
    const style: Loss = {
      name: 'style',
      weight: 1,
      of: ({ paint }) => tf.mean(paint('src', 'decoders').face, [1, 2, 3]),
    }
    const keep: Loss = { name: 'keep', weight: 0, of: ({ painted }) => tf.mean(painted.face, [1, 2, 3]) }
    const { before, state } = await trained({ losses: [style, keep] }, { steps: 3 })
    expect(state.get('encoder/in/weight').data).toEqual(before['encoder/in/weight']!.data)
    expect(state.get('decoder_src/out/weight').data).not.toEqual(before['decoder_src/out/weight']!.data)
  })

  it('lets a share of the weights learn with LR dropout, others in every iteration, the same for the same one', async () => {
    const changed = async (from: number) => {
      const { before, state } = await trained({ lrDropout: 0.3 }, { steps: 1, from })
      return ['encoder/in/weight', 'decoder_src/out/weight', 'decoder_dst/out/weight'].flatMap((path) =>
        Array.from(state.get(path).data, (v, i) => v !== before[path]!.data[i]),
      )
    }
    const [first, again, second] = [await changed(0), await changed(0), await changed(1)]
    const share = first.filter(Boolean).length / first.length
    expect(share).toBeGreaterThan(0.2)
    expect(share).toBeLessThan(0.4)
    expect(again).toEqual(first)
    expect(second).not.toEqual(first)
  })

  it('slows the parameters that a factor is given for, and no others', async () => {
    const distances = async (rates?: Record<string, number>) => {
      const { before, state } = await trained({ rates }, { steps: 1 })
      return ['encoder/in/weight', 'decoder_src/out/weight'].map((path) =>
        Math.max(...Array.from(state.get(path).data, (v, i) => Math.abs(v - before[path]!.data[i]!))),
      )
    }
    const [[encoder, decoder], [slow, same]] = [await distances(), await distances({ 'encoder/': 0.1 })]
    expect(slow! / encoder!).toBeCloseTo(0.1, 3)
    expect(same).toBe(decoder)
  })

  it('leaves alone what has the factor 0, without computing its gradient', async () => {
    const whole = await trained({}, { steps: 1 })
    const { before, state, nodeCount } = await trained({ rates: { 'encoder/': 0 } }, { steps: 1 })
    expect(state.get('encoder/in/weight').data).toEqual(before['encoder/in/weight']!.data)
    expect(state.get('decoder_src/out/weight').data).toEqual(whole.state.get('decoder_src/out/weight').data)
    expect(nodeCount).toBeLessThan(whole.nodeCount)
  })

  it('swings the learning rate between its value and 0', async () => {
    const distance = async (from: number) => {
      const { before, state } = await trained({ lrCosineIterations: 500 }, { steps: 1, from })
      const path = 'encoder/in/weight'
      return Math.max(...Array.from(state.get(path).data, (v, i) => Math.abs(v - before[path]!.data[i]!)))
    }
    expect(await distance(250)).toBeLessThan(1e-6)
    expect(await distance(500)).toBeCloseTo(await distance(0), 6)
  })

  it('shortens a gradient that is longer than it may be, and no other', async () => {
    const plain: Optimiser = {
      name: 'plain',
      moments: [],
      update: (param, gradient, _, rate) => ({ param: tf.sub(param, tf.mul(gradient, rate)), moments: {} }),
    }
    const moved = async (clipgrad?: number) => {
      const { before, state } = await trained({ optimiser: plain, clipgrad }, { steps: 1, rate: 1 })
      const squares = Object.keys(before).flatMap((path) =>
        Array.from(state.get(path).data, (v, i) => (v - before[path]!.data[i]!) ** 2),
      )
      return BATCH * Math.sqrt(squares.reduce((a, b) => a + b))
    }
    const free = await moved()
    expect(await moved(free / 4)).toBeCloseTo(free / 4, 3)
    expect(await moved(4 * free)).toBeCloseTo(free, 4)
  })

  it('trains towards blurred backgrounds, if told to', async () => {
    const [sharp, blurred] = [await trained({}, { steps: 1 }), await trained({ blurOutMask: true }, { steps: 1 })]
    expect(blurred.last.parts['src/mse']).not.toBeCloseTo(sharp.last.parts['src/mse']!, 4)
    const inside = (options: object) => trained({ ...options, maskedTraining: true }, { steps: 1 })
    expect((await inside({ blurOutMask: true })).last.parts['src/mask']).toBe((await inside({})).last.parts['src/mask'])
  })

  it('draws the values of controls by lot, the same for the same iteration', async () => {
    const seen: number[] = []
    const controlled: FaceModel = {
      ...model,
      controls: {
        shade: {
          description: 'Brightness.',
          ...{ default: 1, min: 0, max: 1, shape: [1, 1, 1] },
          draw: (random) => {
            const value = random.uniform()
            seen.push(value)
            return [value]
          },
          at: (value) => tf.reshape(value, [1, 1, 1, 1]),
        },
      },
      decode(params, code, as, controls = {}) {
        const { face, mask } = model.decode(params, code, as)
        return { face: tf.mul(face, controls.shade!), mask }
      },
    }
    const optimiser = adaBelief()
    await using step = await createTrainStep(controlled, { ...still, optimiser })
    const state = createTrainState(model, optimiser, 3)
    const losses = []
    for (const iteration of [0, 1]) losses.push(await step.run(state, batch(), 0, iteration))
    losses.push(await step.run(state, batch(), 0, 0))
    expect(new Set(seen.slice(0, 4)).size).toBe(4)
    expect(losses[2]).toEqual(losses[0])
    expect(losses[1]!.src).not.toBe(losses[0]!.src)
  })
})
