import type { Landmarks, Pixels, Point } from '@dfl/core'
import { applyAffineAll, convexHull, polygonArea } from '@dfl/image'
import { expect, it } from 'vitest'
import { eyesMask, eyesMouthMask, hullMask, imageToFaceMat, mouthMask } from '../src/index.js'
import { footage, largestDifference } from './support.js'

const size = 256
const frame = footage('pair1-dst').frames[40].lm68
const face: Landmarks = applyAffineAll(imageToFaceMat(frame, 'whole_face', size), frame)
const at = (mask: Pixels, [x, y]: Point) => mask.data[Math.round(y) * mask.width + Math.round(x)]
const area = (mask: Pixels) => mask.data.reduce((sum, v) => sum + v, 0)
const between = (a: Point, b: Point): Point => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]

it('covers the face between jaw and raised brows, and nothing else', () => {
  const mask = hullMask(face, size)
  for (const inside of [face[27], face[30], face[33], face[62], between(face[2], face[31]), between(face[8], face[57])])
    expect(at(mask, inside)).toBe(1)
  for (const corner of [
    [2, 2],
    [253, 2],
    [2, 253],
    [253, 253],
  ] as const)
    expect(at(mask, corner)).toBe(0)
  expect(Math.max(...mask.data)).toBe(1)
  expect(Math.min(...mask.data)).toBe(0)
  const hull = Math.abs(polygonArea(convexHull(face)))
  expect(area(mask)).toBeGreaterThan(0.9 * hull)
  expect(area(mask)).toBeLessThan(1.3 * hull)
})

it('has no holes and no seams inside', () => {
  const mask = hullMask(face, size)
  for (let y = 0; y < size; y++) {
    const row = [...mask.data.subarray(y * size, (y + 1) * size)]
    const [first, last] = [row.findIndex((v) => v > 0.999), row.findLastIndex((v) => v > 0.999)]
    // Above the eyes the hull may open between the brows.
    if (first >= 0 && y > face[27][1]) expect(Math.min(...row.slice(first, last + 1))).toBeGreaterThan(0.999)
  }
})

it('raises the brows by half their distance to the eyes, and leaves them with 0', () => {
  const top = (mask: Pixels) => Math.floor(mask.data.findIndex((v) => v > 0.5) / size)
  const brow = Math.min(...face.slice(17, 27).map((p) => p[1]))
  expect(Math.abs(top(hullMask(face, size, { eyebrowsExpandMod: 0 })) - brow)).toBeLessThan(2)
  const raised = Math.min(
    ...[36, 37, 38, 39].map((eye, i) => face[18 + i][1] + 0.5 * (face[18 + i][1] - face[eye][1])),
    ...[42, 43, 44, 45].map((eye, i) => face[22 + i][1] + 0.5 * (face[22 + i][1] - face[eye][1])),
  )
  expect(Math.abs(top(hullMask(face, size)) - raised)).toBeLessThan(2)
})

it('ends at an outline of the head where one is given', () => {
  const whole = hullMask(face, size)
  const half = Math.round(face[27][0])
  const left: Point[] = [
    [-0.5, -0.5],
    [half - 0.5, -0.5],
    [half - 0.5, size - 0.5],
    [-0.5, size - 0.5],
  ]
  const cut = hullMask(face, size, { within: left })
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++)
      expect(Math.abs(cut.data[y * size + x] - (x < half ? whole.data[y * size + x] : 0))).toBeLessThan(1e-6)
})

it('puts soft spots on eyes and mouth', () => {
  const eyes = eyesMask(face, size)
  const mouth = mouthMask(face, size)
  const both = eyesMouthMask(face, size)
  const pupils = [between(face[36], face[39]), between(face[42], face[45])]
  for (const pupil of pupils) {
    expect(at(eyes, pupil)).toBeGreaterThan(0.8)
    expect(at(mouth, pupil)).toBeLessThan(1e-9)
  }
  const open = footage('pair1-src').frames.reduce((a, b) =>
    b.lm68[66][1] - b.lm68[62][1] > a.lm68[66][1] - a.lm68[62][1] ? b : a,
  ).lm68
  const talking = applyAffineAll(imageToFaceMat(open, 'whole_face', size), open)
  expect(at(mouthMask(talking, size), between(talking[62], talking[66]))).toBeGreaterThan(0.9)
  expect(at(eyes, face[30])).toBeLessThan(0.05)
  expect(Math.abs(area(both) - area(eyes) - area(mouth))).toBeLessThan(1)
})

it('scales with the picture', () => {
  const half = eyesMouthMask(
    face.map(([x, y]): Point => [x / 2, y / 2]),
    128,
  )
  expect(area(half) * 4).toBeGreaterThan(0.8 * area(eyesMouthMask(face, size)))
  expect(area(half) * 4).toBeLessThan(1.2 * area(eyesMouthMask(face, size)))
})

it('takes pictures that are not square', () => {
  const mask = hullMask(frame, { width: 640, height: 360 })
  expect([mask.width, mask.height, mask.channels]).toEqual([640, 360, 1])
  const square = hullMask(frame, 640)
  expect(largestDifference([...mask.data], [...square.data.subarray(0, 640 * 360)])).toBe(0)
})
