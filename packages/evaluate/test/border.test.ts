import { hullMask } from '@dfl/align'
import { type Landmarks, type Pixels, Random } from '@dfl/core'
import { gaussianBlur } from '@dfl/image'
import { lookOf } from '@dfl/synth'
import { describe, expect, it } from 'vitest'
import { frameMetrics } from '../src/index.js'
import { head, type Shot } from './heads.js'

/** A head, and below it the body that rendered heads of tests do not have, in the colour of its skin. */
function person(shot: Shot & { person: number }) {
  const { image, landmarks } = head(shot)
  const { width } = image
  const [left, right, chin] = [landmarks[3]![0] - 8, landmarks[13]![0] + 8, landmarks[8]![1] - 2]
  const data = image.data.map((v, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)]
    return y > chin && x > left && x < right ? (0.8 * lookOf(shot.person).skin[i % 3]!) / 255 : v
  })
  return { image: { ...image, data }, landmarks }
}

const MOMENTS = [-12, 3].map((yawDegrees) => ({ yawDegrees, weights: { jawOpen: 0.3 }, shiftCm: [0, 3.5] as const }))
const rendered = new Map<number, ReturnType<typeof head>[]>()
function people(number: number) {
  const found = rendered.get(number) ?? MOMENTS.map((moment) => person({ ...moment, person: number }))
  rendered.set(number, found)
  return found
}
/** Pairs of DST and SRC: alike, and dark and light. */
const PAIRS = [
  [1, 2],
  [5, 6],
] as const

interface Scene {
  dst: Pixels
  /** SRC's head and body in DST's place. */
  truth: Pixels
  landmarks: Landmarks
}

/** What becomes of all pictures of a scene. */
type Footage = (image: Pixels) => Pixels
const light: Footage = (image) => image
/** A ninth of the light, in steps of 8 bits. */
const dark: Footage = (image) => ({ ...image, data: image.data.map((v) => Math.round((255 * v) / 2.7) / 255) })
const noisy: Footage = (image) => {
  const random = new Random(3)
  return { ...image, data: image.data.map((v) => v + 0.03 * random.normal()) }
}

/** Mean step of a result that is made of each frame, where the true swap is not known. */
function step([dst, src]: readonly [number, number], make: (scene: Scene) => Pixels, footage: Footage = light): number {
  const truths = people(src)
  const steps = people(dst).map(({ image, landmarks }, i) => {
    const scene = { dst: footage(image), truth: footage(truths[i]!.image), landmarks }
    return frameMetrics({ result: make(scene), dst: scene.dst }, landmarks).borderColor
  })
  return steps.reduce((a, b) => a + b) / steps.length
}

const times =
  (...factors: readonly [number, number, number]) =>
  (image: Pixels): Pixels => ({ ...image, data: image.data.map((v, i) => Math.min(1, v * factors[i % 3]!)) })
const tinted = times(1.25, 1, 0.75)
const brighter = times(1.15, 1.15, 1.15)

const over = (below: Pixels, above: Pixels, mask: Pixels): Pixels => ({
  ...below,
  data: below.data.map((v, i) => v + (above.data[i]! - v) * mask.data[Math.floor(i / 3)]!),
})

/** The face's outline, soft by some pixels. */
const outline = ({ dst: { width, height }, landmarks }: Scene, soft = 1) =>
  gaussianBlur(hullMask(landmarks, { width, height }), soft)

/** Where `is` holds for the place in the box of the landmarks: −1..1 across and down. */
function shape(
  { dst: { width, height }, landmarks }: Scene,
  is: (x: number, y: number) => boolean,
  soft = 0.6,
): Pixels {
  const [xs, ys] = [landmarks.map(([x]) => x), landmarks.map(([, y]) => y)]
  const place = (at: number, of: readonly number[]) =>
    (2 * (at - Math.min(...of))) / (Math.max(...of) - Math.min(...of)) - 1
  const data = Float32Array.from({ length: width * height }, (_, i) =>
    is(place(i % width, xs), place(Math.floor(i / width), ys)) ? 1 : 0,
  )
  return gaussianBlur({ data, width, height, channels: 1 }, soft)
}
const ellipse = (scene: Scene, size: number, soft?: number) =>
  shape(scene, (x, y) => Math.hypot(x, y + (size > 1 ? 0.2 : 0)) < size, soft)
const square = (scene: Scene, size: number) => shape(scene, (x, y) => Math.max(Math.abs(x), Math.abs(y + 0.2)) < size)

/** Above this a report says that the edge of the new face shows. */
const LIMIT = 4

describe.each([
  ['light', light],
  ['dark', dark],
  ['noisy', noisy],
] as const)('the step where the change ends, on %s footage, the true swap not known', (_, footage) => {
  const told = (make: (scene: Scene) => Pixels) => PAIRS.map((pair) => step(pair, make, footage))

  it('is none of DST itself, of the whole picture changed, and little of another person in its place', () => {
    expect(told(({ dst }) => dst)).toEqual(PAIRS.map(() => 0))
    expect(told(({ dst }) => tinted(dst))).toEqual(PAIRS.map(() => 0))
    for (const whole of told(({ truth }) => truth)) expect(whole).toBeLessThan(LIMIT)
  })

  it('is one of a mask much larger or much smaller than the face, round or square', () => {
    for (const size of [0.6, 1.3])
      for (const value of told((scene) => over(scene.dst, tinted(scene.dst), ellipse(scene, size))))
        expect(value).toBeGreaterThan(LIMIT)
    for (const change of [tinted, brighter])
      for (const value of told((scene) => over(scene.dst, change(scene.dst), square(scene, 1.5))))
        expect(value).toBeGreaterThan(LIMIT)
  })

  it('is one of a tint inside the outline, less the softer its edge, none where it is as soft as the face is wide', () => {
    for (const pair of PAIRS) {
      const values = [1, 3, 10].map((soft) =>
        step(pair, (scene) => over(scene.dst, tinted(scene.dst), outline(scene, soft)), footage),
      )
      expect(values[0]).toBeGreaterThan(LIMIT)
      expect(values[1]).toBeLessThan(values[0]!)
      expect(values[2]).toBeLessThan(Math.min(LIMIT, values[1]!))
    }
  })
})

it('the step of a mask that the frame cuts off below a face is told, though the change leaves the picture there', () => {
  for (const [dst] of PAIRS) {
    const { image, landmarks } = head({ person: dst, yawDegrees: 3, shiftCm: [0, -1.5] })
    expect(image.height - landmarks[8]![1]).toBeLessThan((landmarks[16]![0] - landmarks[0]![0]) / 8)
    const scene = { dst: image, truth: image, landmarks }
    const result = over(image, tinted(image), square(scene, 1.5))
    expect(frameMetrics({ result, dst: image }, landmarks).borderColor).toBeGreaterThan(LIMIT)
  }
})

it('is told through what encoding anew changes all over, of which alone there is none', () => {
  const random = new Random(5)
  const encoded = (image: Pixels): Pixels => {
    const noise = { ...image, data: image.data.map(() => 0.025 * random.normal()) }
    return { ...image, data: gaussianBlur(noise, 0.7).data.map((v, i) => image.data[i]! + v) }
  }
  for (const pair of PAIRS) {
    expect(step(pair, ({ dst }) => encoded(dst))).toBeLessThan(LIMIT)
    const mask = (scene: Scene) => ellipse(scene, 1.3)
    expect(step(pair, (scene) => encoded(over(scene.dst, tinted(scene.dst), mask(scene))))).toBeGreaterThan(LIMIT)
  }
})
