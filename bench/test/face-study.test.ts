import { Random } from '@dfl/core'
import type { Axis } from '@dfl/evaluate'
import { describe, expect, it } from 'vitest'
import type { FaceResult } from '../src/by-face.js'
import { studyAxis } from '../src/face-study.js'
import { namedBy } from '../src/named.js'

/**
 * Faces of eight pairs, of which the odd ones lack SRC faces with the mouth open wider than 0.05.
 *
 * @param worse What the mouth is off by more where SRC is `from` away.
 */
function faces(worse: number, from = 0.08): FaceResult[] {
  const random = new Random(5)
  return Array.from({ length: 8 }, (_, pair) =>
    Array.from({ length: 40 }, (__, frame): FaceResult => {
      const mouth = random.uniform(0, 0.4)
      const far = pair % 2 === 1 ? Math.max(0, mouth - 0.05) : 0.002
      const yaw = random.uniform(-30, 30)
      // Open mouths are hard to paint in all pairs, and some pairs are harder than others.
      const off = 0.02 + 0.1 * mouth + 0.01 * pair + (far >= from ? worse : 0) + 0.005 * random.normal()
      return {
        ...{ pair: `pair ${pair}`, frame, values: { mouth, yaw }, distances: { mouth: far, yaw: Math.abs(yaw) / 3 } },
        ...{ ssimError: 0.2 + 0.01 * random.normal(), identity: 0.4 + 0.02 * random.normal() },
        off: { mouth: off, yaw: random.normal() },
      }
    }),
  ).flat()
}

const findingOf = (all: readonly FaceResult[], axis: Axis) => studyAxis(all, axis)

describe('the study by face', () => {
  it('tells from which distance on faces come out worse, and by which error', () => {
    const { told } = findingOf(faces(0.02), 'mouth')
    expect(told!.error).toBe('what it does')
    expect(told!.distance).toBeGreaterThanOrEqual(0.04)
    expect(told!.distance).toBeLessThanOrEqual(0.08)
    expect(told!.low).toBeGreaterThan(0)
    expect(told!.high).toBeGreaterThan(told!.excess)
  })

  it('tells nothing where far faces come out as near ones do, however hard an open mouth is', () => {
    expect(findingOf(faces(0), 'mouth').told).toBeUndefined()
    expect(findingOf(faces(0.02), 'yaw').told).toBeUndefined()
    expect(findingOf(faces(0.02), 'pitch').rings).toEqual([])
  })
})

it('what a tolerance names is held against what SRC truly lacks', () => {
  const known = faces(0).map((face, i) => ({
    face: { ...face, distances: { yaw: i % 2 === 0 ? 2 : 14 } },
    degrees: { yaw: i % 2 === 0 ? 1 : 20, pitch: 0, lightSide: 0 },
  }))
  expect(namedBy(known, 'yaw', 12)).toMatchObject({ lacking: 1, having: 0, faces: { lacking: 160, having: 160 } })
  expect(namedBy(known, 'yaw', 15)).toMatchObject({ lacking: 0, having: 0 })
  expect(namedBy(known, 'yaw', 1)).toMatchObject({ lacking: 1, having: 1 })
})
