import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bitmap, collect, Random } from '@dfl/core'
import { describe, expect, test } from 'vitest'
import { encodeSamples, floatSamples } from '../src/image-samples.js'
import {
  bitmapFrame,
  createFrames,
  createVideo,
  type Frame,
  type ImageSamples,
  openFrames,
  readImage,
} from '../src/index.js'
import { toneOf } from '../src/tone.js'
import { clipInfo, scratchFolder } from './media.js'

const folder = await scratchFolder()
const at = (name: string) => join(folder, name)
const RECT = { x: 9, y: 5, width: 14, height: 11 }
const [WIDTH, HEIGHT] = [40, 30]

/** Every value that its kind can hold, and for floats far more than can be shown. */
function samplesOf(kind: 'words' | 'floats', channels: 1 | 2 | 3 | 4): ImageSamples {
  const random = new Random(7)
  const length = WIDTH * HEIGHT * channels
  const data =
    kind === 'words'
      ? Uint16Array.from({ length }, () => random.integer(65536))
      : Float32Array.from({ length }, (_, i) =>
          i % 5 === 0 ? 40_000.25 : i % 7 === 0 ? -0.75 : random.integer(3000) / 1024,
        )
  return { data, width: WIDTH, height: HEIGHT, channels }
}

/** The part of a frame with its inner pixels inverted. */
function inverted(frame: Frame) {
  const { bitmap, x, y } = frame.part(RECT, 1, 'own')
  const peak = bitmap.data instanceof Uint16Array ? 65535 : 255
  const data = bitmap.data.slice()
  for (let row = 2; row < bitmap.height - 2; row++)
    for (let i = (row * bitmap.width + 2) * 3; i < (row * bitmap.width + bitmap.width - 2) * 3; i++)
      data[i] = peak - data[i]!
  return { bitmap: { ...bitmap, data } as Bitmap, x, y, rects: [RECT] }
}

const inside = (pixel: number) => {
  const [x, y] = [pixel % WIDTH, Math.floor(pixel / WIDTH)]
  return x >= RECT.x + 2 && y >= RECT.y + 2 && x < RECT.x + RECT.width - 2 && y < RECT.y + RECT.height - 2
}

/** Writes a sequence with gaps, changes a rectangle of each image, and gives back what was and what is. */
async function throughFolder(name: string, format: 'png' | 'tiff' | 'exr', samples: ImageSamples) {
  await mkdir(at(name))
  const names = ['shot.7', 'shot.0012', 'shot.100000'].map((stem) => `${stem}.${format}`)
  for (const file of names) await writeFile(join(at(name), file), await encodeSamples(samples, format))
  const source = await openFrames(at(name))
  const sink = await createFrames(at(`${name}-out`), { like: source })
  for await (const frame of source.frames()) await sink.write(frame, inverted(frame))
  await sink.finish()
  const again = await openFrames(at(`${name}-out`))
  const frames = await collect(again.frames())
  return { source, names, written: (await readdir(at(`${name}-out`))).sort(), frames, again }
}

