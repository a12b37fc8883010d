import { resize } from '@dfl/image'
import { describe, expect, it } from 'vitest'
import {
  colorDegrade,
  cutFace,
  degrade,
  denoise,
  type FaceNotes,
  feather,
  type MergeFace,
  type MergeStage,
  mask,
  motionBlur,
  overlay,
  scaleFace,
  sharpen,
  startMerge,
  superResolution,
} from '../src/index.js'
import { ellipse, frameOf, landmarks, meta } from './synthetic.js'

/** Stripes across and along, added. */
const checks = frameOf(480, 360, (x, y, c) => 0.2 + 0.25 * ((x >> 3) % 2) + 0.25 * ((y >> 3) % 2) + 0.02 * c)
const face = meta(landmarks({ x: 240, y: 180, scale: 0.5 }))
function start(past?: FaceNotes): MergeFace {
  const crop = cutFace(checks, face, { faceType: 'full_face', resolution: 128 })
  const learned = ellipse(128, 0.5, 0.6)
  return startMerge(checks, crop, { face: crop.dst, mask: learned, dstMask: learned }, past)
}
/** Mean difference of neighbours in a row, and in a column. */
function detail({ face: { data, width } }: MergeFace): [number, number] {
  let [x, y] = [0, 0]
  for (let i = width * 3; i < data.length; i++) {
    x += Math.abs(data[i]! - data[i - 3]!) / data.length
    y += Math.abs(data[i]! - data[i - width * 3]!) / data.length
  }
  return [x, y]
}
const area = ({ mask }: MergeFace) => mask.data.reduce((sum, v) => sum + v, 0) / mask.data.length

describe('modifiers', () => {
  it.each([
    ['sharpen', sharpen],
    ['denoise', denoise],
    ['degrade', degrade],
    ['colorDegrade', colorDegrade],
    ['motionBlur', motionBlur],
    ['scaleFace', scaleFace],
  ] as const)('%s does nothing for 0', async (_, stage) => {
    const from = start()
    expect(await stage(0)(from)).toBe(from)
  })

  it.each([
    ['sharpen(100)', sharpen(100), 1.02, 2],
    ['sharpen(-100)', sharpen(-100), 0.3, 0.98],
    ['degrade(90)', degrade(90), 0, 0.7],
  ] as const)('%s changes how much detail there is', async (_, stage, low, high) => {
    const ratio = detail(await (stage as MergeStage)(start()))[0] / detail(start())[0]
    expect(ratio).toBeGreaterThan(low)
    expect(ratio).toBeLessThan(high)
  })

  it('motion blur smears along the way of the face only, and not across a cut', async () => {
    const [cx, cy] = [0, 1].map((k) => face.sourceLandmarks.reduce((sum, p) => sum + p[k]! / 68, 0))
    const from = (dx: number) => start({ timestampSeconds: -1 / 24, centre: [cx! - dx, cy!], sizePx: 200, values: {} })
    const [x, y] = detail(await motionBlur(50)(from(30)))
    const [wasX, wasY] = detail(start())
    expect(x).toBeLessThan(0.6 * wasX)
    expect(y).toBeGreaterThan(0.7 * wasY)
    const still = from(0.5)
    expect(await motionBlur(50)(still)).toBe(still)
    const cut = from(400)
    expect(await motionBlur(100)(cut)).toBe(cut)
  })

  it('scaling keeps the centre and changes the size of the mask', async () => {
    const from = await mask('learned-prd')(start())
    for (const percent of [-20, 15]) {
      const out = await scaleFace(percent)(from)
      expect(area(out) / area(from)).toBeCloseTo((1 + percent / 100) ** 2, 1)
      const { width, data } = out.mask
      let [x, y, sum] = [0, 0, 0]
      data.forEach((v, i) => {
        x += v * (i % width)
        y += v * Math.floor(i / width)
        sum += v
      })
      expect(x / sum).toBeCloseTo((width - 1) / 2, 1)
      expect(y / sum).toBeCloseTo((width - 1) / 2, 1)
    }
  })

  it('feather fades one side and never enlarges the mask', async () => {
    const from = await mask('learned-prd')(start())
    const { mask: out } = await feather({ top: 40 })(from)
    const column = (m: typeof out, y: number) => m.data[y * m.width + m.width / 2]!
    const top = from.mask.data.findIndex((v, i) => i % 256 === 128 && v > 0.5) >> 8
    expect(column(out, top + 10)).toBeGreaterThan(0.15)
    expect(column(out, top + 10)).toBeLessThan(0.4)
    expect(column(out, top + 60)).toBeCloseTo(1, 3)
    expect(column(out, 256 - top - 10)).toBeCloseTo(column(from.mask, 256 - top - 10), 3)
    expect(out.data.every((v, i) => v <= from.mask.data[i]! + 1e-6)).toBe(true)
  })

  it('super-resolution pastes the finer face in the same place', async () => {
    const stage = superResolution((small) => resize(small, { width: 512, height: 512 }))
    const fine = await stage(await mask('learned-prd')(start()))
    expect(fine.face.width).toBe(512)
    const [a, b] = [await overlay()(fine), await overlay()(await mask('learned-prd')(start()))]
    const mean = [...a.patch!.bitmap.data].reduce((sum, v, i) => sum + Math.abs(v - b.patch!.bitmap.data[i]!), 0)
    expect(mean / a.patch!.bitmap.data.length).toBeLessThan(3)
  })

  it('says what it expects', async () => {
    expect(() => sharpen(101)).toThrow('Expected a number between -100 and 100 for `sharpen`, but got 101.')
    expect(() => denoise(-1)).toThrow('Expected a number between 0 and 100 for `denoise`, but got -1.')
    expect(() => scaleFace(60)).toThrow('Expected a number between -50 and 50 for `faceScale`, but got 60.')
    expect(() => feather({ left: -1 })).toThrow('Expected a number of px of at least 0 for `left`, but got -1.')
    await expect(async () => superResolution((f) => resize(f, { width: 200, height: 200 }))(start())).rejects.toThrow(
      'Expected a whole multiple of 128 px a side and 3 channels from `enhance`, but got 200 x 200 of 3.',
    )
  })
})

