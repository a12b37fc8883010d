import { describe, expect, it } from 'vitest'
import { countParams, initialise, type ParamSpec } from '../src/index.js'

const params: ParamSpec = {
  'a/weight': { shape: [3, 3, 16, 48], init: 'glorot-uniform' },
  'b/weight': { shape: [100, 200], init: 'glorot-uniform' },
  'b/bias': { shape: [200], init: 'zeros' },
  'b/scale': { shape: [7], init: 'ones' },
}

describe('initialise', () => {
  it.each([
    ['a/weight', 9 * 16, 9 * 48],
    ['b/weight', 100, 200],
  ])('draws %s uniformly within the limits of Glorot and Bengio', (path, fanIn, fanOut) => {
    const { data, shape } = initialise(params, 3)[path]!
    expect(shape).toEqual(params[path]!.shape)
    const limit = Math.sqrt(6 / (fanIn + fanOut))
    const mean = data.reduce((sum, v) => sum + v, 0) / data.length
    const variance = data.reduce((sum, v) => sum + v * v, 0) / data.length
    expect(Math.max(...data.map(Math.abs))).toBeLessThanOrEqual(limit * (1 + 1e-6))
    expect(Math.max(...data.map(Math.abs))).toBeGreaterThan(0.99 * limit)
    expect(Math.abs(mean)).toBeLessThan(0.03 * limit)
    expect(variance / (limit ** 2 / 3)).toBeCloseTo(1, 1)
  })

  it('starts biases at 0 and scales at 1', () => {
    const first = initialise(params, 1)
    expect(new Set(first['b/bias']!.data)).toEqual(new Set([0]))
    expect(new Set(first['b/scale']!.data)).toEqual(new Set([1]))
  })

  it('gives a parameter the same values whatever else the model holds', () => {
    const { 'b/weight': only } = params
    expect(initialise({ 'b/weight': only! }, 5)).toEqual({ 'b/weight': initialise(params, 5)['b/weight'] })
    expect(initialise(params, 5)['b/weight']).not.toEqual(initialise(params, 6)['b/weight'])
    expect(initialise({ 'c/weight': only! }, 5)['c/weight']!.data).not.toEqual(initialise(params, 5)['b/weight']!.data)
  })
})

describe('countParams', () => {
  it('counts the values of all parameters', () => {
    expect(countParams(params)).toBe(3 * 3 * 16 * 48 + 100 * 200 + 200 + 7)
  })
})