describe('sequences of more than 8 bits', () => {
  test.each([
    ['16-bit PNG', 'png', 'words', 3, 'rgb48le'],
    ['16-bit PNG with alpha', 'png', 'words', 4, 'rgba64le'],
    ['16-bit gray PNG', 'png', 'words', 1, 'gray16le'],
    ['16-bit TIFF', 'tiff', 'words', 3, 'rgb48le'],
    ['16-bit TIFF with alpha', 'tiff', 'words', 4, 'rgba64le'],
    ['float TIFF', 'tiff', 'floats', 3, 'gbrpf32le'],
    ['float TIFF with alpha', 'tiff', 'floats', 4, 'gbrapf32le'],
    ['float EXR', 'exr', 'floats', 3, 'gbrpf32le'],
    ['float EXR with alpha', 'exr', 'floats', 4, 'gbrapf32le'],
  ] as const)(
    '%s: what is outside the change comes back bit for bit',
    async (name, format, kind, channels, pixelFormat) => {
      const samples = samplesOf(kind, channels)
      const { source, names, written, frames, again } = await throughFolder(name, format, samples)
      expect(source.info).toMatchObject({ pixelFormat, bitDepth: kind === 'words' ? 16 : 32, frameCount: 3 })
      expect(again.info).toMatchObject({ pixelFormat })
      expect(written).toEqual([...names, 'timestamps.json'].sort())
      expect(frames.map((frame) => frame.name)).toEqual(names)
      for (const { image } of frames) {
        let changed = 0
        for (let i = 0; i < samples.data.length; i++) {
          const alpha = channels % 2 === 0 && i % channels === channels - 1
          if (alpha || !inside(Math.floor(i / channels))) expect(image!.data[i]).toBe(samples.data[i])
          else if (image!.data[i] !== samples.data[i]) changed++
        }
        expect(changed).toBeGreaterThan(60)
      }
    },
  )

  test('half floats stay half floats, all of their values', async () => {
    const values = Float32Array.from({ length: 63 * 1024 }, (_, bits) => halfOf(bits))
    const samples: ImageSamples = { data: values.slice(0, 63 * 1023), width: 1023, height: 21, channels: 3, half: true }
    await mkdir(at('half'))
    await writeFile(at('half/1.exr'), await encodeSamples(samples, 'exr'))
    const [frame] = await collect((await openFrames(at('half'))).frames())
    expect(frame!.image!.half).toBe(true)
    expect(Buffer.compare(new Uint8Array(frame!.image!.data.buffer), new Uint8Array(samples.data.buffer))).toBe(0)
  })

  test('a PNG keeps its colour profile and texts', async () => {
    const { default: sharp } = await import('sharp')
    await mkdir(at('profile'))
    const data = samplesOf('words', 3).data as Uint16Array
    const image = sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } }).toColourspace('rgb16')
    await image.withIccProfile('p3').png().toFile(at('profile/a.png'))
    const before = await sharp(at('profile/a.png')).metadata()
    const source = await openFrames(at('profile'))
    const [first] = await collect(source.frames())
    const sink = await createFrames(at('profile-out'), { like: source })
    await sink.write(first!, inverted(first!))
    await sink.finish()
    const after = await sharp(at('profile-out/a.png')).metadata()
    expect(after.icc).toEqual(before.icc)
    expect(before.icc!.length).toBeGreaterThan(100)
  })

  test('a 16-bit sequence becomes a 10-bit video, and a lossless one of 16 bits', async () => {
    await mkdir(at('wide'))
    await writeFile(at('wide/1.png'), await encodeSamples(samplesOf('words', 3), 'png'))
    const source = await openFrames(at('wide'))
    const [frame] = await collect(source.frames())
    for (const [file, options, format] of [
      ['wide.mkv', { codec: 'ffv1' }, 'gbrp16le'],
      ['wide.mp4', { codec: 'h265', preset: 'ultrafast' }, 'yuv420p10le'],
    ] as const) {
      const sink = await createVideo(at(file), { like: source, ...options })
      await sink.write(frame!)
      await sink.finish()
      const again = await openFrames(at(file))
      expect(again.info.pixelFormat).toBe(format)
      if (options.codec !== 'ffv1') continue
      const [back] = await collect(again.frames())
      expect(back!.part({ x: 0, y: 0, width: WIDTH, height: HEIGHT }, 1, 'own').bitmap.data).toEqual(frame!.image!.data)
    }
  })

  test('an EXR of halves holds the nearest half of each number', async () => {
    // Pairs of a number and its half: as NumPy's astype(float16) gives them.
    const [up, down, even, odd, tiny, large] = [0.3001, 0.3, 1 + 1 / 2048, 1 + 3 / 2048, 2.6e-7, -65510]
    const data = Float32Array.of(up, down, even, odd, tiny, large)
    await writeFile(
      at('nearest.exr'),
      await encodeSamples({ data, width: 2, height: 1, channels: 3, half: true }, 'exr'),
    )
    const { data: halves } = (await floatSamples(await readFile(at('nearest.exr')), 'nearest.exr'))!
    expect([...halves]).toEqual([0.300048828125, 0.300048828125, 1, 1.001953125, 2.384185791015625e-7, -65504])
  })

  test('an EXR that libav cannot unpack is told of, instead of being black', async () => {
    const bytes = await encodeSamples(samplesOf('floats', 3), 'exr')
    const packing = bytes.indexOf('compression\0compression\0', 0, 'latin1') + 28
    expect(bytes[packing]).toBe(3)
    bytes[packing] = 4
    await writeFile(at('piz.exr'), bytes)
    await expect(readImage(at('piz.exr'))).rejects.toThrow(
      'but got an EXR file whose 32-bit floats are packed as PIZ in a way that libav cannot unpack. Write it with ZIP, or as half floats.',
    )
  })

  test('a damaged EXR or float TIFF is told in one sentence', async () => {
    for (const format of ['exr', 'tiff'] as const) {
      const bytes = await encodeSamples(samplesOf('floats', 3), format)
      await writeFile(at(`cut.${format}`), bytes.subarray(0, bytes.length >> 1))
      await expect(readImage(at(`cut.${format}`))).rejects.toMatchObject({ code: 'UNSUPPORTED_MEDIA' })
    }
  })
})

