import type { Point } from '@dfl/core'
import { Random } from '@dfl/core'
import { expect, it } from 'vitest'
import { convexHull, createPixels, fillPolygon, fillPolygons, polygonArea } from '../src/index.js'
import { at } from './support.js'

const sum = (data: Float32Array) => data.reduce((a, b) => a + b, 0)
const star: Point[] = Array.from({ length: 10 }, (_, i) => {
  const r = i % 2 ? 7.3 : 18.1
  return [24.2 + r * Math.cos(i * 0.628), 21.7 + r * Math.sin(i * 0.628)]
})

it('covers exactly the area of a polygon, whichever way it turns', () => {
  for (const points of [star, [...star].reverse()]) {
    const mask = createPixels(50, 45, 1)
    fillPolygon(mask, points)
    expect(sum(mask.data)).toBeCloseTo(Math.abs(polygonArea(points)), 2)
    expect(Math.max(...mask.data)).toBeLessThanOrEqual(1)
    expect(Math.min(...mask.data)).toBeGreaterThanOrEqual(0)
  }
})

it('gives each pixel its covered share, as counted on a fine grid', () => {
  const thin: Point[] = [
    [-3, 2.2],
    [12.5, 4.1],
    [11.9, 6.05],
    [3.3, 9.7],
  ]
  const mask = createPixels(10, 10, 1)
  fillPolygon(mask, thin)
  const fine = createPixels(400, 400, 1)
  fillPolygon(
    fine,
    thin.map(([x, y]) => [(x + 0.5) * 40 - 0.5, (y + 0.5) * 40 - 0.5]),
    1,
    { antialias: false },
  )
  for (let y = 0; y < 10; y++)
    for (let x = 0; x < 10; x++) {
      let share = 0
      for (let v = 0; v < 40; v++) for (let u = 0; u < 40; u++) share += at(fine, x * 40 + u, y * 40 + v)
      expect(at(mask, x, y)).toBeCloseTo(share / 1600, 2)
    }
})

it('counts whole pixels by their centres without antialias', () => {
  const mask = createPixels(6, 5, 1)
  fillPolygon(
    mask,
    [
      [0.9, 0.9],
      [4.1, 0.9],
      [4.1, 3.1],
      [0.9, 3.1],
    ],
    1,
    { antialias: false },
  )
  expect([...mask.data]).toEqual([
    0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0,
  ])
})

it('leaves no seam between polygons that share an edge', () => {
  const mask = createPixels(20, 20, 1)
  fillPolygons(mask, [
    [
      [2, 2],
      [17, 4.3],
      [9.1, 16.2],
    ],
    [
      [17, 4.3],
      [2, 2],
      [11, -3],
    ],
  ])
  expect(at(mask, 9, 3)).toBeCloseTo(1, 5)
  expect(at(mask, 12, 4)).toBeCloseTo(1, 5)
})

it('clips what lies outside, on every side', () => {
  const mask = createPixels(8, 8, 3)
  fillPolygon(
    mask,
    [
      [-50, -50],
      [60, -50],
      [60, 60],
      [-50, 60],
    ],
    0.5,
  )
  expect(mask.data).toEqual(new Float32Array(192).fill(0.5))
  const empty = createPixels(8, 8, 1)
  fillPolygon(empty, [
    [20, 2],
    [30, 2],
    [25, 7],
  ])
  fillPolygon(empty, [
    [2, -9],
    [5, -2],
    [3, -4],
  ])
  expect(sum(empty.data)).toBe(0)
})

it('erases with value 0', () => {
  const mask = createPixels(8, 8, 1)
  mask.data.fill(1)
  fillPolygon(
    mask,
    [
      [1.5, 1.5],
      [5.5, 1.5],
      [5.5, 5.5],
      [1.5, 5.5],
    ],
    0,
  )
  expect(sum(mask.data)).toBeCloseTo(64 - 16, 4)
})

it('makes a hull that is convex, clockwise and holds every point', () => {
  const random = new Random(3)
  const points: Point[] = Array.from({ length: 60 }, () => [random.normal() * 9, random.normal() * 5])
  const hull = convexHull(points)
  expect(polygonArea(hull)).toBeGreaterThan(0)
  for (let i = 0; i < hull.length; i++) {
    const [a, b] = [hull[i], hull[(i + 1) % hull.length]]
    for (const p of points) expect((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])).toBeGreaterThan(-1e-9)
  }
  expect(
    convexHull([
      [0, 0],
      [2, 0],
      [2, 2],
      [0, 2],
      [1, 1],
      [1, 0],
    ]),
  ).toEqual([
    [0, 0],
    [2, 0],
    [2, 2],
    [0, 2],
  ])
})

it('refuses polygons of two points and points that are no numbers', () => {
  const mask = createPixels(4, 4, 1)
  expect(() =>
    fillPolygon(mask, [
      [0, 0],
      [1, 1],
    ]),
  ).toThrow('Expected at least 3 finite points for `points`, but got 2.')
  expect(() =>
    fillPolygon(mask, [
      [0, 0],
      [1, 1],
      [Number.NaN, 2],
    ]),
  ).toThrow('Expected at least 3 finite points for `points`, but got (NaN, 2).')
})
