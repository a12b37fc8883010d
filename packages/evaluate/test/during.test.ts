import { estimatePose } from '@dfl/align'
import { describe, expect, it } from 'vitest'
import { driftToDst, type FaceAnalysis, nearestPictures } from '../src/index.js'
import { head, type Shot } from './heads.js'

/** An embedding between SRC's (0) and DST's (1). */
const embedding = (toDst: number) =>
  Array.from({ length: 128 }, (_, i) => (1 - toDst) * 0.1 * Math.sin(i * 12.9) + toDst * 0.1 * Math.cos(i * 7.3))
const src = Array.from({ length: 12 }, () => ({ embedding: embedding(0) }))

const YAWS = [-35, -25, -15, -5, 5, 15, 25, 35]
const looked = (shot: Shot, toDst: number): FaceAnalysis => {
  const { landmarks } = head(shot)
  return { landmarks, pose: estimatePose(landmarks), embedding: embedding(toDst) }
}
const dst = YAWS.map((yawDegrees) => looked({ yawDegrees, person: 1 }, 1))
const swapped = (toDst: (yaw: number) => number) => YAWS.map((yawDegrees) => looked({ yawDegrees }, toDst(yawDegrees)))
/** SRC hardly turns to its left. */
const srcFaces = Array.from({ length: 100 }, (_, i) => ({
  yawDegrees: i === 0 ? 40 : -30 + i / 3,
  pitchDegrees: 0,
  mouth: 0,
}))

describe('falling back to DST', () => {
  it('is told with the pose where it happens and how many faces SRC has there', () => {
    const drift = driftToDst({ swap: swapped((yaw) => (yaw > 20 ? 0.9 : 0.1)), dst, src }, srcFaces)!
    expect(drift.fallen).toEqual([6, 7])
    expect(drift.where).toMatchObject({ name: 'yaw', side: 'above', srcFaces: 1 })
    expect(drift.sentence).toMatch(
      /^The output falls back to DST in 2 of 8 faces looked at, those with yaw > (1[6-9]|2[0-4])°; SRC has 1 of 100 faces there\.$/,
    )
  })

  it('is told without a pose where the faces have none in common', () => {
    const drift = driftToDst({ swap: swapped((yaw) => ([-35, -5, 25].includes(yaw) ? 0.9 : 0.1)), dst, src }, srcFaces)!
    expect(drift.where).toBeUndefined()
    expect(drift.sentence).toContain('in 3 of 8 faces looked at, which have neither pose nor mouth in common')
  })

  it('is not told of a swap that looks like SRC, nor of one that has not learnt SRC yet', () => {
    expect(driftToDst({ swap: swapped(() => 0.1), dst, src }, srcFaces)).toBeUndefined()
    expect(driftToDst({ swap: swapped(() => 0.9), dst, src }, srcFaces)).toBeUndefined()
  })
})

it('the nearest pictures of a face show the same pose and light, of another person too', () => {
  const of = (person: number) =>
    [-30, 0, 30].flatMap((yawDegrees) => [-1, 1].map((lightRight) => head({ person, yawDegrees, lightRight }).image))
  expect(nearestPictures(of(1), of(0), 2).map(([first]) => first)).toEqual([0, 1, 2, 3, 4, 5])
})
