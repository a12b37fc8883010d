import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Affine, type Bitmap, collect } from '@dfl/core'
import { psnr, warpAffine } from '@dfl/image'
import { bitmapFrame, createVideo, type Frame, openFrames } from '@dfl/media'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { warpSamples } from '../src/index.js'
import { clip, grayImage } from './footage.js'

let folder: string
let plain: Frame
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dfl-warp-'))
  plain = (await collect((await openFrames(clip('pair1-dst.mp4'), { end: 1 })).frames()))[0]!
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The demo's first frame in another kind of video. */
async function inVideo(name: string, like: object): Promise<Frame> {
  const path = join(folder, name)
  const bitmap = plain.bitmap
  await using source = await openFrames(clip('pair1-dst.mp4'))
  const info = { ...source.info, ...like, audio: [], width: bitmap.width, height: bitmap.height }
  const sink = await createVideo(path, { like: info, crf: 4, preset: 'ultrafast' })
  await sink.write(bitmapFrame(bitmap, { index: 0, pts: 0, timeBase: info.timeBase, name: '0' }))
  await sink.finish()
  return (await collect((await openFrames(path)).frames()))[0]!
}

const mat: Affine = [0.7, 0.12, -160, -0.12, 0.7, 20]
const size = { width: 128, height: 128 }
const around = { x: 180, y: 0, width: 330, height: 330 }
const expected = (image: Bitmap) => warpAffine(image, mat, size, { interpolation: 'cubic', border: 'replicate' })
const drawn = (frame: Frame, reduce = 1) =>
  warpSamples(frame.samplesIn(around, reduce), mat, size, { interpolation: 'cubic', border: 'replicate' })

const TURNED = [0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000]

describe('samples drawn without being converted first', () => {
  it.each([
    ['4:2:0', {}],
    ['turned', { rotationDegrees: 90, displayMatrix: TURNED }],
    ['chroma between the pixels', { chromaSite: 'center' }],
    ['4:4:4', { pixelFormat: 'yuv444p' }],
    ['10 bits', { pixelFormat: 'yuv420p10le', bitDepth: 10 }],
  ])('show what the converted frame shows (%s)', async (name, like) => {
    const frame = await inVideo(`${name.replaceAll(/\W/g, '')}.mkv`, like)
    const image = expected(frame.bitmap)
    expect(psnr(drawn(frame), image)).toBeGreaterThan(45)
    expect(psnr(drawn(frame, 2), image)).toBeGreaterThan(30)
    // Half a pixel beside would be found out.
    const beside = warpSamples(frame.samplesIn(around), [0.7, 0.12, -159.5, -0.12, 0.7, 20], size)
    expect(psnr(beside, image)).toBeLessThan(40)
  })

  it('show images as they are', () => {
    const frame = bitmapFrame(plain.bitmap, { index: 0, pts: 0, timeBase: { num: 1, den: 24 }, name: 'a' })
    expect(psnr(drawn(frame), expected(plain.bitmap))).toBeGreaterThan(70)
  })

  it('have the gray that is asked for beyond the frame', async () => {
    const { data } = warpSamples(
      plain.samplesIn(around),
      [1, 0, 900, 0, 1, 0],
      { width: 4, height: 1 },
      { border: 0.5 },
    )
    for (const value of data) expect(value).toBeCloseTo(0.5, 2)
    const gray = bitmapFrame(grayImage(8, 8), { index: 0, pts: 0, timeBase: { num: 1, den: 24 }, name: 'a' })
    const black = warpSamples(gray.samplesIn({ x: 0, y: 0, width: 8, height: 8 }), [1, 0, 900, 0, 1, 0], size)
    expect(black.data.every((value) => value === 0)).toBe(true)
  })
})