/** The value of a finite 16-bit float. */
function halfOf(bits: number): number {
  const index = bits % 63488 >= 31744 ? (bits % 31744) | 0x8000 : bits % 31744
  const [exponent, fraction] = [(index >> 10) & 31, index & 1023]
  const size = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : (fraction / 1024) * 2 ** -14
  return index & 0x8000 ? -size : size
}

describe('colours of video', () => {
  /** [matrix, range, bits, red, green, blue], each Y Cb Cr: from the equations of BT.601, BT.709 and BT.2020. */
  test.each([
    ['smpte170m', 'limited', 8, [81, 90, 240], [145, 54, 34], [41, 240, 110]],
    ['bt709', 'limited', 8, [63, 102, 240], [173, 42, 26], [32, 240, 118]],
    ['bt709', 'full', 8, [54, 99, 255], [182, 30, 12], [18, 255, 116]],
    ['bt709', 'limited', 10, [250, 409, 960], [691, 167, 105], [127, 960, 471]],
    ['bt2020nc', 'limited', 10, [294, 387, 960], [658, 189, 100], [116, 960, 476]],
  ] as const)(
    '%s, %s range, %i bits: red, green and blue are the numbers of the standard',
    async (matrix, range, bits, ...wanted) => {
      const color = { primaries: matrix === 'bt2020nc' ? 'bt2020' : 'bt709', transfer: 'bt709', matrix, range } as const
      const pixelFormat = bits === 8 ? 'yuv444p' : 'yuv444p10le'
      const info = clipInfo({ width: 64, height: 64, pixelFormat, bitDepth: bits, color })
      const path = at(`${matrix}-${range}-${bits}.mkv`)
      const sink = await createVideo(path, { like: info, codec: 'ffv1' })
      for (let index = 0; index < 3; index++) {
        const data = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i % 3 === index ? 255 : 0))
        await sink.write(
          bitmapFrame(
            { data, width: 64, height: 64, channels: 3 },
            { index, pts: index * 512, timeBase: info.timeBase, name: '' },
          ),
        )
      }
      await sink.finish()
      const source = await openFrames(path)
      expect(source.info.color).toEqual(color)
      for await (const frame of source.frames()) {
        const values = frame.samples!.data!.map((plane) => (bits === 8 ? plane[0]! : plane.readUInt16LE(0)))
        expect(values).toEqual(wanted[frame.index])
        const shown = frame.part({ x: 8, y: 8, width: 1, height: 1 }, 1, 'own').bitmap
        const peak = bits === 8 ? 255 : 65535
        for (let k = 0; k < 3; k++)
          expect(Math.abs(shown.data[k]! / peak - (k === frame.index ? 1 : 0))).toBeLessThan(0.006)
        frame.close()
      }
    },
  )

  test('HDR is shown by the rule: skin as in SDR, highlights pressed together, and back again', () => {
    const color = { primaries: 'bt2020', matrix: 'bt2020nc', range: 'limited' } as const
    const srgb = (light: number) => (1.055 * light ** (1 / 2.4) - 0.055) * 65535
    // BT.2408: the reference white of 203 cd/m² is 58 % of PQ and 75 % of HLG.
    for (const [transfer, white] of [
      ['smpte2084', 0.5807],
      ['arib-std-b67', 0.75],
    ] as const) {
      const tone = toneOf({ ...color, transfer })!
      const shown = Uint16Array.from([white, white, white], (v) => v * 65535)
      tone.toDisplay(shown)
      const top = transfer === 'smpte2084' ? (10_000 / 203 - 0.6) / 0.4 : (1000 / 203 - 0.6) / 0.4
      const pressed = 0.6 + (0.4 * (1 + 1 / top ** 2)) / 2
      for (const value of shown) expect(Math.abs(value - srgb(pressed))).toBeLessThan(60)
      // What sRGB shows of skin is the same light.
      const skin = Uint16Array.of(srgb(0.45), srgb(0.3), srgb(0.2))
      const there = skin.slice()
      tone.back(there)
      expect(there[0]! / 65535).toBeGreaterThan(0.4)
      tone.toDisplay(there)
      for (let k = 0; k < 3; k++) expect(Math.abs(there[k]! - skin[k]!)).toBeLessThan(12)
    }
    expect(toneOf({ ...color, transfer: 'bt709' })).toBeUndefined()
  })

  test('a change of an HDR clip leaves all samples but its own, bit for bit', async () => {
    const color = { primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc', range: 'limited' } as const
    const info = clipInfo({ width: 64, height: 48, pixelFormat: 'yuv422p10le', bitDepth: 10, color })
    const data = Uint16Array.from({ length: 64 * 48 * 3 }, (_, i) => 30_000 + 20_000 * Math.sin(i / 101))
    const make = await createVideo(at('hdr.mkv'), { like: info, codec: 'ffv1' })
    await make.write(
      bitmapFrame(
        { data, width: 64, height: 48, channels: 3 },
        { index: 0, pts: 0, timeBase: info.timeBase, name: '' },
      ),
    )
    await make.finish()
    const source = await openFrames(at('hdr.mkv'))
    const [frame] = await collect(source.frames())
    const sink = await createVideo(at('hdr-out.mkv'), { like: source, codec: 'ffv1' })
    const change = inverted(frame!)
    await sink.write(frame!, change)
    await sink.finish()
    const [after] = await collect((await openFrames(at('hdr-out.mkv'))).frames())
    const [was, is] = [frame!.samples!, after!.samples!]
    for (let y = 0; y < 48; y++)
      for (let x = 0; x < 64; x++) {
        const touched =
          x >= RECT.x + 2 && y >= RECT.y + 2 && x < RECT.x + RECT.width - 2 && y < RECT.y + RECT.height - 2
        const same =
          was.data![0]!.readUInt16LE(y * was.linesize[0]! + 2 * x) ===
          is.data![0]!.readUInt16LE(y * is.linesize[0]! + 2 * x)
        if (!touched) expect(same).toBe(true)
      }
    // What was painted is what is shown afterwards.
    const shown = after!.part(RECT, 1, 'own').bitmap
    const middle = (Math.floor(shown.height / 2) * shown.width + Math.floor(shown.width / 2)) * 3
    for (let k = 0; k < 3; k++)
      expect(Math.abs(shown.data[middle + k]! - change.bitmap.data[middle + k]!)).toBeLessThan(2500)
  })
})
