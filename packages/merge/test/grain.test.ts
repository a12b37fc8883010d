import { type Bitmap, Random } from '@dfl/core'
import { gaussianBlur } from '@dfl/image'
import { describe, expect, it } from 'vitest'
import { cutFace, grain, type MergeOptions, mergeFrame, mergeStages, type Swapper } from '../src/index.js'
import { landmarks, meta, square } from './synthetic.js'

const face = meta(landmarks({ x: 240, y: 180, scale: 0.8 }))
const smooth = (x: number, y: number, c: number) => 0.5 + 0.12 * Math.sin(x / 60 + c) + 0.1 * Math.cos(y / 75)

/** A smooth frame of 16 bits with noise: fine in lightness, coarse in colour, as a camera's after its codec. */
function noisy(deviation: number, seed = 1): Bitmap {
  const random = new Random(seed)
  const [width, height] = [480, 360]
  const white = Float32Array.from({ length: width * height * 3 }, () => 6 * random.normal())
  const coarse = gaussianBlur({ data: white, width, height, channels: 3 }, 1.6).data
  const data = new Uint16Array(width * height * 3)
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const fine = random.normal()
      for (let c = 0; c < 3; c++, i++) data[i] = 65535 * (smooth(x, y, c) + deviation * (fine + coarse[i]!))
    }
  return { data, width, height, channels: 3 }
}

/** Paints the frame without its noise. */
const clean: Swapper = {
  faceType: 'full_face',
  resolution: 256,
  swap: async (crops) => {
    const mask = square(256, (x, y) => (Math.hypot(x, y) < 0.75 ? 1 : 0))
    const { imageToFaceMat: m } = cut
    const det = m[0] * m[4] - m[1] * m[3]
    return crops.map((crop) => {
      const data = crop.data.map((_, i) => {
        const [u, v] = [(Math.floor(i / 3) % 256) - m[2], Math.floor(i / 3 / 256) - m[5]]
        return smooth((m[4] * u - m[1] * v) / det, (m[0] * v - m[3] * u) / det, i % 3)
      })
      return { face: { ...crop, data }, mask, dstMask: mask }
    })
  },
}

const cut = cutFace(noisy(0), face, clean)

async function merged(frame: Bitmap, options: Partial<MergeOptions>, of = face): Promise<Bitmap> {
  const stages = mergeStages({ colorTransfer: 'none', blur: 8, ...options })
  return (await mergeFrame(frame, [of], { swapper: clean, stages })).bitmap
}

/**
 * Deviation of differences, in lightness and in a colour, of neighbours, of means of 2 x 2 and of 4 x 4 pixels, in a
 * square of 96 pixels: another measure than the stage's own.
 */
function spectrum({ data, width }: Bitmap, left: number, top: number): number[] {
  const planes = [
    [0.3, 0.6, 0.1],
    [0.5, -0.42, -0.08],
  ]
  return planes.flatMap((mix) =>
    [1, 2, 4].map((cell) => {
      const mean = (x: number, y: number) => {
        let sum = 0
        for (let k = 0; k < cell * cell; k++)
          for (let c = 0; c < 3; c++)
            sum +=
              mix[c]! * data[((top + y * cell + Math.floor(k / cell)) * width + left + x * cell + (k % cell)) * 3 + c]!
        return sum / cell ** 2 / 65535
      }
      let [squares, count] = [0, 0]
      for (let y = 0; y < 96 / cell - 1; y++)
        for (let x = 0; x < 96 / cell - 1; x++, count++)
          squares += (mean(x, y) - mean(x + 1, y) - mean(x, y + 1) + mean(x + 1, y + 1)) ** 2
      return Math.sqrt(squares / count)
    }),
  )
}
const same = (a: Bitmap, b: Bitmap) => a.data.every((v, i) => v === b.data[i])
const inside = (frame: Bitmap) => spectrum(frame, 192, 132)

describe('grain', () => {
  it.each([0.006, 0.02])('has the spectrum of the frame, in lightness and colour (deviation %f)', async (deviation) => {
    const frame = noisy(deviation)
    const wanted = inside(frame)
    const without = inside(await merged(frame, {}))
    const found = inside(await merged(frame, { grain: 100 }))
    for (let i = 0; i < wanted.length; i++) {
      expect(without[i]! / wanted[i]!).toBeLessThan(0.3)
      expect(found[i]! / wanted[i]!).toBeGreaterThan(0.75)
      expect(found[i]! / wanted[i]!).toBeLessThan(1.3)
    }
  })

  it('adds as much as it is told to', async () => {
    const frame = noisy(0.02)
    const wanted = inside(frame)
    inside(await merged(frame, { grain: 50 })).forEach((v, i) => {
      expect(v / wanted[i]!).toBeGreaterThan(0.4)
      expect(v / wanted[i]!).toBeLessThan(0.65)
    })
  })

  it('keeps the level of noise across the soft edge', async () => {
    const frame = noisy(0.02)
    const soft = await merged(frame, { grain: 100, blur: 60 })
    // The left edge of the mask, 0.75 of the square from its centre, lies here.
    const { imageToFaceMat: m } = cut
    const x = Math.round(240 - (0.75 * 128) / m[0])
    const [edge, plain] = [spectrum(soft, x - 48, 132), spectrum(await merged(frame, { blur: 60 }), x - 48, 132)]
    const wanted = spectrum(frame, x - 48, 132)
    expect(plain[0]! / wanted[0]!).toBeLessThan(0.8)
    expect(edge[0]! / wanted[0]!).toBeGreaterThan(0.9)
    expect(edge[0]! / wanted[0]!).toBeLessThan(1.1)
  })

  it('is the same for the same frame, and another for the next', async () => {
    const frame = noisy(0.02)
    const once = await merged(frame, { grain: 100 })
    expect(same(await merged(frame, { grain: 100 }), once)).toBe(true)
    const next = await merged(frame, { grain: 100 }, { ...face, frameIndex: 1 })
    let differ = 0
    for (let i = 0; i < once.data.length; i++) if (once.data[i] !== next.data[i]) differ++
    expect(differ).toBeGreaterThan(20_000)
  })

  it('adds nothing where the frame has no noise', async () => {
    const frame = noisy(0)
    expect(same(await merged(frame, { grain: 100 }), await merged(frame, {}))).toBe(true)
  })

  it('says what it expects', () => {
    expect(() => grain(101)).toThrow('Expected a number between 0 and 100 for `grain`, but got 101.')
  })
})