describe('the mask of the faceset', () => {
  it('stands in for the hull of the landmarks, and limits other masks', async () => {
    const own = { data: new Uint8Array(64 * 64), width: 64, height: 64, channels: 1 } as const
    own.data.fill(255, 0, 32 * 64)
    // The aligned image of this face is the left upper 256 pixels of the frame.
    const from = start()
    const drawn: MergeFace = { ...from, meta: { ...from.meta, ownMask: own } }
    const rows = async (at: MergeFace) => {
      const { data, width } = (await overlay()(at)).patch!.alpha
      return { area: data.reduce((sum, v) => sum + v, 0), width }
    }
    const placed = (await overlay()(await mask('dst')(drawn))).patch!
    const below = placed.alpha.data.slice(Math.max(0, 134 - placed.rect.y) * placed.rect.width)
    expect(Math.max(0, ...below)).toBeLessThan(0.01)
    expect(Math.max(...placed.alpha.data)).toBeGreaterThan(0.9)
    const limited = await rows(await mask('full', { insideHull: true })(drawn))
    expect(limited.area).toBeLessThan((await rows(await mask('dst')(from))).area)
  })

  it('has parts cut out that were drawn as excluded', async () => {
    const from = start()
    const left = { kind: 'exclude', points: [[0, 0], [240, 0], [240, 360], [0, 360]] } as const // biome-ignore format: corners
    const cut = await mask('dst')({ ...from, meta: { ...from.meta, polygons: [left] } })
    expect(area(cut) / area(await mask('dst')(from))).toBeGreaterThan(0.3)
    expect(area(cut) / area(await mask('dst')(from))).toBeLessThan(0.7)
  })
})
