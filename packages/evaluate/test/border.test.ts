import { hullMask } from '@dfl/align'
import type { Landmarks, Pixels } from '@dfl/core'
import { gaussianBlur } from '@dfl/image'
import { describe, expect, it } from 'vitest'
import { frameMetrics } from '../src/index.js'
import { head } from './heads.js'

const MOMENTS = [-12, 3].map((yawDegrees) => ({ yawDegrees, weights: { jawOpen: 0.3 } }))
const rendered = new Map<number, ReturnType<typeof head>[]>()
function heads(person: number) {
  const found = rendered.get(person) ?? MOMENTS.map((moment) => head({ ...moment, person }))
  rendered.set(person, found)
  return found
}
/** Pairs of DST and SRC. */
const PAIRS = [
  [1, 2],
  [4, 5],
  [5, 6],
  [6, 4],
] as const

interface Scene {
  dst: Pixels
  /** SRC's head in DST's place. */
  truth: Pixels
  landmarks: Landmarks
}

/** Mean step at the border of a result that is made of each frame, where the true swap is not known. */
const step = ([dst, src]: readonly [number, number], make: (scene: Scene) => Pixels): number => {
  const truths = heads(src)
  const steps = heads(dst).map(({ image, landmarks }, i) => {
    const result = make({ dst: image, truth: truths[i]!.image, landmarks })
    return frameMetrics({ result, dst: image }, landmarks).borderColor
  })
  return steps.reduce((a, b) => a + b) / steps.length
}

const tinted = (image: Pixels): Pixels => ({
  ...image,
  data: image.data.map((v, i) => Math.min(1, v * [1.25, 1, 0.75][i % 3]!)),
})

const over = (below: Pixels, above: Pixels, mask: Pixels): Pixels => ({
  ...below,
  data: below.data.map((v, i) => v + (above.data[i]! - v) * mask.data[Math.floor(i / 3)]!),
})

/** The face's outline, soft by some pixels. */
const outline = ({ dst: { width, height }, landmarks }: Scene, soft = 1.5) =>
  gaussianBlur(hullMask(landmarks, { width, height }), soft)

/** A square round the face, larger than it. */
function square({ dst: { width, height }, landmarks }: Scene): Pixels {
  const xs = landmarks.map(([x]) => x)
  const ys = landmarks.map(([, y]) => y)
  const side = 1.3 * (Math.max(...xs) - Math.min(...xs))
  const [cx, cy] = [(Math.max(...xs) + Math.min(...xs)) / 2, (Math.max(...ys) + Math.min(...ys)) / 2 - side / 8]
  const inside = (at: number, middle: number) => Math.abs(at - middle) < side / 2
  const data = Float32Array.from({ length: width * height }, (_, i) =>
    inside(i % width, cx) && inside(Math.floor(i / width), cy) ? 1 : 0,
  )
  return { data, width, height, channels: 1 }
}

describe('the step at the border, where the true swap is not known', () => {
  it('is none of a true swap of the whole head, and one of a tinted face, soft or hard', () => {
    for (const pair of PAIRS) {
      const whole = step(pair, ({ truth }) => truth)
      const soft = step(pair, (scene) => over(scene.dst, tinted(scene.dst), outline(scene)))
      const hard = step(pair, (scene) => over(scene.dst, tinted(scene.dst), outline(scene, 0)))
      expect(whole).toBeLessThan(4)
      expect(soft).toBeGreaterThan(5)
      expect(hard).toBeGreaterThan(soft)
      expect(step(pair, ({ dst }) => dst)).toBe(0)
    }
  })

  it('is one of a square that was pasted, whatever it shows', () => {
    for (const pair of PAIRS) {
      expect(step(pair, (scene) => over(scene.dst, tinted(scene.dst), square(scene)))).toBeGreaterThan(5)
    }
  })
})
