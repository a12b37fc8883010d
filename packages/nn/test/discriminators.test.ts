import type { tf } from '@dfl/engine'
import { describe, expect, it } from 'vitest'
import { codeDiscriminator, initialise, patchDiscriminator, patchStrides, receptiveField } from '../src/index.js'
import { evaluate } from './evaluate.js'

describe('patchStrides', () => {
  /** Receptive fields and strides as DeepFaceLab finds them. */
  it.each([
    [16, 15, '2,2,2'],
    [24, 23, '2,2,1,2'],
    [32, 31, '2,2,2,2'],
    [40, 39, '2,2,1,2,2'],
    [64, 63, '2,2,2,2,2'],
    [128, 127, '2,2,2,2,2,2'],
  ])('for patches of %d px see %d px', (patchPx, field, strides) => {
    expect(patchStrides(patchPx).join()).toBe(strides)
    expect(receptiveField(patchStrides(patchPx))).toBe(field)
  })
})

describe('patchDiscriminator', () => {
  it('judges patches and pixels', async () => {
    const critic = patchDiscriminator({ resolution: 32, patchPx: 16, dims: 4 })
    const x = { shape: [2, 32, 32, 3], data: Array.from({ length: 2 * 32 * 32 * 3 }, (_, i) => (i % 7) / 7) }
    const { patches, pixels } = await evaluate({ ...initialise(critic.params, 1), x }, ({ x, ...params }) => {
      const [patches, pixels] = critic.apply(params, x as tf.Tensor4D)
      return { patches, pixels }
    })
    expect([patches.shape, pixels.shape]).toEqual([
      [2, 4, 4, 1],
      [2, 32, 32, 1],
    ])
    expect(new Set(pixels.data).size).toBeGreaterThan(100)
  })

  it('says which resolutions its patches need', () => {
    expect(() => patchDiscriminator({ resolution: 96, patchPx: 128, dims: 4 })).toThrow(
      'Expected a resolution divisible by 64 for `ganPatchSize` 128, but got 96. Use smaller patches.',
    )
  })
})

describe('codeDiscriminator', () => {
  it.each([
    [8, 2],
    [16, 3],
  ])('has of a code of side %d %d convolutions of stride 2', (side, count) => {
    const paths = Object.keys(codeDiscriminator([side, side, 4]).params)
    expect(paths.filter((path) => /^down\d+\/conv\/weight$/.test(path))).toHaveLength(count)
  })
})
