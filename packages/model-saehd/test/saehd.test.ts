import { type OptionsOf, resolveOptions } from '@dfl/core'
import { countParams, initialise } from '@dfl/nn'
import { testArchitecture } from '@dfl/nn/testing'
import { describe, expect, it } from 'vitest'
import { quick96, saehd } from '../src/index.js'

const small = { resolution: 32, aeDims: 16, eDims: 8, dDims: 8, dMaskDims: 4 }
const build = (options: object) => saehd.build(resolveOptions(saehd.options, options))

const variants: Record<string, Partial<OptionsOf<typeof saehd.options>>> = {
  'LIAE-UD': small,
  'LIAE-UDTC': { ...small, deep: true, cosine: true },
  'LIAE without variants': { ...small, pixelNorm: false, subpixel: false },
  'DF-UD': { ...small, archi: 'df' },
}

describe.each(Object.entries(variants))('SAEHD %s', (_, options) => {
  for (const { name, run } of testArchitecture(saehd, options)) it(name, run)
})

describe('SAEHD', () => {
  /** Millions of parameters as DeepFaceLab has them, with the defaults for dimensions. */
  it.each([
    ['DF-UD', 128, { archi: 'df' }, 54.5],
    ['DF-UDT', 256, { archi: 'df', deep: true }, 97.2],
    ['LIAE-UD', 128, {}, 82.4],
    ['LIAE-UD', 256, {}, 145.3],
    ['LIAE-UDT', 320, { deep: true }, 121.7],
    ['Quick96', 96, quick96.options, 38],
  ])('%s at %d px has as many parameters as in DeepFaceLab', (_, resolution, options, millions) => {
    const { params } = build({ resolution, ...options })
    expect(Math.abs(countParams(params) / 1e6 - millions)).toBeLessThan(millions === 38 ? 0.5 : 0.06)
  })

  it('lets the inter of both people rest while faces are not warped, in LIAE alone', () => {
    const learning = (options: object, randomWarp: boolean) => {
      const model = build({ ...small, ...options })
      return [...(model.trainable?.({ randomWarp }) ?? Object.keys(model.params))]
    }
    const resting = (path: string) => path.startsWith('inter_AB/')
    expect(learning({}, true).some(resting)).toBe(true)
    expect(learning({}, false).some(resting)).toBe(false)
    expect(learning({}, false)).toContain('inter_B/dense1/weight')
    expect(learning({ archi: 'df' }, false)).toHaveLength(learning({ archi: 'df' }, true).length)
  })

  it('has in DF the parameters that the df architecture has, by the same names and values', () => {
    const { params } = build({ ...small, archi: 'df' })
    expect(Object.keys(params)).toContain('decoder_src/res2/conv1/weight')
    expect(initialise(params, 1)['inter/dense1/weight']!.shape).toEqual([2 * 2 * 64, 16])
  })

  it('says which resolutions go with its options', () => {
    expect(() => build({ ...small, resolution: 80 })).toThrow(
      'Expected a multiple of 32 for `resolution` with `subpixel`, but got 80. Use 64 or 96.',
    )
    expect(() => build({ ...small, archi: 'sae' })).toThrow("Expected one of df, liae for `archi`, but got 'sae'.")
  })
})
