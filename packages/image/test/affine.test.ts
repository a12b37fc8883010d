import { expect, it } from 'vitest'
import {
  affineScale,
  applyAffine,
  applyAffineAll,
  invertAffine,
  multiplyAffine,
  scaling,
  translation,
} from '../src/index.js'
import { largestDifference, turned } from './support.js'

it('applies the inner map first', () => {
  expect(applyAffine(multiplyAffine(scaling(2), translation(1, 3)), [10, 20])).toEqual([22, 46])
  expect(applyAffine(multiplyAffine(translation(1, 3), scaling(2, 3)), [10, 20])).toEqual([21, 63])
})

it('maps lists of points', () => {
  expect(
    applyAffineAll(
      [0, -1, 5, 1, 0, 0],
      [
        [1, 2],
        [3, 4],
      ],
    ),
  ).toEqual([
    [3, 1],
    [1, 3],
  ])
})

it('undoes a map with its inverse', () => {
  const mat = turned(1.3, 40, [3, 4], [50, 60])
  expect(largestDifference(multiplyAffine(invertAffine(mat), mat), [1, 0, 0, 0, 1, 0])).toBeLessThan(1e-12)
})

it('measures how much longer lines become', () => {
  expect(affineScale(turned(1.3, 40, [3, 4], [50, 60]))).toBeCloseTo(1.3, 12)
  expect(affineScale([-2, 0, 0, 0, 8, 0])).toBe(4)
})

it('refuses to invert a map that holds no numbers', () => {
  expect(() => invertAffine([1, 0, Number.NaN, 0, 1, 0])).toThrow(
    'Expected an invertible matrix for `mat`, but got [1, 0, NaN, 0, 1, 0].',
  )
})
