import { estimatePose } from '@dfl/align'
import { type Landmarks, type Pixels, Random } from '@dfl/core'
import { applyAffineAll, gaussianBlur, warpAffine } from '@dfl/image'
import { describe, expect, it } from 'vitest'
import {
  type Evaluation,
  evaluation,
  evaluationAdvice,
  evaluationReport,
  type FaceAnalysis,
  frameMetrics,
} from '../src/index.js'
import { head, type Shot } from './heads.js'

const FRAMES = 10

/** What DST does in a frame. */
const doing = (t: number): Shot => ({
  yawDegrees: 14 * Math.sin(t / 3),
  weights: { jawOpen: 0.35 + 0.35 * Math.sin(t) },
})

interface Rendered {
  image: Pixels
  landmarks: Landmarks
}

const frames = (person: number) => Array.from({ length: FRAMES + 2 }, (_, t) => head({ ...doing(t), person }))
const DST = frames(1)
const TRUTH = frames(2)
const random = new Random(8)

/** An embedding between SRC's (0) and DST's (1). */
const embedding = (toDst: number) =>
  Array.from(
    { length: 128 },
    (_, i) => (1 - toDst) * 0.1 * Math.sin(i * 12.9) + toDst * 0.1 * Math.cos(i * 7.3) + 0.004 * random.normal(),
  )

const analysed = ({ landmarks }: Rendered, toDst: number): FaceAnalysis => ({
  landmarks,
  pose: estimatePose(landmarks),
  embedding: embedding(toDst),
})

/** The evaluation of a result whose pictures, landmarks and identities are given. */
function evaluated(result: readonly Rendered[], toDst: number): Evaluation {
  return evaluation({
    swap: result.map((frame) => analysed(frame, toDst)),
    dst: DST.slice(0, FRAMES).map((frame) => analysed(frame, 1)),
    truth: TRUTH.slice(0, FRAMES).map((frame) => analysed(frame, 0)),
    src: Array.from({ length: 20 }, () => ({ embedding: embedding(0) })),
    frames: result.map(({ image }, t) =>
      frameMetrics({ result: image, dst: DST[t]!.image, truth: TRUTH[t]!.image }, DST[t]!.landmarks),
    ),
  })
}

const changed = (of: (image: Pixels, t: number) => Pixels, base: readonly Rendered[] = TRUTH) =>
  base.slice(0, FRAMES).map(({ image, landmarks }, t) => ({ image: of(image, t), landmarks }))
const times = (factors: readonly number[]) => (image: Pixels) => ({
  ...image,
  data: image.data.map((v, i) => Math.min(1, v * factors[i % 3]!)),
})
const flickering = [1, 1.2, 0.85, 1.1, 0.9, 1.25, 0.8, 1, 1.15, 0.9]

const perfect = evaluated(
  changed((image) => image),
  0,
)
const nothing = evaluated(
  changed((image) => image, DST),
  1,
)
const still = head({ person: 2 })
const pasted = evaluated(
  changed(() => still.image).map((frame) => ({ ...frame, landmarks: still.landmarks })),
  0,
)
const blurred = evaluated(
  changed((image) => gaussianBlur(image, 1.5)),
  0.1,
)
const colored = evaluated(changed(times([1.15, 1, 0.8])), 0)
const late = evaluated(
  changed((_, t) => TRUTH[t + 2]!.image).map(({ image }, t) => ({ image, landmarks: TRUTH[t + 2]!.landmarks })),
  0,
)
const flickers = evaluated(
  changed((image, t) => times([flickering[t]!, flickering[t]!, flickering[t]!])(image)),
  0,
)

