import type { Bitmap } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import { MERGE_MODES, type MergeMode, type MergeOptions, mergeFrame, mergeStages } from '../src/index.js'
import { ellipse, frameOf, identity, landmarks, meta, smoothFrame, swapper } from './synthetic.js'

const frame = smoothFrame()
const face = meta(landmarks({ x: 240, y: 180, scale: 0.6, turnDegrees: 12 }))
const brighter = swapper(128, (dst) => ({ ...dst, data: dst.data.map((v) => Math.min(1, v * 0.6 + 0.35)) }))
const merge = (mode: MergeMode, options: Partial<MergeOptions> = {}, from: Bitmap = frame, model = brighter) =>
  mergeFrame(from, [face], { swapper: model, stages: mergeStages({ mode, colorTransfer: 'none', ...options }) })

/** Mean difference of two bitmaps in a square of 2 · radius + 1 pixels round the face's centre, in steps of a byte. */
function difference(a: Bitmap, b: Bitmap, radius: number): number {
  let sum = 0
  for (let y = 180 - radius; y <= 180 + radius; y++)
    for (let i = (y * a.width + 240 - radius) * 3; i < (y * a.width + 241 + radius) * 3; i++)
      sum += Math.abs(a.data[i]! - b.data[i]!)
  return sum / (2 * radius + 1) ** 2 / 3
}

describe('modes of merging', () => {
  it.each(MERGE_MODES)('%s keeps every pixel outside of its rectangle, in frames of 8 and 16 bits', async (mode) => {
    const wide: Bitmap = { ...frame, data: Uint16Array.from(frame.data, (v, i) => v * 257 - (i % 200)) }
    for (const from of [frame, wide]) {
      const { bitmap, rects } = await merge(mode, {}, from)
      expect(rects).toHaveLength(mode === 'original' ? 0 : 1)
      const [r] = rects
      let outside = 0
      let inside = 0
      for (let i = 0; i < from.data.length; i++) {
        const [x, y] = [Math.floor(i / 3) % from.width, Math.floor(i / 3 / from.width)]
        const within = r && x >= r.x && x < r.x + r.width && y >= r.y && y < r.y + r.height
        if (bitmap.data[i] !== from.data[i]) within ? inside++ : outside++
      }
      expect(outside).toBe(0)
      if (mode !== 'original') expect(inside).toBeGreaterThan(500)
    }
  })

  it.each(['overlay', 'hist-match', 'seamless', 'seamless-hist-match', 'multi-band', 'raw-rgb'] as const)(
    '%s gives the frame back where the model paints what it sees',
    async (mode) => {
      const { bitmap } = await merge(mode, {}, frame, identity(256))
      expect(difference(frame, bitmap, 110)).toBeLessThan(0.8)
    },
  )

  it.each(['hist-match', 'seamless', 'seamless-hist-match'] as const)(
    '%s takes a shift of colour back',
    async (mode) => {
      const shifted = swapper(128, (dst) => ({
        ...dst,
        data: dst.data.map((v, i) => Math.min(1, Math.max(0, v + [0.12, -0.05, 0.08][i % 3]!))),
      }))
      const plain = await merge('overlay', {}, frame, shifted)
      const { bitmap } = await merge(mode, {}, frame, shifted)
      expect(difference(frame, bitmap, 50)).toBeLessThan(0.45 * difference(frame, plain.bitmap, 50))
    },
  )

  it('seamless keeps working with a hard edge', async () => {
    const flat = frameOf(480, 360, (_x, _y, c) => 0.4 + 0.1 * c)
    const { bitmap } = await merge('seamless', { blur: 0 }, flat)
    expect(difference(flat, bitmap, 50)).toBeLessThan(2)
    expect(difference(flat, (await merge('overlay', { blur: 0 }, flat)).bitmap, 50)).toBeGreaterThan(20)
  })

  it('raw-rgb shows the square without its mask, raw-predict shows it upright', async () => {
    const turned = meta(landmarks({ x: 240, y: 180, scale: 0.4, turnDegrees: 30 }))
    const halves = swapper(
      64,
      (dst) => ({ ...dst, data: dst.data.map((_, i) => (Math.floor(i / 3 / 64) < 32 ? 1 : 0)) }),
      ellipse(64, 0.1, 0.1),
    )
    const run = (mode: MergeMode) => mergeFrame(frame, [turned], { swapper: halves, stages: mergeStages({ mode }) })
    const upright = await run('raw-predict')
    const [rect] = upright.rects
    const red = (x: number, y: number) => upright.bitmap.data[(y * 480 + x) * 3]!
    expect(rect!.width).toBe(rect!.height)
    for (const x of [rect!.x + 3, rect!.x + rect!.width - 4]) {
      expect(red(x, rect!.y + 5)).toBe(255)
      expect(red(x, rect!.y + rect!.height - 6)).toBe(0)
    }
    const { rects } = await run('raw-rgb')
    expect(rects[0]!.width).toBeGreaterThan(1.2 * rect!.width)
  })
})
