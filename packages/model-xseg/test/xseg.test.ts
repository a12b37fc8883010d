import { type Pixels, Random, resolveOptions } from '@dfl/core'
import { compile, State, tf } from '@dfl/engine'
import { createPixels, rgbToGray } from '@dfl/image'
import { countParams, type FaceModel, initialise, type Optimiser, rmsProp, type SideView } from '@dfl/nn'
import { testArchitecture } from '@dfl/nn/testing'
import { describe, expect, it } from 'vitest'
import {
  batchOf,
  compress,
  createMasker,
  drawSample,
  type LabelledFace,
  labelMask,
  plainSample,
  xseg,
  xsegPretraining,
} from '../src/index.js'

const small = { resolution: 64, baseDims: 4 }
const build = (options: object) => xseg.build(resolveOptions(xseg.options, options))

/** A light disc somewhere on a striped ground, with an outline round it and a bar across that is no part of it. */
function labelled(seed: number, S = 64): LabelledFace {
  const random = new Random(seed)
  const [x, y, radius] = [random.uniform(0.4, 0.6) * S, random.uniform(0.4, 0.6) * S, random.uniform(0.2, 0.3) * S]
  const image = createPixels(S, S, 3)
  for (let i = 0; i < S * S; i++) {
    const inside = Math.hypot((i % S) - x, Math.floor(i / S) - y) < radius
    const ground = 0.2 + 0.1 * Math.sin((i % S) / 3 + seed)
    image.data.set(inside ? [0.9, 0.7, 0.6] : [ground, ground, 0.3], 3 * i)
  }
  const round = (r: number) =>
    Array.from({ length: 40 }, (_, k) => [x + r * Math.cos(k / 6.37), y + r * Math.sin(k / 6.37)] as const)
  return { image, polygons: [{ kind: 'include', points: round(radius) }] }
}

describe('XSeg', () => {
  for (const { name, run } of testArchitecture(xseg, small)) it(name, run)

  it('has as many parameters as in DeepFaceLab', () => {
    expect(countParams(build({}).params) / 1e6).toBeCloseTo(17.6, 1)
  })

  it('learns from outlines to find what they enclose, and a masker leaves out what it hardly believes in', async () => {
    const model = build(small)
    const faces = [1, 2, 3, 4].map((seed) => labelled(seed))
    const { state } = await trained(model, 30, (i) => {
      const random = new Random(i)
      const { warped, mask } = batchOf(
        [0, 1].map((k) => drawSample(faces, (2 * i + k) % 4, { random, resolution: 64 })),
      )
      return { x: warped, mask }
    })
    await using masker = await createMasker(model, state)
    const unseen = labelled(9)
    const [found] = await masker.find([unseen.image])
    const wanted = labelMask(unseen)
    const wrong = found!.data.filter((v, i) => v >= 0.5 !== wanted.data[i]! >= 0.5).length
    expect(wrong / found!.data.length).toBeLessThan(0.08)
    expect(found!.data.every((v) => v === 0 || v >= 0.1)).toBe(true)
  })
})

describe('pretraining', () => {
  const model = xsegPretraining(resolveOptions(xseg.options, small))

  it('has the parameters of the network that goes on from it', () => {
    expect(model.params).toEqual(build(small).params)
  })

  it('learns to give back the gray picture of what it sees', async () => {
    const faces = [1, 2, 3, 4].map((seed) => labelled(seed).image)
    const { losses } = await trained(model, 60, (i) => {
      const x = new Float32Array([0, 1].flatMap((k) => [...faces[(2 * i + k) % 4]!.data]))
      return { x, mask: rgbToGray({ data: x, width: 64, height: 128, channels: 3 }).data }
    })
    const mean = (part: number[]) => part.reduce((a, b) => a + b) / part.length
    expect(mean(losses.slice(-8)) / mean(losses.slice(0, 4))).toBeLessThan(0.6)
  })

  it('sees nothing beside the bottleneck', async () => {
    const shapes = Object.fromEntries(Object.entries(model.params).map(([path, { shape }]) => [path, shape]))
    await using painted = await compile(
      (state, { x }) => ({
        outputs: { mask: model.decode(state, model.encode(state, x as tf.Tensor4D), 'src').mask },
      }),
      { state: shapes, inputs: { x: [1, 64, 64, 3] } },
    )
    const state = new State(withoutCode(model))
    const [one, other] = [labelled(1), labelled(2)].map(({ image }) => painted.run(state, { x: image.data }))
    expect((await one)!.mask!.data).toEqual((await other)!.mask!.data)
  })
})

/** Parameters whose code is always zero. */
const withoutCode = (model: FaceModel) =>
  Object.fromEntries(
    Object.entries(initialise(model.params, 1)).map(([path, { data, shape }]) => [
      path,
      { shape, data: path.startsWith('encoder/dense2') ? new Float32Array(data.length) : data },
    ]),
  )

/** A small network after so many steps of RMSprop, and its loss at each of them. */
async function trained(
  model: FaceModel,
  steps: number,
  batch: (step: number) => { x: Float32Array; mask: Float32Array },
): Promise<{ state: State; losses: number[] }> {
  const shapes = Object.fromEntries(Object.entries(model.params).map(([path, { shape }]) => [path, shape]))
  const paths = Object.keys(shapes)
  const optimiser = rmsProp()
  const N = 2
  await using step = await compile(
    (state, { x, mask }) => trainOnce({ model, paths, optimiser }, state, { x: x!, mask: mask! }),
    {
      state: { ...shapes, ...Object.fromEntries(paths.map((path) => [`a:${path}`, shapes[path]!])) },
      inputs: { x: [N, 64, 64, 3], mask: [N, 64, 64, 1] },
    },
    { threads: 2 },
  )
  const zeros = Object.fromEntries(
    paths.map((path) => [
      `a:${path}`,
      { shape: shapes[path]!, data: new Float32Array(shapes[path]!.reduce((a, b) => a * b)) },
    ]),
  )
  const state = new State({ ...initialise(model.params, 1), ...zeros })
  const losses: number[] = []
  for (let i = 0; i < steps; i++) losses.push(Number((await step.run(state, batch(i))).loss!.data[0]))
  return { state, losses }
}