describe('a perfect swap, DST unchanged and known damage rank as they must', () => {
  it('in likeness, leak and retrieval', () => {
    expect(perfect.likeness.identity).toBeCloseTo(1, 1)
    expect(nothing.likeness.identity).toBeCloseTo(0, 1)
    expect(perfect.identity.leak).toBeLessThan(0.1)
    expect(nothing.identity.leak).toBeGreaterThan(0.9)
    expect(blurred.identity.leak).toBeGreaterThan(perfect.identity.leak)
    expect([perfect, pasted, nothing].map(({ identity }) => identity.retrieval)).toEqual([1, 1, 0])
  })

  it('in pose, expression and landmarks: what does not move with DST is worse than what moves late, and that than what moves along', () => {
    for (const of of [
      (e: Evaluation) => e.performance.poseDegrees,
      (e: Evaluation) => e.performance.mouth,
      (e: Evaluation) => e.performance.landmarks,
    ]) {
      expect(of(nothing)).toBeLessThan(1e-9)
      expect(of(perfect)).toBeLessThan(of(late))
      expect(of(perfect)).toBeLessThan(of(pasted))
    }
    expect(late.likeness.performance.mouth!).toBeLessThan(perfect.likeness.performance.mouth! - 0.3)
    expect(pasted.likeness.performance.mouth).toBeUndefined()
    expect(perfect.performance).toEqual(perfect.truthPerformance)
  })

  it('in SSIM and perceptual distance, which see blur, delay and doing nothing, and in colour, which sees a tint', () => {
    const [best, soft, tinted, behind, none] = [perfect, blurred, colored, late, nothing].map((e) => e.picture.truth!)
    expect(best).toMatchObject({ mae: 0, ssim: expect.closeTo(1, 6), gmsd: expect.closeTo(0, 6), color: 0 })
    for (const worse of [soft!, behind!, none!]) {
      expect(worse.ssim).toBeLessThan(0.97)
      expect(worse.gmsd).toBeGreaterThan(0.02)
    }
    expect(tinted!.color).toBeGreaterThan(5)
    expect(tinted!.color).toBeGreaterThan(2 * soft!.color)
    expect(tinted!.gmsd).toBeLessThan(soft!.gmsd)
  })

  it('in the truth laid on DST, which does not count how large its head is', () => {
    const { image, landmarks } = DST[0]!
    const smaller = [0.9, 0, 6, 0, 0.9, 5] as const
    const size = { width: image.width, height: image.height }
    const truth = warpAffine(image, smaller, size, { border: 'replicate' })
    const found = frameMetrics({ result: image, dst: image, truth }, landmarks, applyAffineAll(smaller, landmarks))
    expect(found.truth!.ssim).toBeLessThan(0.8)
    expect(found.truthFace!.ssim).toBeGreaterThan(0.95)
    expect(frameMetrics({ result: image, dst: image, truth }, landmarks).truthFace).toBeUndefined()
  })

  it('in flicker, which sees light that trembles and no steady change', () => {
    expect(nothing.steadiness.flicker).toBe(0)
    expect(flickers.steadiness.flicker).toBeGreaterThan(4 * perfect.steadiness.flicker)
    expect(flickers.steadiness.flicker).toBeGreaterThan(4 * colored.steadiness.flicker)
  })

  it('in jitter, which sees landmarks that tremble', () => {
    const shaken = changed((image) => image).map(({ image, landmarks }, t) => ({
      image,
      landmarks: landmarks.map(([x, y]) => [x + (t % 2), y] as const),
    }))
    expect(evaluated(shaken, 0).steadiness.jitter.added).toBeGreaterThan(perfect.steadiness.jitter.added + 2)
  })

  it('in what is left of DST', () => {
    expect(nothing.picture.uncovered).toBeCloseTo(1, 5)
    expect(perfect.picture.uncovered).toBeLessThan(0.5)
    expect(colored.picture.uncovered).toBeLessThan(0.5)
  })
})

describe('at the border of the face', () => {
  /** DST with its face changed inside its outline only, as a merge does it. */
  const painted = (of: (v: number, i: number) => number): Evaluation =>
    evaluated(
      changed((image, t) => {
        const { landmarks } = DST[t]!
        const [x0, x1] = [landmarks[1]![0], landmarks[15]![0]]
        const data = image.data.map((v, i) => {
          const pixel = Math.floor(i / 3)
          const [x, y] = [pixel % image.width, Math.floor(pixel / image.width)]
          const inside = x > x0 && x < x1 && y > landmarks[19]![1] && y < landmarks[8]![1]
          return inside ? Math.min(1, Math.max(0, of(v, i))) : v
        })
        return { ...image, data }
      }, DST),
      0.5,
    )

  it('colours that fit make no step, a tint does', () => {
    expect(nothing.picture.borderColor).toBe(0)
    expect(painted((v, i) => v * [1.25, 1, 0.8][i % 3]!).picture.borderColor).toBeGreaterThan(3)
  })

  it('grain that is missing or too much is told', () => {
    const noise = new Random(5)
    expect(nothing.picture.grain).toBe(1)
    expect(painted((v) => v + 0.06 * noise.normal()).picture.grain).toBeGreaterThan(1.5)
    expect(blurred.picture.grain).toBeLessThan(flickers.picture.grain)
  })
})

