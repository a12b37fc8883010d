import type { Bitmap } from '@dfl/core'
import { expect, it } from 'vitest'
import { createPixels, crop, paste, sampleScale, toBitmap, toPixels } from '../src/index.js'
import { at, paint } from './support.js'

const bytes: Bitmap = { data: new Uint8Array([0, 51, 102, 153, 204, 255]), width: 2, height: 1, channels: 3 }

it('makes black pixels', () => {
  expect(createPixels(3, 2, 4)).toEqual({ data: new Float32Array(24), width: 3, height: 2, channels: 4 })
  expect(() => createPixels(2.5, 2, 1)).toThrow(
    'Expected a whole width and height of at least 1 for `size`, but got 2.5x2. Round them first.',
  )
})

it('reads bytes and 16-bit words as 0..1 and writes them back unchanged', () => {
  expect([...toPixels(bytes).data].map((v) => Math.round(v * 1e6) / 1e6)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1])
  const words: Bitmap = { data: Uint16Array.from({ length: 65536 }, (_, i) => i), width: 256, height: 256, channels: 1 }
  const every: Bitmap = { data: Uint8Array.from({ length: 256 }, (_, i) => i), width: 16, height: 16, channels: 1 }
  expect(toBitmap(toPixels(words), 16)).toEqual(words)
  expect(toBitmap(toPixels(every))).toEqual(every)
  expect([sampleScale(bytes), sampleScale(words), sampleScale(createPixels(1, 1, 1))]).toEqual([1 / 255, 1 / 65535, 1])
})

it('rounds to nearest, clamps, and takes what is no number for black', () => {
  const data = new Float32Array([-0.5, 1.5, 0.5, 0.0019, 0.0021, Number.NaN])
  expect([...toBitmap({ data, width: 6, height: 1, channels: 1 }).data]).toEqual([0, 255, 128, 0, 1, 0])
  expect(() => toBitmap(createPixels(1, 1, 1), 10 as 8)).toThrow('Expected 8 or 16 for `bits`, but got 10.')
})

it('crops with black outside and keeps the kind of samples', () => {
  const source = paint(4, 3, 1, (x, y) => 1 + x + 4 * y)
  const out = crop(source, { x: -1, y: 1, width: 3, height: 3 })
  expect([...out.data]).toEqual([0, 5, 6, 0, 9, 10, 0, 0, 0])
  expect(crop(bytes, { x: 1, y: 0, width: 1, height: 1 })).toEqual({
    data: new Uint8Array([153, 204, 255]),
    width: 1,
    height: 1,
    channels: 3,
  })
})

it('pastes in place and drops what lies outside', () => {
  const target = createPixels(4, 4, 1)
  paste(
    target,
    paint(2, 2, 1, (x, y) => 1 + x + 2 * y),
    3,
    -1,
  )
  expect(at(target, 3, 0)).toBe(3)
  expect(target.data.reduce((sum, v) => sum + v)).toBe(3)
  expect(() => paste(target, createPixels(1, 1, 3), 0, 0)).toThrow(
    'Expected 1 channels of Float32Array for `patch`, but got 3 of Float32Array. Convert it first, as with toPixels.',
  )
})
