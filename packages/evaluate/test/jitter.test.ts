import { Random } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import { type FaceTrack, jitter } from '../src/index.js'
import { analysis } from './synthetic.js'

const track = (shift: (t: number) => readonly [number, number]): FaceTrack =>
  Array.from({ length: 40 }, (_, t) =>
    analysis({ toDst: 0, yawDegrees: 0, mouth: 0.2, eyes: 0.3, seed: t, shift: shift(t) }),
  )
/** The synthetic face's eyes are 50 px apart. */
const EYES = 50

describe('jitter', () => {
  it('is 0 for a face that glides', () => {
    const glide = track((t) => [3 * t, 1 * t])
    const { result, dst, added, samples } = jitter(glide, glide)
    expect(result).toBeCloseTo(0, 8)
    expect(dst).toBeCloseTo(0, 8)
    expect(added).toBe(0)
    expect(samples).toBe(38)
  })

  it("does not blame a result for DST's own trembling", () => {
    const random = new Random(3)
    const shaky = track(() => [random.normal(), random.normal()])
    const moved = shaky.map(
      (face) => face && { ...face, landmarks: face.landmarks.map(([x, y]) => [x + 4, y - 2] as const) },
    )
    const { result, added } = jitter(moved, shaky)
    expect(result).toBeGreaterThan(1)
    expect(added).toBeCloseTo(0, 8)
  })

  it('gives the size of what is added, in percent of the distance between the eyes', () => {
    // A face that jumps to and fro by 1 px: its second difference is 2 px in each frame, on one of two axes.
    const still = track(() => [0, 0])
    const shaky = track((t) => [(t % 2) * 1, 0])
    expect(jitter(shaky, still).added).toBeCloseTo((100 * 2) / EYES, 6)
  })

  it('uses only frames whose neighbours have faces too', () => {
    const still = track(() => [0, 0])
    const gaps = still.map((face, t) => (t % 3 === 0 ? undefined : face))
    expect(jitter(gaps, still)).toEqual({ result: 0, dst: 0, added: 0, samples: 0 })
  })
})
