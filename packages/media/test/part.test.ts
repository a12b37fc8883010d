import { join } from 'node:path'
import type { Bitmap, Rect } from '@dfl/core'
import { collect } from '@dfl/core'
import { describe, expect, test } from 'vitest'
import { bitmapFrame, createFrames, createVideo, type Frame, openFrames } from '../src/index.js'
import { allSamples, CLIP, makeClip, picture, scratchFolder } from './media.js'

const folder = await scratchFolder()
const at = (name: string) => join(folder, name)

/** A clip stored sideways in 4:2:0, and others whose chroma lies elsewhere. */
const TURNED = {
  width: 64,
  height: 96,
  rotationDegrees: 90 as const,
  displayMatrix: [0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000],
  pixelFormat: 'yuv420p',
}
const KINDS = {
  'turned 4:2:0': TURNED,
  '4:2:0 between the pixels': { width: 90, height: 62, pixelFormat: 'yuv420p', chromaSite: 'center' as const },
  '4:2:2': { width: 90, height: 62, pixelFormat: 'yuv422p' },
  '4:4:4 of odd size': { width: 91, height: 63, pixelFormat: 'yuv444p' },
  '10 bits': { width: 90, height: 62, pixelFormat: 'yuv420p10le', bitDepth: 10 },
}

async function frameOf(kind: keyof typeof KINDS): Promise<Frame> {
  const path = at(`${kind.replaceAll(':', '')}.mkv`)
  await makeClip(path, [0, 512], KINDS[kind], 'h264')
  const [frame] = await collect((await openFrames(path)).frames())
  return frame!
}

/** The mean of a block of the bitmap, edges repeated. */
function mean({ data, width, height }: Bitmap, [x, y, channel]: readonly [number, number, number], reduce: number) {
  let sum = 0
  for (let j = 0; j < reduce; j++)
    for (let i = 0; i < reduce; i++) {
      const column = Math.max(0, Math.min(width - 1, x + i))
      sum += data[(Math.max(0, Math.min(height - 1, y + j)) * width + column) * 3 + channel]!
    }
  return sum / reduce ** 2
}

describe('a part of a frame', () => {
  const rects: Rect[] = [
    { x: 13, y: 7, width: 24, height: 31 },
    { x: -20, y: 20.5, width: 37.2, height: 500 },
    { x: 40, y: -3, width: 100, height: 20 },
    { x: 500, y: 500, width: 4, height: 4 },
  ]

  test.each(Object.keys(KINDS) as (keyof typeof KINDS)[])('is what the whole frame shows there (%s)', async (kind) => {
    const parts = (await frameOf(kind)) as Frame
    const asked = rects.flatMap((rect) => [1, 2, 4].map((reduce) => ({ rect, reduce, part: parts.part(rect, reduce) })))
    const whole = parts.bitmap
    for (const { rect, reduce, part } of asked) {
      const { x, y, bitmap } = part
      expect(part.reduce).toBe(reduce)
      // It holds as much of the rectangle as the frame does.
      expect(x).toBeLessThanOrEqual(Math.max(0, Math.min(parts.width - 1, rect.x)))
      expect(x + bitmap.width * reduce).toBeGreaterThanOrEqual(Math.min(parts.width, rect.x + rect.width))
      expect(y + bitmap.height * reduce).toBeGreaterThanOrEqual(Math.min(parts.height, rect.y + rect.height))
      let [largest, sum] = [0, 0]
      for (let j = 0; j < bitmap.height; j++)
        for (let i = 0; i < bitmap.width; i++)
          for (let k = 0; k < 3; k++) {
            const expected = mean(whole, [x + i * reduce, y + j * reduce, k], reduce)
            const error = bitmap.data[(j * bitmap.width + i) * 3 + k]! - expected
            largest = Math.max(largest, Math.abs(error))
            sum += error
          }
      // Smaller ones are rounded once per halving and plane, which changes no brightness.
      expect(largest).toBeLessThanOrEqual(reduce === 1 ? 0 : 5)
      if (bitmap.data.length > 150) expect(Math.abs(sum) / bitmap.data.length).toBeLessThanOrEqual(0.5)
    }
  })

  test('is cut from the bitmap where there are no samples, and kept while the same is asked for', () => {
    const frame = bitmapFrame(picture(40, 30), { index: 0, pts: 0, timeBase: { num: 1, den: 25 }, name: 'x' })
    const rect = { x: 5, y: 6, width: 9, height: 8 }
    const part = frame.part(rect)
    expect(part).toMatchObject({ x: 5, y: 6, reduce: 1, bitmap: { width: 9, height: 8 } })
    expect(part.bitmap.data[0]).toBe(frame.bitmap.data[(6 * 40 + 5) * 3])
    expect(frame.part({ ...rect })).toBe(part)
    const half = frame.part(rect, 2)
    expect(half).toMatchObject({ x: 4, y: 6, reduce: 2, bitmap: { width: 5, height: 4 } })
    expect(Math.abs(half.bitmap.data[0]! - mean(frame.bitmap, [4, 6, 0], 2))).toBeLessThanOrEqual(0.5)
  })

  test('refuses sizes that are no power of two', () => {
    const frame = bitmapFrame(picture(8, 8), { index: 0, pts: 0, timeBase: { num: 1, den: 25 }, name: 'x' })
    expect(() => frame.part({ x: 0, y: 0, width: 4, height: 4 }, 3)).toThrow(
      'Expected 1, 2, 4, 8 or the like for `reduce`, but got 3.',
    )
  })
})

