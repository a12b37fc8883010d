import { describe, expect, it } from 'vitest'
import { type FaceAnalysis, type FaceTrack, likeness } from '../src/index.js'
import { analysis } from './synthetic.js'

const FRAMES = 30
const SRC_ID = 0
const DST_ID = 1

/** A performance that moves yaw, mouth and eyes at different speeds. */
const perform = (identity: number | ((t: number) => number), seed: number, frames = FRAMES): FaceAnalysis[] =>
  Array.from({ length: frames }, (_, t) =>
    analysis({
      toDst: typeof identity === 'function' ? identity(t) : identity,
      yawDegrees: 20 * Math.sin(t / 4),
      mouth: 0.3 + 0.25 * Math.sin(t / 2.5),
      eyes: 0.3 + 0.1 * Math.cos(t / 3),
      seed: seed * 1000 + t,
    }),
  )

const src = perform(SRC_ID, 1, 60)
const dst = perform(DST_ID, 2)
const truth = perform(SRC_ID, 3)

describe('likeness', () => {
  it('is 1 for the true swap', () => {
    const result = likeness({ swap: truth, dst, truth, src })
    expect(result.identity).toBe(1)
    expect(result.nearerToSrc).toBe(1)
    expect(result.perfectIs).toBe('truth')
    expect(result.frames).toBe(FRAMES)
    expect(result.found).toBe(1)
  })

  it('is 0 for a swap that changed nothing', () => {
    const result = likeness({ swap: dst, dst, truth, src })
    expect(result.identity).toBe(0)
    expect(result.nearerToSrc).toBe(0)
    expect(result.performance).toEqual({ yaw: 1, mouth: 1, eyes: 1 })
  })

  it('is about a half for a face halfway between the two', () => {
    const { identity } = likeness({ swap: perform(0.5, 4), dst, truth, src })
    expect(identity).toBeGreaterThan(0.4)
    expect(identity).toBeLessThan(0.6)
  })

  it("measures perfection by SRC's own spread where no true swap is known", () => {
    const result = likeness({ swap: truth, dst, src })
    expect(result.perfectIs).toBe('src')
    expect(result.identity).toBeGreaterThan(0.95)
    expect(result.identity).toBeLessThan(1.05)
  })

  it('takes the median over the frames, so that a few wrong frames do not move it', () => {
    const swap = perform((t) => (t % 5 === 0 ? DST_ID : SRC_ID), 5)
    const result = likeness({ swap, dst, truth, src })
    expect(result.identity).toBeGreaterThan(0.95)
    expect(result.nearerToSrc).toBe(0.8)
  })

  it("is not fooled by a wrong face among SRC's", () => {
    const polluted = [...src, ...dst.slice(0, 3)]
    expect(likeness({ swap: dst, dst, truth, src: polluted }).identity).toBeLessThan(0.05)
    expect(likeness({ swap: truth, dst, truth, src: polluted }).identity).toBe(1)
  })

  it('says how well the performance follows that of DST', () => {
    const still = dst.map((face) =>
      analysis({ toDst: 0, yawDegrees: -face.pose.yawDegrees, mouth: 0.3, eyes: 0.3, seed: 1 }),
    )
    const { performance } = likeness({ swap: still, dst, truth, src })
    expect(performance.yaw).toBeCloseTo(-1, 10)
    expect(performance.mouth).toBeUndefined()
    expect(performance.eyes).toBeUndefined()
  })

  it('leaves out frames in which a face is missing and says how many were found', () => {
    const swap: FaceTrack = truth.map((face, t) => (t < 6 ? undefined : face))
    const result = likeness({ swap, dst, truth, src })
    expect(result.frames).toBe(FRAMES - 6)
    expect(result.found).toBe(0.8)
    expect(result.identity).toBeGreaterThan(0.9)
  })

  it('refuses clips of different lengths', () => {
    expect(() => likeness({ swap: truth.slice(1), dst, src })).toThrow(
      'Expected 29 frames, as `swap` has, for `dst`, but got 30. Analyse clips that show the same frames, and put `undefined` where there is no face.',
    )
  })

  it('refuses to compare nothing', () => {
    expect(() => likeness({ swap: dst.map(() => undefined), dst, src })).toThrow(
      'Expected at least one frame with a face in each of `swap`, `dst`, but got none of 30.',
    )
    expect(() => likeness({ swap: truth, dst, src: [] })).toThrow(
      "Expected at least 2 faces for `src`, but got 0. Extract faces from SRC's footage first.",
    )
  })
})
