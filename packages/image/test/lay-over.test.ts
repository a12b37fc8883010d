import type { Bitmap, Pixels } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import { layOver, translation, warpAffine } from '../src/index.js'
import { paint, turned } from './support.js'

const smooth = (x: number, y: number, c: number) => 0.5 + 0.6 * Math.sin(x / 3 + c) * Math.cos(y / 4 - c)

/** Numbers that look drawn, as samples of a frame. */
function frame(kind: typeof Uint8Array | typeof Uint16Array, channels: Bitmap['channels']): Bitmap {
  const peak = kind === Uint8Array ? 255 : 65535
  const data = new kind(40 * 30 * channels).map((_, i) => (i * 7919) % (peak + 1))
  return { data, width: 40, height: 30, channels }
}

const kinds = [
  [Uint8Array, 3],
  [Uint8Array, 1],
  [Uint8Array, 4],
  [Uint16Array, 3],
  [Uint16Array, 1],
  [Uint16Array, 4],
] as const

describe('layOver', () => {
  it.each(kinds.flatMap(([kind, channels]) => [8, 20].map((degrees) => ({ kind, channels, degrees }))))(
    'mixes $kind.name of $channels channels with the source, turned by $degrees degrees, as alpha says',
    ({ kind, channels, degrees }) => {
      const source = paint(20, 20, 3, smooth)
      const mat = turned(1.4, degrees, [10, 10], [19, 14])
      const alpha = paint(40, 30, 1, (x, y) => 1.4 - Math.hypot(x - 19, y - 14) / 10)
      const before = frame(kind, channels)
      const after = { ...before, data: before.data.slice() }
      const shares = { ...alpha, data: alpha.data.slice() }
      layOver(after, source, mat, shares)
      const seen = warpAffine(source, mat, before, { interpolation: 'cubic', border: 'replicate', twoPass: true })
      const peak = kind === Uint8Array ? 255 : 65535
      let worst = 0
      for (let p = 0; p < 1200; p++) {
        const share = alpha.data[p] > 1 / 512 ? Math.min(1, alpha.data[p]) : 0
        expect(shares.data[p]).toBe(share)
        for (let c = 0; c < channels; c++) {
          const i = p * channels + c
          const colour = Math.min(1, Math.max(0, seen.data[3 * p + c])) * peak
          const wanted = c < 3 && share > 0 ? before.data[i] + share * (colour - before.data[i]) : before.data[i]
          if (c === 3 || share === 0) expect(after.data[i]).toBe(before.data[i])
          worst = Math.max(worst, Math.abs(after.data[i] - wanted))
        }
      }
      expect(worst).toBeLessThan(0.52)
    },
  )

  it('rounds halves up, and a source as large as the target comes out as it is', () => {
    const target: Bitmap = { data: new Uint8Array(4 * 4 * 3), width: 4, height: 4, channels: 3 }
    const whole = paint(4, 4, 1, () => 1)
    layOver(
      target,
      paint(4, 4, 3, () => 0.5),
      translation(0, 0),
      whole,
    )
    expect([...target.data]).toEqual(new Array(48).fill(128))
    layOver(
      target,
      paint(4, 4, 3, (x, y, c) => (x + 4 * y + 16 * c) / 255),
      translation(0, 0),
      whole,
    )
    expect(target.data[3 * 6 + 2]).toBe(38)
  })

  it('refuses what does not fit', () => {
    const target: Bitmap = { data: new Uint8Array(48), width: 4, height: 4, channels: 3 }
    const gray: Pixels = paint(4, 4, 1, () => 1)
    expect(() => layOver(target, gray, translation(0, 0), gray)).toThrow('Expected 3 channels for `source`, but got 1.')
    expect(() =>
      layOver(
        target,
        paint(2, 2, 3, smooth),
        translation(0, 0),
        paint(3, 4, 1, () => 1),
      ),
    ).toThrow('Expected 4x4 for `alpha`, but got 3x4. Resize or convert one of the two first.')
  })
})
