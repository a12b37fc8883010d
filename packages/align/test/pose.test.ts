import type { Landmarks, Point } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import { estimatePose, eyeOpening, mouthOpening } from '../src/index.js'
import { correlation, footage } from './support.js'

const clips = (['pair1-src', 'pair1-dst', 'pair1-truth'] as const).map((name) => ({ name, ...footage(name) }))
const degrees = (radians: number) => (radians * 180) / Math.PI
const meanError = (a: number[], b: number[]) => a.reduce((sum, v, i) => sum + Math.abs(v - b[i]), 0) / a.length

/** Pose against the line of sight: the clips' camera has an opening of 24 degrees from top to bottom. */
function seen({ size, frames }: (typeof clips)[number]) {
  const focalPx = size[1] / 2 / Math.tan((12 * Math.PI) / 180)
  return frames.map(({ lm68, yaw, pitch, roll }) => ({
    yawDegrees: yaw + degrees(Math.atan((lm68[30][0] - (size[0] - 1) / 2) / focalPx)),
    // The clips count pitch down and roll anticlockwise.
    pitchDegrees: -pitch - degrees(Math.atan((lm68[30][1] - (size[1] - 1) / 2) / focalPx)),
    rollDegrees: -roll,
  }))
}

describe.each(clips)('estimatePose on $name', (clip) => {
  const poses = clip.frames.map((frame) => estimatePose(frame.lm68))
  const truth = seen(clip)
  it.each([
    ['yawDegrees', 0.999, 3],
    ['pitchDegrees', 0.995, 3],
    ['rollDegrees', 0.96, 1.5],
  ] as const)('follows %s with a correlation above %d and a mean error below %d degrees', (angle, least, most) => {
    const [a, b] = [poses.map((p) => p[angle]), truth.map((p) => p[angle])]
    expect(correlation(a, b)).toBeGreaterThan(least)
    expect(meanError(a, b)).toBeLessThan(most)
  })
})

describe('estimatePose', () => {
  const face = clips[1].frames[70].lm68
  const turned = (angle: number): Landmarks =>
    face.map(
      ([x, y]): Point => [
        2 * (x * Math.cos(angle) - y * Math.sin(angle)) + 9,
        2 * (x * Math.sin(angle) + y * Math.cos(angle)) - 5,
      ],
    )

  it('counts roll clockwise as seen, and nothing else changes when the picture is turned and scaled', () => {
    const before = estimatePose(face)
    const after = estimatePose(turned(0.3))
    expect(after.rollDegrees - before.rollDegrees).toBeCloseTo(degrees(0.3), 3)
    expect(after.yawDegrees).toBeCloseTo(before.yawDegrees, 3)
    expect(after.pitchDegrees).toBeCloseTo(before.pitchDegrees, 3)
  })

  it('turns the sign of yaw and roll when the picture is mirrored', () => {
    const swap = (i: number) => {
      if (i < 17) return 16 - i
      if (i < 27) return 43 - i
      if (i < 31) return i
      if (i < 36) return 66 - i
      if (i < 48)
        return (
          { 36: 45, 37: 44, 38: 43, 39: 42, 40: 47, 41: 46 }[i] ??
          { 45: 36, 44: 37, 43: 38, 42: 39, 47: 40, 46: 41 }[i]!
        )
      return i < 55 ? 102 - i : i < 60 ? 114 - i : i < 65 ? 124 - i : 132 - i
    }
    const mirrored = face.map((_, i): Point => [640 - face[swap(i)][0], face[swap(i)][1]])
    const [a, b] = [estimatePose(face), estimatePose(mirrored)]
    expect(b.yawDegrees).toBeCloseTo(-a.yawDegrees, 2)
    expect(b.rollDegrees).toBeCloseTo(-a.rollDegrees, 2)
    expect(b.pitchDegrees).toBeCloseTo(a.pitchDegrees, 2)
  })

  it('asks for 68 points', () => {
    expect(() => estimatePose([])).toThrow(
      'Expected 68 points for `landmarks`, but got 0. Use a landmarker of the iBUG 300-W layout.',
    )
  })
})

describe('eyeOpening and mouthOpening', () => {
  const [, dst, truth] = clips
  it.each([
    ['eyeOpening', eyeOpening, 0.98, 0.02, 0.08],
    ['mouthOpening', mouthOpening, 0.98, 0.03, 0.2],
  ] as const)('%s sees the same performance in two people', (_, opening, least, shut, open) => {
    const a = dst.frames.map((frame) => opening(frame.lm68))
    const b = truth.frames.map((frame) => opening(frame.lm68))
    expect(correlation(a, b)).toBeGreaterThan(least)
    expect(Math.min(...a, ...b)).toBeLessThan(shut)
    expect(Math.max(...a)).toBeGreaterThan(open)
    expect(Math.max(...b)).toBeGreaterThan(open)
  })

  it('does not change with the size and turn of the picture', () => {
    const face = dst.frames[60].lm68
    const other = face.map(([x, y]): Point => [3 * y + 5, -3 * x + 2000])
    expect(eyeOpening(other)).toBeCloseTo(eyeOpening(face), 6)
    expect(mouthOpening(other)).toBeCloseTo(mouthOpening(face), 6)
  })

  it('hardly changes with a turn of the head', () => {
    // Open eyes are the usual thing: their upper quartile stays where it is from one profile to the other.
    const upper = (low: number, high: number) => {
      const openings = clips[0].frames.filter((f) => f.yaw >= low && f.yaw < high).map((f) => eyeOpening(f.lm68))
      return openings.sort((a, b) => a - b)[Math.floor(openings.length * 0.75)]
    }
    const straight = upper(-10, 10)
    expect(Math.abs(upper(-45, -20) / straight - 1)).toBeLessThan(0.15)
    expect(Math.abs(upper(20, 45) / straight - 1)).toBeLessThan(0.15)
  })
})
