import { readFileSync } from 'node:fs'
import { type Pixels, Random } from '@dfl/core'
import { meanAndStd, rgbToLab } from '@dfl/image'
import { describe, expect, it } from 'vitest'
import { type ColorTransfer, colorTransfer, type FaceNotes, type MergeFace } from '../src/index.js'
import { meta } from './synthetic.js'

const golden = JSON.parse(readFileSync(new URL('./golden/rct.json', import.meta.url), 'utf8')) as {
  size: number
  face: number[]
  dst: number[]
  weights: number[]
  rct: number[]
}

function mergeFace(face: Pixels, dst: Pixels, mask: Pixels, timestampSeconds = 0, past?: FaceNotes): MergeFace {
  return {
    meta: { ...meta([]), timestampSeconds },
    frame: { data: new Uint8Array(3), width: 1, height: 1, channels: 3 },
    imageToFaceMat: [1, 0, 0, 0, 1, 0],
    dst,
    swap: { face, mask, dstMask: mask },
    face,
    mask,
    notes: {},
    past,
  }
}
const pixels = (values: ArrayLike<number>, channels: 1 | 3): Pixels => {
  const size = Math.sqrt(values.length / channels)
  return { data: Float32Array.from(values), width: size, height: size, channels }
}
const goldenFace = () => mergeFace(pixels(golden.face, 3), pixels(golden.dst, 3), pixels(golden.weights, 1))

const SIZE = 32
const picture = (value: (i: number, c: number) => number) =>
  pixels(
    Array.from({ length: SIZE * SIZE * 3 }, (_, k) => value(Math.floor(k / 3), k % 3)),
    3,
  )
const textured = (level: number, contrast = 0.1) =>
  picture((i, c) => level + contrast * Math.sin(i * 0.7 + c) + 0.05 * Math.cos(i * 0.11))
const everywhere = pixels(new Array(SIZE * SIZE).fill(1), 1)
const lightness = (p: Pixels) => rgbToLab(p).data.reduce((sum, v, i) => sum + (i % 3 === 0 ? v : 0), 0) / (SIZE * SIZE)

