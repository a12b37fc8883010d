import type { Pixels } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import { copyPixels, createPixels, gaussianBlur, inScratch, samplesLike } from '../src/index.js'

const dots = (value: number): Pixels => {
  const pixels = createPixels(64, 64, 1)
  for (let i = 0; i < pixels.data.length; i += 7) pixels.data[i] = value
  return pixels
}

describe('inScratch', () => {
  it('gives the same pictures, in memory that the next work uses again', async () => {
    const plain = gaussianBlur(dots(1), 3)
    const run = () =>
      inScratch(async () => {
        const blurred = gaussianBlur(dots(1), 3)
        return { data: blurred.data.slice(), memory: blurred.data.buffer }
      })
    const [first, second] = [await run(), await run()]
    expect(first.data).toEqual(plain.data)
    expect(second.data).toEqual(plain.data)
    expect(second.memory).toBe(first.memory)
    expect(plain.data.buffer).not.toBe(first.memory)
  })

  it('keeps pictures of one work apart, however large, and each of its kind', async () => {
    await inScratch(async () => {
      const small = dots(0.5)
      const large = createPixels(2048, 2048, 1)
      large.data.fill(1)
      const words = samplesLike(new Uint16Array(1), 10).fill(7)
      const bytes = samplesLike(Buffer.from([1]), 10)
      const copy = copyPixels(small)
      bytes.fill(9)
      expect(copy.data).toEqual(dots(0.5).data)
      expect([...words]).toEqual(new Array(10).fill(7))
      expect(large.data.every((v) => v === 1)).toBe(true)
      expect(bytes.constructor).toBe(Uint8Array)
    })
  })

  it('starts with zeros where pictures are made, and ends where the work throws', async () => {
    await inScratch(async () => void createPixels(64, 64, 3).data.fill(1))
    const made = await inScratch(async () => createPixels(64, 64, 3).data.slice())
    expect(made.every((v) => v === 0)).toBe(true)
    await expect(
      inScratch(async () => {
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    const [a, b] = [createPixels(8, 8, 1), createPixels(8, 8, 1)]
    expect(a.data.buffer).not.toBe(b.data.buffer)
  })
})