/** One step of the optimiser towards the labels: the state after it, and the loss before it. */
function trainOnce(
  { model, paths, optimiser }: { model: FaceModel; paths: readonly string[]; optimiser: Optimiser },
  state: Record<string, tf.Tensor>,
  { x, mask }: { x: tf.Tensor; mask: tf.Tensor },
): { state: Record<string, tf.Tensor>; outputs: { loss: tf.Tensor } } {
  const { value, grads } = tf.valueAndGrads((...values) => {
    const params = Object.fromEntries(paths.map((p, i) => [p, values[i]!]))
    const painted = model.decode(params, model.encode(params, x as tf.Tensor4D), 'src')
    const losses = model.losses!({} as never).map(({ weight, of }) =>
      tf.mul(weight, tf.sum(of({ mask, painted } as SideView, {}))),
    )
    return tf.addN(losses) as tf.Scalar
  })(paths.map((path) => state[path]!))
  const next: Record<string, tf.Tensor> = {}
  paths.forEach((path, i) => {
    const updated = optimiser.update(state[path]!, grads[i]!, { a: state[`a:${path}`]! }, tf.scalar(4e-3))
    next[path] = updated.param
    next[`a:${path}`] = updated.moments.a!
  })
  return { state: next, outputs: { loss: value } }
}

describe('labels', () => {
  const square = (a: number, b: number) =>
    [
      [a, a],
      [b, a],
      [b, b],
      [a, b],
    ] as const
  const image = createPixels(16, 16, 3)

  it('are filled where they include, before what they exclude is cut out', () => {
    const mask = labelMask({
      image,
      polygons: [
        { kind: 'exclude', points: square(4, 8) },
        { kind: 'include', points: square(2, 12) },
      ],
    })
    const at = (x: number, y: number) => mask.data[y * 16 + x]
    expect([at(3, 3), at(6, 6), at(10, 10), at(14, 14)]).toEqual([1, 0, 1, 0])
  })

  it('may be a mask that is cut into', () => {
    const mask: Pixels = { data: new Float32Array(256).fill(1), width: 16, height: 16, channels: 1 }
    const cut = labelMask({ image, mask, polygons: [{ kind: 'exclude', points: square(4, 8) }] })
    expect([cut.data[0], cut.data[6 * 16 + 6]]).toEqual([1, 0])
  })

  it('are asked for where there are none', () => {
    expect(() => labelMask({ image })).toThrow(
      'Expected at least one included polygon or a mask for a labelled face, but got none. Label it, or leave it out.',
    )
  })
})

describe('samples', () => {
  const faces = [1, 2, 3].map((seed) => labelled(seed, 96))

  it('are the same for the same random numbers, others for others, in range and with a sharp mask', () => {
    const draw = (seed: number) => drawSample(faces, 0, { random: new Random(seed), resolution: 64 })
    expect(draw(1)).toEqual(draw(1))
    for (const seed of Array.from({ length: 8 }, (_, i) => i)) {
      const { image, mask } = draw(seed)
      expect([image.width, mask.width]).toEqual([64, 64])
      expect(image.data.every((v) => v >= 0 && v <= 1)).toBe(true)
      expect(new Set(mask.data)).toEqual(new Set([0, 1]))
    }
    expect(draw(1).mask.data).not.toEqual(draw(2).mask.data)
  })

  it('keep the mask on the face, whatever happens to the image', () => {
    const brightness = (seed: number) => {
      const { image, mask } = drawSample(faces, 0, { random: new Random(seed), resolution: 64 })
      const mean = (inside: number) => {
        const values = Array.from(image.data).filter((_, i) => mask.data[Math.floor(i / 3)] === inside)
        return values.reduce((a, b) => a + b, 0) / values.length
      }
      return mean(1) > mean(0)
    }
    const seeds = Array.from({ length: 8 }, (_, i) => i)
    expect(seeds.filter(brightness).length).toBeGreaterThan(5)
  })

  it('can be had as they are', () => {
    const { image, mask } = plainSample(faces[0]!, 96)
    expect(image.data).toEqual(faces[0]!.image.data)
    expect(mask.data.some((v) => v === 1)).toBe(true)
  })

  it('lose detail, not colour, by compression', () => {
    const noisy = {
      ...faces[0]!.image,
      data: faces[0]!.image.data.map((v, i) => v * (0.9 + (0.1 * ((i * 7919) % 13)) / 13)),
    }
    const low = { uniform: () => 10 } as unknown as Random
    const packed = compress(noisy, low)
    const mean = (p: Pixels) => p.data.reduce((a, b) => a + b, 0) / p.data.length
    expect(mean(packed)).toBeCloseTo(mean(noisy), 1)
    expect(packed.data).not.toEqual(noisy.data)
    const high = compress(noisy, { uniform: () => 100 } as unknown as Random)
    const worst = high.data.reduce((most, v, i) => Math.max(most, Math.abs(v - noisy.data[i]!)), 0)
    expect(worst).toBeLessThan(1e-3)
  })
})
