import { Random, resolveOptions } from '@dfl/core'
import { compile, State, tf } from '@dfl/engine'
import { countParams, initialise } from '@dfl/nn'
import { testArchitecture } from '@dfl/nn/testing'
import { describe, expect, it } from 'vitest'
import { amp } from '../src/index.js'

const small = { resolution: 32, aeDims: 16, interDims: 32, eDims: 8, dDims: 8, dMaskDims: 4 }
const build = (options: object) => amp.build(resolveOptions(amp.options, options))

describe('AMP', () => {
  for (const { name, run } of testArchitecture(amp, small)) it(name, run)

  it('has as many parameters as in DeepFaceLab', () => {
    expect(countParams(build({}).params) / 1e6).toBeCloseTo(101, 0)
  })

  it('has inters four times as wide as its code where nothing else is said', () => {
    const widthOf = (options: object) => build({ ...small, ...options }).controls!.morph!.shape.at(-1)
    expect([widthOf({ interDims: 0 }), widthOf({ interDims: 0, aeDims: 1024 }), widthOf({})]).toEqual([64, 2048, 32])
    expect(widthOf({ interDims: 0, aeDims: 256 })).toBe(1024)
  })

  it('trains SRC with exactly the share of channels that its morph factor says, any of them', () => {
    const { draw } = build({ ...small, morphFactor: 0.25 }).controls!.morph!
    const lots = [1, 2, 3].map((seed) => Array.from(draw(new Random(seed))))
    for (const lot of lots) expect(lot.filter((v) => v === 1)).toHaveLength(8)
    expect(new Set(lots.map(String)).size).toBe(3)
  })

  it('paints DST as DST at 0, and takes the first channels from the inter of SRC beyond', async () => {
    const model = build(small)
    const shapes = Object.fromEntries(Object.entries(model.params).map(([path, { shape }]) => [path, shape]))
    await using compiled = await compile(
      (params, { x }) => {
        const morph = (value: number) => ({ morph: model.controls!.morph!.at(tf.scalar(value)) })
        const face = (as: 'src' | 'dst', value: number) =>
          model.decode(params, model.encode(params, x as tf.Tensor4D), as, morph(value)).face
        const apart = (a: tf.Tensor, b: tf.Tensor) => tf.max(tf.abs(tf.sub(a, b)))
        return {
          outputs: {
            none: apart(face('src', 0), face('dst', 1)),
            half: apart(face('src', 0), face('src', 0.5)),
            chosen: tf.sum(model.controls!.morph!.at(tf.scalar(0.5))),
            dst: apart(face('dst', 0), face('dst', 1)),
          },
        }
      },
      { state: shapes, inputs: { x: [1, 32, 32, 3] } },
    )
    const random = new Random(1)
    const x = Float32Array.from({ length: 32 * 32 * 3 }, () => random.uniform())
    const { none, half, chosen, dst } = await compiled.run(new State(initialise(model.params, 1)), { x })
    expect([none!.data[0], dst!.data[0], chosen!.data[0]]).toEqual([0, 0, 16])
    expect(half!.data[0]).toBeGreaterThan(1e-4)
  })
})
