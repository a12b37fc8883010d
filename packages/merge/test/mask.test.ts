import type { Pixels } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import { blur, cutFace, erode, type MaskMode, type MergeFace, mask, overlay, startMerge } from '../src/index.js'
import { ellipse, identity, landmarks, meta, smoothFrame, square } from './synthetic.js'

const frame = smoothFrame()
const face = meta(landmarks({ x: 240, y: 180, scale: 0.6 }))

function start(resolution: number, prd: Pixels = ellipse(resolution), dstMask: Pixels = prd): MergeFace {
  const crop = cutFace(frame, face, identity(resolution))
  return startMerge(frame, crop, { face: crop.dst, mask: prd, dstMask })
}
const masked = async (mode: MaskMode, from: MergeFace, options = {}) => (await mask(mode, options)(from)).mask
const value = (m: Pixels, x: number, y: number) =>
  m.data[Math.floor(((y + 1) / 2) * m.height) * m.width + Math.floor(((x + 1) / 2) * m.width)]!

/** Width of a row's part above a half, as a share of the square. */
function widthAtMiddle(m: Pixels): number {
  const row = m.data.subarray((m.height / 2) * m.width, (m.height / 2 + 1) * m.width)
  let width = 0
  for (const v of row) width += Math.min(1, Math.max(0, v))
  return width / m.width
}

describe('mask', () => {
  const left = square(64, (x) => (x < 0 ? 0.8 : 0))
  const top = square(64, (_, y) => (y < 0 ? 0.5 : 0))

  it.each([
    ['learned-prd', [0.8, 0, 0.8, 0]],
    ['learned-dst', [0.5, 0.5, 0, 0]],
    ['learned-prd*learned-dst', [0.4, 0, 0, 0]],
    ['learned-prd+learned-dst', [1, 0.5, 0.8, 0]],
    ['full', [1, 1, 1, 1]],
  ] as const)('%s combines the masks as its name says', async (mode, expected) => {
    const out = await masked(mode, start(64, left, top))
    expect(out).toMatchObject({ width: 256, height: 256, channels: 1 })
    const corners = [value(out, -0.5, -0.5), value(out, 0.5, -0.5), value(out, -0.5, 0.5), value(out, 0.5, 0.5)]
    for (let i = 0; i < 4; i++) expect(corners[i]).toBeCloseTo(expected[i]!, 5)
  })

  it("dst is the hull of DST's landmarks", async () => {
    const out = await masked('dst', start(64))
    expect(value(out, 0, 0)).toBe(1)
    expect(value(out, -0.98, -0.98)).toBe(0)
    expect(widthAtMiddle(out)).toBeGreaterThan(0.5)
    expect(widthAtMiddle(out)).toBeLessThan(0.95)
  })

  it('stays inside the hull where asked', async () => {
    const hull = await masked('dst', start(64))
    const limited = await masked('full', start(64), { insideHull: true })
    expect(limited.data).toEqual(hull.data)
  })

  it('drops what is too faint to see', async () => {
    const faint = square(256, () => 0.9 / 255)
    expect((await masked('learned-prd', start(256, faint))).data.every((v) => v === 0)).toBe(true)
  })

  it('refuses a mode it does not know', () => {
    expect(() => mask('XSeg' as MaskMode)).toThrow(
      "Expected one of learned-prd*learned-dst, learned-prd+learned-dst, learned-prd, learned-dst, XSeg-prd, XSeg-dst, XSeg-prd*XSeg-dst, learned-prd*learned-dst*XSeg-prd*XSeg-dst, dst, full for `mode`, but got 'XSeg'.",
    )
  })
})

describe('erode and blur', () => {
  it('takes the given pixels of a 256 px face off each side, at every model resolution', async () => {
    for (const resolution of [64, 128, 256, 320]) {
      const from = await mask('learned-prd')(start(resolution))
      const before = widthAtMiddle(from.mask)
      expect(before - widthAtMiddle((await erode(8)(from)).mask)).toBeCloseTo(16 / 256, 2)
      expect(widthAtMiddle((await erode(-8)(from)).mask) - before).toBeCloseTo(16 / 256, 2)
    }
  })

  it('erodes from the edge of the square too', async () => {
    const eroded = (await erode(10)(await mask('full')(start(64)))).mask
    expect(eroded.data[128 * 256 + 9]).toBe(0)
    expect(eroded.data[128 * 256 + 12]).toBe(1)
  })

  it('gives the edge the width asked for, at every model resolution', async () => {
    for (const resolution of [128, 320]) {
      const half = square(resolution, (x) => (x < 0 ? 1 : 0))
      const { mask: soft } = await blur(40)(await mask('learned-prd')(start(resolution, half)))
      const row = soft.data.subarray((soft.height / 2) * soft.width, (soft.height / 2 + 1) * soft.width)
      const right = row.subarray(soft.width / 4)
      const edge = right.filter((v) => v > 0.02 && v < 0.98).length
      expect((edge * 256) / soft.width).toBeGreaterThan(36)
      expect((edge * 256) / soft.width).toBeLessThan(44)
    }
  })

  it('lets a blurred mask fade to nothing inside the square', async () => {
    const { mask: soft } = await blur(40)(await mask('full')(start(128)))
    for (let i = 0; i < 256; i++) {
      expect(soft.data[i]!).toBeLessThan(0.02)
      expect(soft.data[i * 256]!).toBeLessThan(0.02)
    }
    expect(value(soft, 0, 0)).toBeCloseTo(1, 5)
  })

  it('pastes the same area whatever the resolution of the model', async () => {
    const areas: number[] = []
    for (const resolution of [64, 128, 320]) {
      let at = await mask('learned-prd*learned-dst')(start(resolution))
      for (const stage of [erode(6), blur(20), overlay()]) at = await stage(at)
      areas.push(at.patch!.alpha.data.reduce((sum, v) => sum + v, 0))
    }
    expect(Math.abs(areas[0]! / areas[2]! - 1)).toBeLessThan(0.02)
    expect(Math.abs(areas[1]! / areas[2]! - 1)).toBeLessThan(0.01)
  })

  it('does nothing for 0', async () => {
    const from = await mask('learned-prd')(start(64))
    expect(await erode(0)(from)).toBe(from)
    expect(await blur(0)(from)).toBe(from)
  })

  it('refuses what is no length', () => {
    expect(() => erode(Number.NaN)).toThrow(
      'Expected a number of px for `erode`, but got NaN. Give pixels of a 256 px face.',
    )
    expect(() => blur(-1)).toThrow('Expected a number of px of at least 0 for `blur`, but got -1.')
  })
})
