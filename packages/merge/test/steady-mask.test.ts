import { type Pixels, Random } from '@dfl/core'
import { gaussianBlur } from '@dfl/image'
import { describe, expect, it } from 'vitest'
import {
  cutFace,
  type FaceNotes,
  type MergeFace,
  mergeFrame,
  mergeStages,
  startMerge,
  steadyMask,
} from '../src/index.js'
import { identity, landmarks, meta, smoothFrame, square } from './synthetic.js'

const frame = smoothFrame()
const points = landmarks({ x: 240, y: 180, scale: 0.6 })
const crop = cutFace(frame, meta(points), identity(64))
const whole = { face: crop.dst, mask: square(64, () => 1), dstMask: square(64, () => 1) }

/** The mask after each of some frames, 24 a second. */
async function overTime(masks: readonly Pixels[], seconds = 0.25): Promise<Pixels[]> {
  const stage = steadyMask(seconds)
  const out: Pixels[] = []
  let past: FaceNotes | undefined
  for (const [index, mask] of masks.entries()) {
    const from = startMerge(frame, { ...crop, meta: meta(points, index) }, whole, past)
    const done: MergeFace = await stage({ ...from, mask })
    past = {
      timestampSeconds: index / 24,
      centre: [240, 180],
      sizePx: 200,
      values: JSON.parse(JSON.stringify(done.notes)),
    }
    out.push(done.mask)
  }
  return out
}
const disc = (radius: number) => square(256, (x, y) => Math.min(1, Math.max(0, 0.5 + (radius - Math.hypot(x, y)) * 64)))
const area = ({ data }: Pixels) => data.reduce((sum, v) => sum + v, 0) / data.length
const meanDifference = (a: Pixels, b: Pixels) =>
  a.data.reduce((sum, v, i) => sum + Math.abs(v - b.data[i]!), 0) / a.data.length

describe('a steady mask', () => {
  it('averages as much as its time constant says', async () => {
    // Flat masks: 0.5, then 0.6 for ever. The first frames count evenly: after the second it is 0.55.
    const values = (await overTime([0.5, ...new Array(9).fill(0.6)].map((v) => square(256, () => v)))).map(
      (m) => m.data[0]!,
    )
    const share = 1 - Math.exp(-1 / 24 / 0.25)
    let expected = 0.5
    values.forEach((value, i) => {
      expected += Math.max(1 / (i + 1), share) * ((i === 0 ? 0.5 : 0.6) - expected)
      expect(value).toBeCloseTo(expected, 2)
    })
    expect(values.at(-1)).toBeGreaterThan(0.58)
  })

  it('calms an edge that trembles, to less than half', async () => {
    const random = new Random(3)
    const masks = Array.from({ length: 40 }, () => {
      const [dx, dy, r] = [random.normal(), random.normal(), random.normal()].map((v) => v / 128)
      return square(256, (x, y) => Math.min(1, Math.max(0, 0.5 + (0.7 + r! - Math.hypot(x - dx!, y - dy!)) * 64)))
    })
    // Seen through the soft edge that follows in every chain.
    const tremble = (list: readonly Pixels[]) => {
      const soft = list.slice(10).map((mask) => gaussianBlur(mask, 3))
      return soft.slice(1).reduce((sum, mask, i) => sum + meanDifference(mask, soft[i]!), 0)
    }
    expect(tremble(await overTime(masks))).toBeLessThan(0.5 * tremble(masks))
  })

  it('calms it in merged frames too', async () => {
    const flicker = async (smoothSeconds: number) => {
      const random = new Random(5)
      const stages = mergeStages({ smoothSeconds, colorTransfer: 'none', mask: 'learned-prd', blur: 8 })
      let past: readonly FaceNotes[] = []
      const frames: Uint8Array[] = []
      for (let index = 0; index < 16; index++) {
        const radius = 0.7 + (1.5 * random.normal()) / 128
        const mask = square(64, (x, y) => Math.min(1, Math.max(0, 0.5 + (radius - Math.hypot(x, y)) * 24)))
        const swap = { face: { ...crop.dst, data: new Float32Array(crop.dst.data.length) }, mask, dstMask: mask }
        const swapper = { ...identity(64), swap: async () => [swap] }
        const { bitmap, notes } = await mergeFrame(frame, [meta(points, index)], { swapper, stages, past })
        past = notes
        frames.push(bitmap.data as Uint8Array)
      }
      let sum = 0
      for (let t = 5; t < frames.length; t++)
        for (let i = 0; i < frame.data.length; i++)
          sum += (frames[t]![i]! - 2 * frames[t - 1]![i]! + frames[t - 2]![i]!) ** 2
      return Math.sqrt(sum)
    }
    expect(await flicker(0.25)).toBeLessThan(0.5 * (await flicker(0)))
  })

  it('follows at once what really moves, and a steady movement by a few pixels', async () => {
    const cut = square(256, (x, y) => (x > 0 && Math.hypot(x, y) < 0.7 ? 1 : 0))
    const seen = await overTime([...new Array(6).fill(disc(0.7)), cut, cut])
    expect(meanDifference(seen[6]!, cut)).toBeLessThan(0.01)
    const growing = Array.from({ length: 30 }, (_, i) => disc(0.3 + (i * 0.75) / 128))
    const last = (await overTime(growing)).at(-1)!
    const radius = (mask: Pixels) => Math.sqrt((area(mask) * 256 ** 2) / Math.PI)
    expect(radius(growing.at(-1)!) - radius(last)).toBeLessThan(3)
  })

  it('does nothing to a mask that stays, nor for 0', async () => {
    const [first, second] = await overTime([disc(0.7), disc(0.7)])
    expect(second!.data).toEqual(first!.data)
    const masks = [disc(0.6), disc(0.61)]
    expect((await overTime(masks, 0))[1]).toBe(masks[1])
    expect(() => steadyMask(-1)).toThrow('Expected a number of at least 0 s for `steadyMask`, but got -1.')
  })
})