it('steadiness is told of each shot, and of none without a face', () => {
  const faces = DST.slice(0, 4).map((frame) => analysed(frame, 1))
  const metrics = DST.slice(0, 4).map(({ image, landmarks }, t) =>
    frameMetrics({ result: t < 2 ? image : times(Array(3).fill(t - 1.8))(image), dst: image }, landmarks),
  )
  const track = [...faces.slice(0, 3), ...faces.slice(1), undefined, undefined]
  const { shots } = evaluation({
    swap: track,
    dst: track,
    src: [{ embedding: embedding(0) }, { embedding: embedding(0) }],
    frames: [metrics[0], metrics[1], metrics[0], metrics[1], metrics[2], metrics[3], undefined, undefined],
    shotStarts: [0, 3, 6],
  })
  expect(shots.map(({ firstFrame, frames: count }) => [firstFrame, count])).toEqual([
    [0, 3],
    [3, 3],
  ])
  expect(shots[0]!.flicker).toBe(0)
  expect(shots[1]!.flicker).toBeGreaterThan(1)
})

it('several people of DST are told apart in the numbers', () => {
  const input = {
    swap: DST.slice(0, 8).map((frame, t) => analysed(frame, t < 5 ? 0 : 1)),
    dst: DST.slice(0, 8).map((frame) => analysed(frame, 1)),
    src: Array.from({ length: 12 }, () => ({ embedding: embedding(0) })),
    frames: DST.slice(0, 8).map(({ image, landmarks }) => frameMetrics({ result: image, dst: image }, landmarks)),
  }
  const { people } = evaluation({ ...input, personOfFrame: [0, 0, 0, 0, 0, 1, 1, 1] })
  expect(people!.map(({ frames: count }) => count)).toEqual([5, 3])
  expect(people![0]!.identity.leak).toBeLessThan(people![1]!.identity.leak)
})

it('the report stands alone and leads with what to do', () => {
  const html = evaluationReport({ evaluation: nothing, name: 'c.mp4' })
  expect(html).toContain('The result is DST itself')
  expect(html).not.toMatch(/<script|(?:src|href)="(?!data:)|url\(/)
  expect(html.indexOf('What to do')).toBeLessThan(html.indexOf('Does it look like SRC?'))
})

describe('the advice', () => {
  const told = (found: Evaluation) => evaluationAdvice(found).map(({ text, evidence }) => `${text} ${evidence}`)

  it('names a face that is softer than DST, and no sharp one', () => {
    const soft = /softer than DST/
    expect(blurred.picture.blur.result).toBeGreaterThan(perfect.picture.blur.result + 0.1)
    expect(told(blurred).join(' ')).toMatch(soft)
    expect(told(perfect).join(' ')).not.toMatch(soft)
    expect(nothing.picture.blur.result).toBe(nothing.picture.blur.dst)
  })

  it('calls all numbers good only where they are, names those that are fair or poor, and speaks of nothing wrong above what must be done', () => {
    const flawless: Evaluation = {
      ...perfect,
      likeness: { ...perfect.likeness, performance: { yaw: 1, mouth: 1, eyes: 1 } },
      picture: { ...perfect.picture, borderColor: 0, grain: 1, uncovered: 0, blur: { result: 0.4, dst: 0.4 } },
      steadiness: { flicker: 0, jitter: { ...perfect.steadiness.jitter, added: 0 } },
      performance: { ...perfect.performance, poseDegrees: 1 },
    }
    expect(told(flawless)).toEqual([expect.stringContaining('All numbers are in their good range.')])
    const gray = { ...flawless, picture: { ...flawless.picture, grain: 0.7 } }
    expect(told(gray)).toEqual([
      expect.stringMatching(/^Nothing stands out\..*Good: \d+ of \d+ graded numbers\. Fair: Grain\.$/),
    ])
    const turned = { ...flawless, performance: { ...flawless.performance, poseDegrees: 7 } }
    expect(told(turned)[0]).toContain('Poor: Pose error.')
    expect(evaluationAdvice(nothing).map(({ urgency }) => urgency)).toContain('do')
    expect(told(nothing).join(' ')).not.toMatch(/Nothing must be mended|Nothing stands out/)
  })
})