describe('colorTransfer', () => {
  it('rct gives the numbers of an independent implementation', async () => {
    const { face } = await colorTransfer('rct')(goldenFace())
    let largest = 0
    for (let i = 0; i < golden.rct.length; i++) largest = Math.max(largest, Math.abs(face.data[i]! - golden.rct[i]!))
    expect(largest).toBeLessThan(5e-4)
  })

  it('rct changes nothing where the face is DST already', async () => {
    const dst = textured(0.5)
    const { face } = await colorTransfer('rct')(mergeFace(dst, dst, everywhere))
    for (let i = 0; i < dst.data.length; i++) expect(Math.abs(face.data[i]! - dst.data[i]!)).toBeLessThan(5e-4)
  })

  it('rct does not see colours outside the mask', async () => {
    const half = pixels(
      Array.from({ length: SIZE * SIZE }, (_, i) => (i % SIZE < 16 ? 1 : 0)),
      1,
    )
    const loud = (p: Pixels): Pixels => ({ ...p, data: p.data.map((v, k) => (Math.floor(k / 3) % SIZE < 16 ? v : 1)) })
    const plain = await colorTransfer('rct')(mergeFace(textured(0.6), textured(0.4), half))
    const noisy = await colorTransfer('rct')(mergeFace(loud(textured(0.6)), loud(textured(0.4)), half))
    for (let k = 0; k < plain.face.data.length; k++)
      if (Math.floor(k / 3) % SIZE < 16) expect(noisy.face.data[k]).toBeCloseTo(plain.face.data[k]!, 6)
  })

  it('rct keeps every colour within 0..1', async () => {
    const { face } = await colorTransfer('rct')(mergeFace(textured(0.5, 0.4), textured(0.95, 0.3), everywhere))
    expect(Math.max(...face.data)).toBeLessThanOrEqual(1)
    expect(Math.min(...face.data)).toBeGreaterThanOrEqual(0)
  })

  it('rct does not blow up the noise of a flat face', async () => {
    const random = new Random(4)
    const flat = picture(() => 0.5 + 0.001 * random.normal())
    const { face } = await colorTransfer('rct')(mergeFace(flat, textured(0.5, 0.3), everywhere))
    const spread = Math.max(...face.data) - Math.min(...face.data)
    expect(spread).toBeLessThan(0.1)
  })

  it('leaves the face alone where nothing is pasted, and for none', async () => {
    const empty = mergeFace(textured(0.3), textured(0.6), pixels(new Array(SIZE * SIZE).fill(0), 1))
    expect((await colorTransfer('rct')(empty)).face).toBe(empty.face)
    const from = goldenFace()
    expect(await colorTransfer('none')(from)).toBe(from)
  })

  it('steadies a correction that trembles from frame to frame', async () => {
    // A model whose brightness trembles, over a DST that does not: what is left to see is the correction's own noise.
    const wobble = async (smoothSeconds: number) => {
      const random = new Random(8)
      const stage = colorTransfer('rct', { smoothSeconds })
      let past: FaceNotes | undefined
      const levels: number[] = []
      for (let t = 0; t < 48; t++) {
        const dst = textured(0.5 + 0.02 * random.normal())
        const out = await stage(mergeFace(textured(0.4), dst, everywhere, t / 24, past))
        levels.push(lightness(out.face))
        past = { timestampSeconds: t / 24, centre: [0, 0], sizePx: 1, values: out.notes }
      }
      const steps = levels.slice(13).map((v, i) => (v - levels[i + 12]!) ** 2)
      return Math.sqrt(steps.reduce((a, b) => a + b) / steps.length)
    }
    const trembling = await wobble(0)
    expect(await wobble(0.25)).toBeLessThan(0.3 * trembling)
  })

  it('follows at once when the light of DST jumps', async () => {
    const stage = colorTransfer('rct', { smoothSeconds: 0.5 })
    const dark = await stage(mergeFace(textured(0.5), textured(0.3), everywhere, 0))
    const past = { timestampSeconds: 0, centre: [0, 0], sizePx: 1, values: dark.notes } as const
    const bright = await stage(mergeFace(textured(0.5), textured(0.7), everywhere, 1 / 24, past))
    expect(lightness(bright.face)).toBeCloseTo(lightness(textured(0.7)), 0)
  })

  describe.each(['lct', 'mkl', 'mkl-m', 'idt', 'idt-m', 'sot-m', 'mix-m'] as const)('%s', (mode) => {
    const grained = (level: number, contrast: number, seed: number) => {
      const random = new Random(seed)
      return picture((i, c) => level + 0.03 * c + contrast * Math.sin(i * 0.37) + 0.02 * random.normal())
    }
    const left = pixels(
      Array.from({ length: SIZE * SIZE }, (_, i) => (i % SIZE < 16 ? 1 : 0)),
      1,
    )
    /** The right half is another colour. */
    const beside = (p: Pixels, level: number): Pixels => ({
      ...p,
      data: p.data.map((v, k) => (Math.floor(k / 3) % SIZE < 16 ? v : level)),
    })

    it("gives the face DST's mean colours and spread", async () => {
      const dst = grained(0.4, 0.12, 1)
      const { face } = await colorTransfer(mode)(mergeFace(grained(0.55, 0.06, 2), dst, everywhere))
      const [is, was] = [meanAndStd(face), meanAndStd(dst)]
      for (let c = 0; c < 3; c++) {
        expect(Math.abs(is.mean[c]! - was.mean[c]!)).toBeLessThan(0.015)
        expect(Math.abs(is.std[c]! / was.std[c]! - 1)).toBeLessThan(0.15)
      }
    })

    it('changes little where the face is DST already', async () => {
      const dst = grained(0.5, 0.1, 1)
      const { face } = await colorTransfer(mode)(mergeFace(dst, dst, everywhere))
      for (let i = 0; i < dst.data.length; i++) expect(Math.abs(face.data[i]! - dst.data[i]!)).toBeLessThan(0.01)
    })

    it(mode.endsWith('-m') ? 'does not see colours outside the mask' : 'sees the whole square', async () => {
      const plain = mergeFace(grained(0.6, 0.08, 3), grained(0.4, 0.08, 4), left)
      const loud = { ...plain, dst: beside(plain.dst, 0.95) }
      const mean = async (from: MergeFace) => meanAndStd((await colorTransfer(mode)(from)).face, left).mean[1]!
      const change = Math.abs((await mean(loud)) - (await mean(plain)))
      if (mode.endsWith('-m')) expect(change).toBeLessThan(0.02)
      else expect(change).toBeGreaterThan(0.05)
    })

    it('steadies its mean over time', async () => {
      const stage = colorTransfer(mode, { smoothSeconds: 10 })
      const first = await stage(mergeFace(grained(0.5, 0.08, 3), grained(0.4, 0.08, 4), everywhere, 0))
      const past = { timestampSeconds: 0, centre: [0, 0], sizePx: 1, values: first.notes } as const
      const second = mergeFace(grained(0.5, 0.08, 3), grained(0.44, 0.08, 4), everywhere, 1 / 24, past)
      const alone = colorTransfer(mode, { smoothSeconds: 0 })
      const level = (face: Pixels) => meanAndStd(face).mean[0]!
      const [steadied, jumped] = [level((await stage(second)).face), level((await alone(second)).face)]
      expect(steadied).toBeGreaterThan(level(first.face))
      expect(steadied).toBeLessThan(jumped - 0.01)
    })
  })

  it('refuses what it does not know', () => {
    expect(() => colorTransfer('ebs' as ColorTransfer)).toThrow(
      "Expected one of rct, lct, mkl, mkl-m, idt, idt-m, sot-m, mix-m, none for `mode`, but got 'ebs'.",
    )
    expect(() => colorTransfer('rct', { smoothSeconds: -1 })).toThrow(
      'Expected a number of at least 0 s for `smoothSeconds`, but got -1. Give 0 to switch it off.',
    )
  })
})
