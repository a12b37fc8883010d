import type { Bitmap } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import { compareSheet } from '../src/index.js'

const plain = (level: number, width: number, height: number): Bitmap => ({
  data: new Uint8Array(width * height * 3).fill(level),
  width,
  height,
  channels: 3,
})

describe('compareSheet', () => {
  it('puts pictures of all sizes side by side in cells of one size', () => {
    const sheet = compareSheet([[plain(255, 40, 20), plain(0, 10, 5)], [plain(255, 20, 10)]], {
      cellWidth: 8,
      gapPx: 2,
    })
    expect(sheet).toMatchObject({ width: 18, height: 10, channels: 3 })
    const at = (x: number, y: number) => sheet.data[(y * 18 + x) * 3]
    expect(at(0, 0)).toBe(1)
    expect(at(17, 3)).toBe(0)
    expect(at(8, 0)).toBe(0.5)
    expect(at(4, 8)).toBe(1)
    expect(at(14, 8)).toBe(0.5)
  })

  it('refuses to compare nothing', () => {
    expect(() => compareSheet([[]])).toThrow(
      'Expected at least one picture for `rows`, but got none. Give rows of pictures.',
    )
  })
})
