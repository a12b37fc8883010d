import { estimatePose } from '@dfl/align'
import { type Landmarks, type Pixels, Random } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import {
  delayFrames,
  type Evaluation,
  evaluation,
  evaluationAdvice,
  type FaceAnalysis,
  type FaceTrack,
  type FrameMetrics,
  frameMetrics,
  performanceError,
} from '../src/index.js'
import { head, headLandmarks, type Shot } from './heads.js'

/** Frames of the clips with pictures, and of those without. */
const FRAMES = { pictures: 10, tracks: 40 }
const EMBEDDINGS = { src: Array(128).fill(0.02), dst: Array(128).fill(-0.02) }

interface Filmed {
  image: Pixels
  face: FaceAnalysis
}

/** What the head does at a time: it turns and talks fast. */
const doing = (person: number, seconds: number): Shot => ({
  person,
  yawDegrees: 22 * Math.sin(5 * seconds),
  pitchDegrees: 6 * Math.cos(7 * seconds),
  weights: { jawOpen: 0.35 + 0.35 * Math.sin(11 * seconds) },
  shiftCm: [1.5 * Math.sin(4 * seconds), 0.6 * Math.sin(9 * seconds)],
})

const analysed = (person: number, landmarks: Landmarks): FaceAnalysis => ({
  landmarks,
  pose: estimatePose(landmarks),
  embedding: person === 2 ? EMBEDDINGS.src : EMBEDDINGS.dst,
})

const clip = (person: number, fps: number): Filmed[] =>
  Array.from({ length: FRAMES.pictures }, (_, t) => {
    const { image, landmarks } = head(doing(person, t / fps))
    return { image, face: analysed(person, landmarks) }
  })

/** The same without pictures, so many frames late. */
const track = (person: number, fps: number, late = 0): FaceAnalysis[] =>
  Array.from({ length: FRAMES.tracks }, (_, t) => analysed(person, headLandmarks(doing(person, (t - late) / fps))))

const metricsOf = (result: readonly Filmed[], dst: readonly Filmed[], truth?: readonly Filmed[]) =>
  result.map(({ image }, t) => {
    const pictures = { result: image, dst: dst[t]!.image, ...(truth ? { truth: truth[t]!.image } : {}) }
    return frameMetrics(pictures, dst[t]!.face.landmarks)
  })

const evaluated = (swap: FaceTrack, dst: FaceTrack, frames: readonly FrameMetrics[]): Evaluation =>
  evaluation({ swap, dst, src: [{ embedding: EMBEDDINGS.src }, { embedding: EMBEDDINGS.src }], frames })

const advised = (found: Evaluation) =>
  evaluationAdvice(found)
    .map(({ text }) => text)
    .join(' ')
const BLAMED = /flickers|trembles|frames? late|frames? early|edge of the new face/

describe.each([8, 12, 24, 50])('at %i frames a second', (fps) => {
  const [dst, swap] = [clip(1, fps), clip(2, fps)]
  const [dstFaces, faces] = [dst, swap].map((frames) => frames.map(({ face }) => face))
  const metrics = metricsOf(swap, dst, swap)
  const perfect = evaluated(faces!, dstFaces!, metrics)
  const random = new Random(4)

  it('a perfect swap is steady, in time and without a border', () => {
    expect(perfect.steadiness.flicker).toBeLessThan(0.8)
    expect(perfect.steadiness.jitter.added).toBeLessThan(1.5)
    expect(perfect.picture.borderColor).toBeLessThan(1)
    expect(advised(perfect)).not.toMatch(BLAMED)
  })

  it('light that trembles at random is told', () => {
    const trembling = swap.map(({ image, face }) => {
      const factor = 1 + 0.15 * random.uniform(-1, 1)
      return { face, image: { ...image, data: image.data.map((v) => Math.min(1, factor * v)) } }
    })
    const found = evaluated(faces!, dstFaces!, metricsOf(trembling, dst))
    expect(found.steadiness.flicker).toBeGreaterThan(perfect.steadiness.flicker + 1)
    expect(advised(found)).toContain('The face flickers')
  })

  it('landmarks that tremble at random are told', () => {
    const eyes = dstFaces![0]!.landmarks[45]![0] - dstFaces![0]!.landmarks[36]![0]
    const shaken = faces!.map((face) => {
      const [dx, dy] = [0.06 * eyes * random.normal(), 0.06 * eyes * random.normal()]
      return { ...face, landmarks: face.landmarks.map(([x, y]) => [x + dx, y + dy] as const) }
    })
    const found = evaluated(shaken, dstFaces!, metrics)
    expect(found.steadiness.jitter.added).toBeGreaterThan(perfect.steadiness.jitter.added + 2)
    expect(advised(found)).toContain('The face trembles')
  })

  it('a swap that is late or early is told by how much', () => {
    const performed = track(1, fps)
    expect([-2, 0, 1, 3].map((late) => delayFrames(track(2, fps, late), performed))).toEqual([-2, 0, 1, 3])
    const behind = {
      ...perfect,
      performance: performanceError(track(2, fps, 2), performed),
    }
    expect(advised(behind)).toContain('The result runs 2 frames late')
  })
})

it('a still or missing face has no delay', () => {
  const dst = track(1, 12)
  const first = track(2, 12)[0]!
  const still = dst.map(() => first)
  expect(delayFrames(still, dst)).toBe(0)
  expect(delayFrames(dst, still)).toBe(0)
  const missing = dst.map(() => undefined)
  expect(delayFrames(missing, dst)).toBe(0)
})
