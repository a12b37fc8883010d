import { Random, resolveOptions } from '@dfl/core'
import { compile, State, tf } from '@dfl/engine'
import { countParams, initialise, type Params } from '@dfl/nn'
import { testArchitecture } from '@dfl/nn/testing'
import { describe, expect, it } from 'vitest'
import { df } from '../src/index.js'

const small = { resolution: 32, aeDims: 16, eDims: 8, dDims: 8, dMaskDims: 4 }

const variants = {
  'as it is by default': small,
  'that paints the last doubling as a doubling': { ...small, subpixel: false },
  'without pixel normalisation': { ...small, pixelNorm: false },
  'that is deep': { ...small, deep: true },
  'that is deep and paints the last doubling as a doubling': { ...small, deep: true, subpixel: false },
  'with x · cos(x) as the activation': { ...small, cosine: true },
  'whose encoder sees half the size': { ...small, resolution: 64, encoderResolution: 32 },
  "that reads a head's face in a window": { ...small, resolution: 64, encoderResolution: 32, faceWindow: true },
  'that is deep and whose encoder sees a quarter of the size': {
    ...small,
    ...{ resolution: 128, encoderResolution: 32, deep: true, subpixel: false },
  },
}

describe.each(Object.entries(variants))('DF %s', (_, options) => {
  for (const { name, run } of testArchitecture(df, options)) it(name, run)
})

describe('DF', () => {
  /** Millions of parameters as DeepFaceLab has them, with the defaults for dimensions. */
  it.each([
    ['DF', 128, { pixelNorm: false, subpixel: false }, 57.5],
    ['DF-UD', 128, {}, 54.5],
    ['DF-UDT', 128, { deep: true }, 87.7],
    ['DF-UD', 192, {}, 66.3],
    ['DF', 256, { pixelNorm: false, subpixel: false }, 95.3],
    ['DF-UD', 256, {}, 82.8],
    ['DF-UDT', 256, { deep: true }, 97.2],
    ['DF-UD', 512, {}, 196.1],
  ])('%s at %d px has as many parameters as in DeepFaceLab', (_, resolution, options, millions) => {
    const { params } = df.build(resolveOptions(df.options, { resolution, ...options }))
    expect(countParams(params) / 1e6).toBeCloseTo(millions, 1)
  })

  it('has no parameter of the decoders in common', () => {
    const paths = Object.keys(df.build(resolveOptions(df.options, small)).params)
    const of = (part: string) =>
      paths.filter((path) => path.startsWith(`${part}/`)).map((path) => path.slice(part.length))
    expect(of('decoder_src').length).toBeGreaterThan(10)
    expect(of('decoder_src')).toEqual(of('decoder_dst'))
    expect(paths.length).toBe(of('encoder').length + of('inter').length + 2 * of('decoder_src').length)
  })

  it('says which resolutions go with its options', () => {
    const build = (options: object) => () => df.build(resolveOptions(df.options, { ...small, ...options }))
    expect(build({ resolution: 80 })).toThrow(
      'Expected a multiple of 32 for `resolution` with `subpixel`, but got 80. Use 64 or 96.',
    )
    expect(build({ resolution: 48, deep: true, subpixel: false })).toThrow(
      'Expected a multiple of 32 for `resolution` with `deep`, but got 48. Use 32 or 64.',
    )
    expect(build({ resolution: 80, subpixel: false })).not.toThrow()
  })

  it('whose encoder sees less has the shared part of the smaller network and one more level to paint with', () => {
    const paramsOf = (more: object) => df.build(resolveOptions(df.options, { ...small, ...more })).params
    const [smaller, finer] = [paramsOf({}), paramsOf({ resolution: 64, encoderResolution: 32 })]
    for (const [path, { shape }] of Object.entries(smaller))
      if (!/mask_up4/.test(path)) expect(finer[path]?.shape, path).toEqual(shape)
    const more = Object.keys(finer).filter((path) => !(path in smaller))
    expect(new Set(more.map((path) => path.split('/')[1]))).toEqual(new Set(['up4', 'res4', 'mask_up5']))
  })

  it('says which sizes the encoder may see', () => {
    const build = (more: object) => () => df.build(resolveOptions(df.options, { ...small, ...more }))
    expect(build({ resolution: 96, encoderResolution: 32 })).toThrow(
      'Expected 96, 48 or 24 for `encoderResolution` at `resolution` 96, but got 32. Use one of them, or 0 for all of it.',
    )
    expect(build({ resolution: 96, encoderResolution: 48 })).toThrow(
      'Expected a multiple of 32 for `resolution` with `subpixel`, but got 48. Use 32 or 64.',
    )
    expect(build({ resolution: 64, encoderResolution: 64 })).not.toThrow()
  })

  it("reads a head's face in a window as a model of faces reads it, and lays it out there", async () => {
    const build = (more: object) => df.build(resolveOptions(df.options, { ...small, ...more }))
    const [face, head] = [build({}), build({ resolution: 64, encoderResolution: 32, faceWindow: true })]
    const state = new State(initialise(head.params, 1))
    const random = new Random(1)
    const picture = Float32Array.from({ length: 64 * 64 * 3 }, () => random.uniform())
    const shapes = Object.fromEntries(Object.entries(head.params).map(([path, { shape }]) => [path, shape]))
    // The window lies where the lower half of a map of 4 begins, and half a side from the left.
    const maps = (p: Params, { x }: Record<string, tf.Tensor>) => {
      const [whole] = head.encode(p, x as tf.Tensor4D) as [tf.Tensor4D]
      const [own] = face.encode(p, tf.slice(x as tf.Tensor4D, [0, 32, 16, 0], [1, 32, 32, 3])) as [tf.Tensor4D]
      return { outputs: { inWindow: tf.slice(whole, [0, 2, 1, 0], [1, 2, 2, 16]), whole, own } }
    }
    await using compiled = await compile(maps, { state: shapes, inputs: { x: [1, 64, 64, 3] } })
    const { inWindow, whole, own } = await compiled.run(state, { x: picture })
    expect(whole!.shape).toEqual([1, 4, 4, 16])
    const apart = Array.from(own!.data as Float32Array, (v, i) => Math.abs(v - Number(inWindow!.data[i])))
    expect(Math.max(...apart)).toBeLessThan(1e-5)
    expect(Math.max(...(own!.data as Float32Array))).toBeGreaterThan(1e-3)
    // Around it are maps of their own, nowhere nothing.
    expect(Array.from(whole!.data as Float32Array).filter((v) => v === 0)).toEqual([])
    expect(
      Object.keys(face.params).filter((path) => /^(encoder|inter)[/]/.test(path) && !(path in head.params)),
    ).toEqual([])
  })

  it('needs a smaller picture for the encoder where it reads a face in a window', () => {
    expect(() => df.build(resolveOptions(df.options, { ...small, resolution: 64, faceWindow: true }))).toThrow(
      'Expected 32 or 16 for `encoderResolution` with `faceWindow`, but got 64. Use one of them, or leave the window out.',
    )
  })

  it('reports wrong options all at once', () => {
    expect(() => resolveOptions(df.options, { resolution: 100, aeDims: 12.5, eDims: 1000 })).toThrow(
      [
        'Expected a multiple of 16 between 32 and 640 px for `resolution`, but got 100.',
        'Expected a whole number between 16 and 1024 for `aeDims`, but got 12.5.',
        'Expected a multiple of 2 between 8 and 256 for `eDims`, but got 1000.',
      ].join('\n'),
    )
  })
})
