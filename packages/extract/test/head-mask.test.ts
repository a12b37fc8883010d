import { hullMask, imageToFaceMat } from '@dfl/align'
import type { Pixels } from '@dfl/core'
import { applyAffineAll, createPixels } from '@dfl/image'
import { describe, expect, it } from 'vitest'
import { headMask } from '../src/index.js'
import { truthOf } from './footage.js'

const SIZE = 256
const frame = { width: 640, height: 360 }
const [landmarks] = truthOf('pair1-dst.json') as [ReturnType<typeof truthOf>[number]]
const imageToFace = imageToFaceMat(landmarks, 'head', SIZE)
const face = { size: SIZE, imageToFaceMat: imageToFace, landmarks: applyAffineAll(imageToFace, landmarks) }
const everywhere = filled(1)
/** The value where a point of the aligned image lies. */
const at = (mask: Pixels, [x, y]: readonly [number, number]) =>
  mask.data[Math.round((y - 0.5) / 2) * mask.width + Math.round((x - 0.5) / 2)]!
const under = (point: readonly [number, number], px: number) => [point[0], point[1] + px] as const

describe('headMask', () => {
  it('ends at the jaw and goes on above the brows, in half the size', () => {
    const mask = headMask(everywhere, face)!
    expect(mask).toMatchObject({ width: SIZE / 2, height: SIZE / 2, channels: 1 })
    expect(at(mask, face.landmarks[8]!)).toBeGreaterThan(0.5)
    expect(at(mask, under(face.landmarks[8]!, 16))).toBe(0)
    expect(at(mask, under(face.landmarks[27]!, -60))).toBe(1)
    expect(at(mask, under(face.landmarks[1]!, 60))).toBe(0)
  })

  it('holds the face where the segmenter misses a part of it', () => {
    const half = createPixels(SIZE, SIZE, 1)
    for (let i = 0; i < half.data.length; i++) half.data[i] = i % SIZE < face.landmarks[27]![0] ? 1 : 0
    const mask = headMask(half, face)!
    const hull = hullMask(
      face.landmarks.map(([x, y]) => [(x + 0.5) / 2 - 0.5, (y + 0.5) / 2 - 0.5]),
      SIZE / 2,
    )
    for (let i = 0; i < hull.data.length; i++) expect(mask.data[i]).toBeGreaterThanOrEqual(hull.data[i]! - 0.1)
  })

  it('leaves out people who do not touch the head', () => {
    const two = createPixels(SIZE, SIZE, 1)
    const [left] = face.landmarks[0]!
    for (let i = 0; i < two.data.length; i++) two.data[i] = i % SIZE < left - 40 || i % SIZE > left - 20 ? 1 : 0
    const mask = headMask(two, face)!
    expect(at(mask, [left - 50, 40])).toBe(0)
    expect(at(mask, [left - 10, 40])).toBe(1)
  })

  it('ends at the edge of the frame', () => {
    // The frame begins so that its upper edge lies 20 pixels above the bridge of the nose.
    const up = face.landmarks[27]![1] - 20
    const [a, b, c, d, e, f] = imageToFace
    const moved = up - applyAffineAll(imageToFace, [[320, -0.5]])[0]![1]
    const lower = { ...face, frameSize: frame, imageToFaceMat: [a, b, c, d, e, f + moved] as const }
    const mask = headMask(everywhere, lower)!
    expect(at(mask, under(face.landmarks[27]!, -50))).toBe(0)
    expect(at(mask, under(face.landmarks[27]!, 10))).toBe(1)
    expect(at(headMask(everywhere, face)!, under(face.landmarks[27]!, -50))).toBe(1)
  })

  it('is nothing where nobody is seen', () => {
    expect(headMask(filled(0), face)).toBeUndefined()
  })
})

function filled(value: number): Pixels {
  const all = createPixels(64, 64, 1)
  all.data.fill(value)
  return all
}
