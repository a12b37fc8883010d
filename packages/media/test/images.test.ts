import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bitmap } from '@dfl/core'
import { describe, expect, test } from 'vitest'
import { drawText, encodeImage, encodePhotoPng, IMAGE_FORMATS, imageSize, readImage, writeImage } from '../src/index.js'
import { picture, scratchFolder } from './media.js'

const folder = await scratchFolder()
const at = (name: string) => join(folder, name)

const meanError = (a: Bitmap, b: Bitmap) => {
  let sum = 0
  for (let i = 0; i < a.data.length; i++) sum += Math.abs(a.data[i]! - b.data[i]!)
  return sum / a.data.length
}

/** The length and type of an EXIF block that says nothing but the orientation. */
function withOrientation(jpeg: Buffer, orientation: number): Buffer {
  const exif = Buffer.from('ffe100224578696600004d4d002a00000008000101120003000000010000000000000000', 'hex')
  exif.writeUInt16BE(orientation, 28)
  return Buffer.concat([jpeg.subarray(0, 2), exif, jpeg.subarray(2)])
}

describe('readImage and writeImage', () => {
  test.each(['a.png', 'a.tiff', 'a.tif'])('give RGB bytes back exactly (%s)', async (name) => {
    await writeImage(at(name), picture(37, 21))
    expect(await readImage(at(name))).toEqual(picture(37, 21))
  })

  test('give bytes back exactly in WebP at quality 100, and closely in WebP and JPEG', async () => {
    const truth = picture(64, 48)
    expect(await readImage(await encodeImage(truth, 'webp', { quality: 100 }))).toEqual(truth)
    expect(meanError(await readImage(await encodeImage(truth, 'webp')), truth)).toBeLessThan(3)
    expect(meanError(await readImage(await encodeImage(truth, 'jpg')), truth)).toBeLessThan(1.5)
  })

  test.each(IMAGE_FORMATS)('keep a gray image gray (%s)', async (format) => {
    const truth = picture(40, 30, 0, 1)
    const bytes = await encodeImage(truth, format, { quality: 100 })
    expect(meanError(await readImage(bytes, { channels: 1 }), truth)).toBeLessThan(1)
    const rgb = await readImage(bytes)
    expect(rgb.channels).toBe(3)
    expect(rgb.data[0]).toBe(rgb.data[2])
  })

  test.each([1, 3] as const)('give a photograph of %i channels back exactly', async (channels) => {
    const photo = picture(61, 47, 0, channels)
    const bytes = await encodePhotoPng(photo)
    expect(await readImage(bytes, { channels })).toEqual(photo)
    expect(await imageSize(bytes)).toEqual({ width: 61, height: 47 })
  })

  test('refuse what is no photograph of bytes', async () => {
    const wide: Bitmap = { data: new Uint16Array(12), width: 2, height: 2, channels: 3 }
    await expect(encodePhotoPng(wide)).rejects.toThrow(
      'Expected bytes of 2 x 2 pixels of 1 or 3 channels for `photo`, but got 12 words of 3. Use encodeImage().',
    )
  })

  test.each(['png', 'tiff'] as const)('keep 16 bits when asked to (%s)', async (format) => {
    const data = Uint16Array.from({ length: 16 * 8 * 3 }, (_, i) => (i * 7919) % 65536)
    const truth: Bitmap = { data, width: 16, height: 8, channels: 3 }
    const bytes = await encodeImage(truth, format, { bits: '16' })
    expect(await readImage(bytes, { keep16: true })).toEqual(truth)
    const narrow = await readImage(bytes)
    expect(narrow.data).toBeInstanceOf(Uint8Array)
    expect(meanError(narrow, { ...truth, data: Uint8Array.from(data, (value) => value / 257) })).toBeLessThan(1)
  })

  test('keep 16 bits of a gray image', async () => {
    const data = Uint16Array.from({ length: 16 * 8 }, (_, i) => (i * 7919) % 65536)
    const truth: Bitmap = { data, width: 16, height: 8, channels: 1 }
    expect(await readImage(await encodeImage(truth, 'png', { bits: '16' }), { channels: 1, keep16: true })).toEqual(
      truth,
    )
  })

  test('round and clamp pixels for computing', async () => {
    const data = Float32Array.from([-1, 0, 0.5, 1, 2, 0.25])
    const image = await readImage(await encodeImage({ data, width: 2, height: 1, channels: 3 }, 'png'))
    expect([...image.data]).toEqual([0, 0, 128, 255, 255, 64])
  })

  test('drop alpha, or keep it when asked to', async () => {
    const data = Uint8Array.from([10, 20, 30, 40, 50, 60, 70, 80])
    const bytes = await encodeImage({ data, width: 2, height: 1, channels: 4 }, 'png')
    expect([...(await readImage(bytes)).data]).toEqual([10, 20, 30, 50, 60, 70])
    expect([...(await readImage(bytes, { channels: 4 })).data]).toEqual([...data])
    const opaque = await encodeImage(picture(3, 2), 'png')
    expect((await readImage(opaque, { channels: 4 })).data[3]).toBe(255)
  })

  test('turn a photo upright as its EXIF orientation asks, size included', async () => {
    const sideways = withOrientation(await encodeImage(picture(60, 40), 'jpg'), 6)
    expect(await imageSize(sideways)).toEqual({ width: 40, height: 60 })
    const upright = await readImage(sideways)
    expect(upright).toMatchObject({ width: 40, height: 60 })
    const plain = await readImage(await encodeImage(picture(60, 40), 'jpg'))
    const [x, y] = [7, 11] // of the stored picture; turned clockwise it is at (39 - y, x)
    for (let k = 0; k < 3; k++) expect(upright.data[(x * 40 + 39 - y) * 3 + k]).toBe(plain.data[(y * 60 + x) * 3 + k])
  })

  test('say in one sentence what is wrong', async () => {
    await writeFile(at('empty.png'), '')
    await writeFile(at('text.png'), 'no image')
    await writeFile(at('drawing.png'), '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>')
    await writeFile(at('cut.png'), (await encodeImage(picture(200, 200), 'png')).subarray(0, 2000))
    await expect(readImage(at('none.png'))).rejects.toMatchObject({ code: 'NO_SUCH_FILE' })
    await expect(readImage(at('empty.png'))).rejects.toThrow(
      `Expected an image for \`${at('empty.png')}\`, but got an empty file. Give a whole PNG, JPEG, WebP, TIFF or EXR file.`,
    )
    await expect(readImage(at('text.png'))).rejects.toThrow(
      `Expected an image for \`${at('text.png')}\`, but got something that cannot be read (`,
    )
    await expect(readImage(at('drawing.png'))).rejects.toThrow("but got a file of type 'svg'.")
    await expect(readImage(at('cut.png'))).rejects.toMatchObject({ code: 'UNSUPPORTED_MEDIA' })
    await expect(writeImage(at('a.bmp'), picture(2, 2))).rejects.toThrow("but got '.bmp'. Rename it.")
    await expect(encodeImage(picture(2, 2), 'jpg', { bits: '16' })).rejects.toThrow(
      "Expected '8' for `bits` in a jpg image, but got '16'. Write png or tiff to keep 16 bits.",
    )
    await expect(encodeImage({ ...picture(2, 2), width: 3 }, 'png')).rejects.toThrow(
      'Expected 3 x 2 x 3 samples for `raster.data`, but got 12. Check its size.',
    )
  })

  test('refuse a small file that claims to be a huge picture', async () => {
    const bomb = Buffer.from(await encodeImage(picture(4, 4), 'png'))
    bomb.writeUInt32BE(60_000, 16)
    bomb.writeUInt32BE(60_000, 20)
    bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29)
    await expect(readImage(bomb)).rejects.toThrow(
      'Expected an image of at most 268435456 pixels for `the given bytes`, but got 60000 x 60000. Scale it down first.',
    )
  })

  test('leave no half-written files beside the image', async () => {
    await writeImage(at('only.png'), picture(5, 5))
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([])
    expect((await readFile(at('only.png'))).subarray(1, 4).toString()).toBe('PNG')
  })
})

/** Source: PNG specification, annex D. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}

describe('drawText', () => {
  test('draws only where the text stands, and takes any characters as text', async () => {
    const data = new Uint8Array(200 * 60).fill(90)
    const drawn = await drawText({ data, width: 200, height: 60, channels: 1 }, [
      { text: '<b> & "é"', x: 10, y: 30, sizePx: 20, rgb: [255, 0, 0] },
    ])
    expect(drawn).toMatchObject({ width: 200, height: 60, channels: 3 })
    let [red, below] = [0, 0]
    for (let i = 0; i < drawn.data.length; i += 3) {
      if (drawn.data[i]! > 200 && drawn.data[i + 1]! < 60) red++
      if (i >= 200 * 45 * 3 && drawn.data[i] !== 90) below++
    }
    expect(red).toBeGreaterThan(50)
    expect(below).toBe(0)
  })
})
