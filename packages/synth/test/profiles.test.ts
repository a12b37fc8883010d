import { type Landmarks, Random } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import {
  backdropsOf,
  lookOf,
  type ProfileHead,
  proceduralHead,
  profileSample,
  renderHead,
  shapeOf,
  USUAL_SCENE,
} from '../src/index.js'
import { drawHair, type Hair } from '../src/strands.js'
import { drawCloth, drawGlasses } from '../src/worn.js'

const model = proceduralHead()
const scene = (yawDegrees: number) => ({
  ...USUAL_SCENE,
  width: 96,
  height: 96,
  pose: { yawDegrees, pitchDegrees: 0, rollDegrees: 0 },
})
const render = (yawDegrees: number) =>
  renderHead(model, shapeOf(model, 0), { look: lookOf(0), scene: scene(yawDegrees) })
const covered = (mask: { data: ArrayLike<number> }) => Array.from(mask.data).filter((v) => v === 255).length

const hair: Hair = {
  color: [0, 255, 0],
  strands: 1500,
  lengthCm: 20,
  lift: 0.5,
  back: 0.4,
  hangsToCm: 1,
  fringe: 0,
  beard: 0,
  seed: 3,
}

describe('what a head wears', () => {
  it('hair covers the head from behind, leaves the face free, and belongs to the mask', () => {
    const isHair = (data: ArrayLike<number>, i: number) =>
      data[3 * i] === 0 && data[3 * i + 1]! > 60 && data[3 * i + 2] === 0
    for (const [yawDegrees, many] of [
      [180, true],
      [0, false],
    ] as const) {
      const head = render(yawDegrees)
      const before = covered(head.mask)
      drawHair(head, hair, scene(yawDegrees))
      expect(covered(head.mask)).toBeGreaterThan(before)
      // Of the pixels around the tip of the nose, or of the back of the head before it.
      const [x, y] = head.landmarks[30]!.map(Math.round) as [number, number]
      let count = 0
      for (let row = y - 4; row <= y + 4; row++)
        for (let column = x - 4; column <= x + 4; column++) if (isHair(head.image.data, row * 96 + column)) count++
      expect(count > 40).toBe(many)
      expect(count > 0).toBe(many)
    }
  })

  it('hair and clothes are the same for the same head, and hair is other for another seed', () => {
    const drawn = (seed: number) => {
      const head = render(70)
      drawHair(head, { ...hair, seed }, scene(70))
      return head.image.data
    }
    expect(drawn(3)).toEqual(drawn(3))
    expect(drawn(4)).not.toEqual(drawn(3))
  })

  it('clothes begin at the neck and go down to the edge', () => {
    const head = render(0)
    drawCloth(head, { color: [9, 8, 7], fromCm: -8, slope: 0.2, stripes: 0 }, scene(0))
    const colorAt = (x: number, y: number) => Array.from(head.image.data.slice(3 * (y * 96 + x), 3 * (y * 96 + x) + 3))
    const [x, y] = head.landmarks[30]!.map(Math.round) as [number, number]
    expect(colorAt(x, 95).every((v) => v <= 9)).toBe(true)
    expect(colorAt(x, y).every((v) => v <= 9)).toBe(false)
  })

  it('glasses are drawn around the eyes', () => {
    const head = render(0)
    const bare = render(0)
    drawGlasses(head, { color: [1, 2, 3], thicknessCm: 0.4 }, { scene: scene(0), marks: model.marks })
    const changed = Array.from(head.image.data.keys()).filter((i) => head.image.data[i] !== bare.image.data[i])
    const rows = changed.map((i) => Math.floor(i / 3 / 96))
    const eyeY = head.landmarks[36]![1]
    expect(changed.length).toBeGreaterThan(60)
    expect(Math.max(...rows.map((row) => Math.abs(row - eyeY)))).toBeLessThan(12)
  })
})

describe('profileSample', () => {
  const headAt = (yawDegrees: number): ProfileHead => {
    const { image, mask, landmarks } = render(yawDegrees)
    const luma = Uint8Array.from({ length: 96 * 96 }, (_, i) => image.data[3 * i]!)
    return { sizePx: 96, luma, mask: Uint8Array.from(mask.data), landmarks, yawDegrees }
  }
  const regionOf = (landmarks: Landmarks) => ({ centre: landmarks[30]!, sizePx: 60, rollRadians: 0 })
  const samples = (yawDegrees: number, count = 200) => {
    const random = new Random(5)
    const backdrops = backdropsOf([], { sidePx: 40, count: 10, random })
    const options = { heads: [headAt(yawDegrees)], backdrops, regionOf, sidePx: 40 }
    return Array.from({ length: count }, () => profileSample(options, random))
  }

  it('says of heads from the side that they are there, of others that they are not, and of some nothing', () => {
    const share = (yawDegrees: number, of: (one: ReturnType<typeof profileSample>) => boolean) =>
      samples(yawDegrees).filter(of).length / 200
    // One in eight shows no head, one in ten of the rest shows it elsewhere.
    expect(share(90, ({ presence }) => presence === 1)).toBeGreaterThan(0.7)
    expect(share(90, ({ pointsWeight }) => pointsWeight === 1)).toBeGreaterThan(0.7)
    for (const yaw of [0, 180, -90]) {
      expect(share(yaw, ({ presence }) => presence === 1)).toBe(0)
      expect(share(yaw, ({ presenceWeight }) => presenceWeight === 1)).toBe(1)
    }
    expect(share(40, ({ presenceWeight }) => presenceWeight === 1)).toBeLessThan(0.3)
  })

  it('puts landmarks about where the region is: the tip of the nose, its middle, mostly near the middle', () => {
    const found = samples(90).filter(({ pointsWeight }) => pointsWeight === 1)
    const mean = found.reduce((sum, { points }) => sum + Math.hypot(points[60]!, points[61]!), 0) / found.length
    expect(mean).toBeLessThan(0.12)
    expect(found.every(({ points }) => points.every(Number.isFinite))).toBe(true)
    expect(found.every(({ square }) => square.data.every(Number.isFinite))).toBe(true)
  })

  it('is the same for the same seed', () => {
    expect(samples(80, 3)).toEqual(samples(80, 3))
  })
})
