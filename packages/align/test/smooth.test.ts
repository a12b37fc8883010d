import { type Landmarks, type Point, Random } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import { eyeOpening, jitterPx, smoothLandmarks, type TrackPoint } from '../src/index.js'
import { distance, footage, median } from './support.js'

const { frames, fps } = footage('pair1-dst')
const truth: TrackPoint[] = frames.map(({ lm68 }, i) => ({ timestampSeconds: i / fps, landmarks: lm68 }))
const asTrack = (landmarks: Landmarks[]) => landmarks.map((l, i) => ({ ...truth[i], landmarks: l }))

function withNoise(track: readonly TrackPoint[], sigmaPx: number, seed = 1): TrackPoint[] {
  const random = new Random(seed)
  const shake = ([x, y]: Point): Point => [x + sigmaPx * random.normal(), y + sigmaPx * random.normal()]
  return track.map((point) => ({ ...point, landmarks: point.landmarks.map(shake) }))
}

const errors = (a: readonly Landmarks[], points = Array.from({ length: 68 }, (_, i) => i)) =>
  a.flatMap((landmarks, i) => points.map((k) => distance(landmarks[k], truth[i].landmarks[k])))
const rms = (values: readonly number[]) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length)
const landmarksOf = (track: readonly TrackPoint[]) => track.map((point) => point.landmarks)

describe('smoothLandmarks', () => {
  it.each([
    [0.4, 0.33],
    [0.7, 0.38],
    [2, 0.44],
  ])('brings a track with %d px of noise closer to the truth by more than a share of %d', (sigmaPx, share) => {
    const noisy = withNoise(truth, sigmaPx)
    const smooth = smoothLandmarks(noisy)
    expect(rms(errors(smooth))).toBeLessThan((1 - share) * rms(errors(landmarksOf(noisy))))
  })

  it('helps every part of the face, those that move fast too', () => {
    const noisy = withNoise(truth, 0.7)
    const smooth = smoothLandmarks(noisy)
    for (const [first, last] of [
      [0, 16],
      [17, 26],
      [27, 35],
      [36, 47],
      [48, 67],
    ]) {
      const part = Array.from({ length: last - first + 1 }, (_, i) => first + i)
      expect(rms(errors(smooth, part))).toBeLessThan(0.7 * rms(errors(landmarksOf(noisy), part)))
    }
  })

  it('gives a stretch of a track as it is in the whole of it', () => {
    const noisy = withNoise(truth, 0.7).slice(0, 40)
    expect(smoothLandmarks(noisy, { wanted: [7, 19] })).toEqual(smoothLandmarks(noisy).slice(7, 19))
    expect(smoothLandmarks(noisy.slice(0, 4), { wanted: [1, 3] })).toEqual(landmarksOf(noisy).slice(1, 3))
  })

  it('leaves a track without noise as it is', () => {
    const change = errors(smoothLandmarks(truth))
    expect(median(change)).toBeLessThan(0.02)
    expect(Math.max(...change)).toBeLessThan(0.5)
  })

  it('keeps blinks as deep as they are', () => {
    const deepest = (landmarks: readonly Landmarks[]) => Math.min(...landmarks.map(eyeOpening))
    expect(deepest(smoothLandmarks(withNoise(truth, 0.7)))).toBeLessThan(0.02)
    expect(deepest(landmarksOf(truth))).toBeLessThan(0.01)
  })

  it('does not smear a jump to another place over the frames beside it', () => {
    const cut = 90
    const jumping = truth.map((point, i) =>
      i < cut ? point : { ...point, landmarks: point.landmarks.map(([x, y]): Point => [x + 150, y - 40]) },
    )
    const smooth = smoothLandmarks(jumping)
    for (let i = cut - 8; i < cut + 8; i++)
      expect(Math.max(...smooth[i].map((p, k) => distance(p, jumping[i].landmarks[k])))).toBeLessThan(1.5)
  })

  it('does not lag behind: no shift in time fits better than none', () => {
    const smooth = smoothLandmarks(withNoise(truth, 0.7))
    const against = (shift: number) =>
      rms(smooth.slice(5, -5).map((landmarks, i) => distance(landmarks[30], truth[i + 5 + shift].landmarks[30])))
    expect(against(0)).toBeLessThan(against(-1))
    expect(against(0)).toBeLessThan(against(1))
  })

  it('copes with missing frames and does not bridge long gaps', () => {
    const kept = truth.filter((_, i) => i % 7 !== 3 && (i < 60 || i > 100))
    const noisy = withNoise(kept, 0.7)
    const smooth = smoothLandmarks(noisy)
    const error = (landmarks: readonly Landmarks[]) =>
      rms(landmarks.flatMap((l, i) => l.map((p, k) => distance(p, kept[i].landmarks[k]))))
    expect(error(smooth)).toBeLessThan(0.7 * error(landmarksOf(noisy)))
  })

  it('gives short tracks, and any track with a window of 0, back unchanged', () => {
    expect(smoothLandmarks([])).toEqual([])
    expect(smoothLandmarks(truth.slice(0, 4))).toEqual(landmarksOf(truth.slice(0, 4)))
    expect(smoothLandmarks(truth, { windowSeconds: 0 })).toEqual(landmarksOf(truth))
  })

  it('refuses times that do not rise, and windows that are no time', () => {
    expect(() => smoothLandmarks([truth[1], truth[1]])).toThrow(
      'Expected a time after 0.041666666666666664 s for `track[1]`, but got 0.041666666666666664 s. Give one face per frame, in order of time.',
    )
    expect(() => smoothLandmarks(truth, { windowSeconds: -1 })).toThrow(
      'Expected a number between 0 and 5 s for `windowSeconds`, but got -1.',
    )
  })
})

describe('jitterPx', () => {
  it('reads the noise of a track in pixels', () => {
    expect(jitterPx(truth)).toBeLessThan(0.06)
    expect(jitterPx(withNoise(truth, 0.7))).toBeCloseTo(0.7, 1)
    expect(jitterPx(withNoise(truth, 2))).toBeCloseTo(2, 1)
    expect(jitterPx(asTrack(smoothLandmarks(withNoise(truth, 0.7))))).toBeLessThan(0.3)
  })

  it('is 0 for steady movement, also with missing frames', () => {
    const moving = [0, 1, 2, 5, 6].map((i) => ({
      timestampSeconds: i / 24,
      landmarks: truth[0].landmarks.map(([x, y]): Point => [x + 8 * i, y - 3 * i]),
    }))
    expect(jitterPx(moving)).toBeLessThan(1e-9)
    expect(jitterPx([])).toBe(0)
  })
})