describe('painting a part of a frame', () => {
  /** The frame with everything inside `rect` inverted, as a part with a margin and as a whole. */
  function changes(frame: Frame, rect: Rect) {
    const wider = { x: rect.x - 3, y: rect.y - 3, width: rect.width + 6, height: rect.height + 6 }
    const part = frame.part(wider)
    const invert = (bitmap: Bitmap, x0: number, y0: number): Bitmap => {
      const data = bitmap.data.slice()
      for (let y = rect.y; y < rect.y + rect.height; y++)
        for (let x = rect.x; x < rect.x + rect.width; x++)
          for (let k = 0; k < 3; k++) {
            const i = ((y - y0) * bitmap.width + x - x0) * 3 + k
            data[i] = 255 - data[i]!
          }
      return { ...bitmap, data }
    }
    return {
      ofPart: { bitmap: invert(part.bitmap, part.x, part.y), x: part.x, y: part.y, rects: [rect] },
      ofWhole: { bitmap: invert(frame.bitmap, 0, 0), rects: [rect] },
    }
  }

  test('gives the same samples as painting the whole frame', async () => {
    await makeClip(at('turned.mkv'), [0, 512], TURNED)
    for (const [path, rect] of [
      [CLIP, { x: 201, y: 99, width: 121, height: 83 }],
      [at('turned.mkv'), { x: 10, y: 13, width: 31, height: 40 }],
    ] as const) {
      const written: Buffer[][] = []
      for (const how of ['ofPart', 'ofWhole'] as const) {
        const source = await openFrames(path, { end: 2 })
        const sink = await createVideo(at(`${how}.mkv`), { like: source, codec: 'ffv1' })
        for await (const frame of source.frames()) await sink.write(frame, changes(frame, rect)[how])
        await sink.finish()
        written.push(await allSamples(await openFrames(at(`${how}.mkv`))))
      }
      expect(written[0]).toHaveLength(2)
      for (const [i, samples] of written[0]!.entries()) expect(Buffer.compare(samples, written[1]![i]!)).toBe(0)
    }
  })

  test('gives the whole image in a folder', async () => {
    const source = await openFrames(CLIP, { end: 1 })
    const [frame] = await collect(source.frames())
    const { ofPart, ofWhole } = changes(frame!, { x: 201, y: 99, width: 121, height: 83 })
    const sink = await createFrames(at('images'), { like: source })
    await sink.write(frame!, ofPart)
    await sink.finish()
    const [image] = await collect((await openFrames(at('images'))).frames())
    expect(Buffer.compare(image!.bitmap.data as Uint8Array, ofWhole.bitmap.data as Uint8Array)).toBe(0)
  })

  test('says what is wrong with a part that lies outside the frame', async () => {
    const source = await openFrames(CLIP, { end: 1 })
    const [frame] = await collect(source.frames())
    const sink = await createVideo(at('outside.mkv'), { like: source })
    const change = { bitmap: picture(20, 20), x: 630, y: 0, rects: [] }
    await expect(sink.write(frame!, change)).rejects.toThrow(
      "Expected a part of 640 x 360 pixels for `bitmap`, but got 20 x 20 at 630, 0 for 'pair1-dst.mp4#0'. Scale it first.",
    )
    await sink.abort()
  })
})

test('uses the memory of a large part for the next frame once its own is closed; a whole bitmap stays', async () => {
  await using source = await openFrames(CLIP, { end: 3 })
  const rect: Rect = { x: 0, y: 0, width: 600, height: 300 }
  const frames = source.frames()
  const first = (await frames.next()).value as Frame
  const whole = first.bitmap
  const kept = whole.data.slice()
  first.close()
  const second = (await frames.next()).value as Frame
  const part = second.part(rect).bitmap.data
  second.close()
  const third = (await frames.next()).value as Frame
  const next = third.part(rect).bitmap
  expect(next.data.buffer).toBe(part.buffer)
  expect(Buffer.compare(whole.data as Uint8Array, kept as Uint8Array)).toBe(0)
  const own = third.bitmap
  for (let y = 0; y < 300; y++) {
    const row = next.data.subarray(y * 1800, (y + 1) * 1800) as Uint8Array
    expect(Buffer.compare(row, own.data.subarray(y * 1920, y * 1920 + 1800) as Uint8Array)).toBe(0)
  }
  third.close()
  await frames.return(undefined)
})
