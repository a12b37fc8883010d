import type { Bitmap } from '@dfl/core'
import { decodeExr, encodeExr } from './exr.js'
import { isExr } from './exr-layout.js'
import { encodeRaw, type ImageFormat, opened, readBytes, readImage } from './images.js'
import type { Box } from './planes.js'
import { keepPngChunks } from './png-chunks.js'
import type { ImageMetadata, ImagePipeline } from './sharp.js'
import { decodeFloatTiff, encodeFloatTiff, isFloatTiff } from './tiff-float.js'
import { displayToLinear, linearToDisplay } from './tone.js'

/**
 * What an image file holds, upright and otherwise as it is: [height, width, channels], in its own colours.
 *
 * Bytes and words are R'G'B' or gray; floats are linear light, 1 being white, of any size. The last of two or four
 * channels is alpha.
 */
export interface ImageSamples {
  data: Uint8Array | Uint16Array | Float32Array
  width: number
  height: number
  channels: 1 | 2 | 3 | 4
  /** Whether floats came as 16-bit ones. */
  half?: boolean
}

/** An image of a folder: its samples, and what it shows where an embedded profile says that this is something else. */
export interface OpenedImage {
  samples: ImageSamples
  /** [H, W, 3] sRGB bytes. */
  shown?: Bitmap
}

/**
 * The samples of an image file, without loss; those of one in CMYK or Lab as sRGB.
 *
 * @throws DflError `NO_SUCH_FILE`; `UNSUPPORTED_MEDIA` for anything that is not a whole image, or one too large.
 */
export async function readSamples(path: string): Promise<OpenedImage> {
  const bytes = await readBytes(path)
  const floats = await floatSamples(bytes, path)
  if (floats) return { samples: floats }
  const read = async (image: ImagePipeline, { depth, space, hasProfile }: ImageMetadata) => {
    if (!['srgb', 'rgb', 'rgb16', 'b-w', 'grey16'].includes(space)) return undefined
    const gray = space === 'b-w' || space === 'grey16'
    const wide = depth === 'ushort'
    const { data, info } = await image
      .autoOrient()
      .toColourspace(gray ? (wide ? 'grey16' : 'b-w') : wide ? 'rgb16' : 'srgb')
      .raw({ depth: wide ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true })
    const { width, height, channels } = info
    const samples = { data: wide ? wordsOf(data) : new Uint8Array(data), width, height, channels }
    return { samples, hasProfile }
  }
  const own = await opened(path, bytes, read, { ignoreIcc: true })
  if (!own) return { samples: await readImage(bytes, { keep16: true }) }
  const { samples, hasProfile } = own
  return hasProfile ? { samples, shown: await readImage(bytes) } : { samples }
}

/** The samples of an image file of floats; nothing for others. */
export async function floatSamples(bytes: Uint8Array, path: string): Promise<ImageSamples | undefined> {
  if (isExr(bytes)) return decodeExr(bytes, path)
  return isFloatTiff(bytes) ? decodeFloatTiff(bytes, path) : undefined
}

/** A box of an image as [h, w, 3] display-referred bytes, or 16-bit words where it holds more. */
export function shownBox(image: ImageSamples, { left, top, right, bottom }: Box): Bitmap {
  const { data, channels } = image
  const [width, height] = [right - left, bottom - top]
  const length = width * height * 3
  const out = data instanceof Uint8Array ? new Uint8Array(length) : new Uint16Array(length)
  const floats = data instanceof Float32Array
  const gray = channels < 3
  for (let y = 0, o = 0; y < height; y++) {
    let i = ((top + y) * image.width + left) * channels
    for (let x = 0; x < width; x++, i += channels, o += 3)
      for (let k = 0; k < 3; k++) {
        const value = data[gray ? i : i + k]!
        out[o + k] = floats ? linearToDisplay(value) : value
      }
  }
  return { data: out, width, height, channels: 3 }
}

/** Size and kind of an image file, as `VideoInfo` has them. */
export async function describeImage(path: string) {
  const bytes = await readBytes(path)
  const floats = await floatSamples(bytes, path)
  const { width, height, channels, bitDepth } = floats
    ? { ...floats, bitDepth: 32 }
    : await opened(path, bytes, async (_, { autoOrient, channels, depth }) => ({
        ...autoOrient,
        channels,
        bitDepth: depth === 'ushort' ? 16 : 8,
      }))
  const kind = ['gray', 'ya', 'rgb', 'rgba'][channels - 1] ?? 'rgb'
  const pixelFormat = floats
    ? { gray: 'grayf32le', ya: 'yaf32le', rgb: 'gbrpf32le', rgba: 'gbrapf32le' }[kind]!
    : {
        gray: `gray${bitDepth === 8 ? '' : '16le'}`,
        ya: `ya${bitDepth}${bitDepth === 8 ? '' : 'le'}`,
        rgb: bitDepth === 8 ? 'rgb24' : 'rgb48le',
        rgba: bitDepth === 8 ? 'rgba' : 'rgba64le',
      }[kind]!
  return { width, height, bitDepth, pixelFormat, linear: floats !== undefined }
}

/** What is painted on an image. */
export interface ImagePainting {
  /** [h, w, 3] bytes or 16-bit words, as they are shown. */
  bitmap: Bitmap
  /** The same before it was changed; without it all pixels of the boxes count as changed. */
  before?: Bitmap | undefined
  /** Column and row of the image at which the bitmap begins. */
  x: number
  y: number
  /** Inside the bitmap, in pixels of the image. */
  boxes: readonly Box[]
}

/** A copy of an image with the pixels of the boxes painted that differ; all others, and alpha, keep their samples. */
export function paintSamples(image: ImageSamples, { bitmap, before, x, y, boxes }: ImagePainting): ImageSamples {
  const data = image.data.slice()
  const { channels } = image
  const now = bitmap.data
  const old = before?.data
  const words = now instanceof Uint16Array
  const put = (at: number, value: number) => {
    if (data instanceof Float32Array) data[at] = displayToLinear(words ? value : value * 257)
    else if (data instanceof Uint16Array) data[at] = Math.round(words ? value : value * 257)
    else data[at] = Math.round(words ? value / 257 : value)
  }
  for (const { left, top, right, bottom } of boxes)
    for (let row = top; row < bottom; row++) {
      let i = (row * image.width + left) * channels
      let p = ((row - y) * bitmap.width + left - x) * 3
      for (let column = left; column < right; column++, i += channels, p += 3) {
        if (old && now[p] === old[p] && now[p + 1] === old[p + 1] && now[p + 2] === old[p + 2]) continue
        if (channels < 3) put(i, 0.2126 * now[p]! + 0.7152 * now[p + 1]! + 0.0722 * now[p + 2]!)
        else for (let k = 0; k < 3; k++) if (now[p + k] !== old?.[p + k]) put(i + k, now[p + k]!)
      }
    }
  return { ...image, data }
}

/**
 * The bytes of an image file that holds the samples with all the bits that its format can: 16 in PNG and TIFF, floats in
 * TIFF and EXR, 8 elsewhere.
 *
 * @param like Bytes of the file that they come from, for what else stands in it.
 */
export async function encodeSamples(
  image: ImageSamples,
  format: ImageFormat,
  { quality, like }: { quality?: number | undefined; like?: Uint8Array | undefined } = {},
): Promise<Buffer> {
  if (format === 'exr') return encodeExr(toLinear(image))
  if (image.data instanceof Float32Array) {
    const { width, height, channels } = image
    if (format === 'tiff') return encodeFloatTiff({ data: image.data, width, height, channels })
    return encodeSamples(displayed({ ...image, data: image.data }), format, { quality, like })
  }
  const raw = { ...image, data: format === 'jpg' || format === 'webp' ? bytesOf(image.data) : image.data }
  const encoded = await encodeRaw(raw, format, quality)
  return format === 'png' && like ? keepPngChunks(like, encoded) : encoded
}

/** The same image as linear floats. */
export function toLinear(image: ImageSamples): ImageSamples & { data: Float32Array } {
  const { data, channels } = image
  if (data instanceof Float32Array) return { ...image, data }
  const scale = data instanceof Uint8Array ? 257 : 1
  const light = Float32Array.from({ length: 65536 }, (_, word) => displayToLinear(word))
  const alpha = channels % 2 === 0
  const out = Float32Array.from(data, (value, i) =>
    alpha && i % channels === channels - 1 ? (value * scale) / 65535 : light[value * scale]!,
  )
  return { ...image, data: out }
}

/** The same image as display-referred words. */
function displayed(image: ImageSamples & { data: Float32Array }): ImageSamples {
  const { data, channels } = image
  const alpha = channels % 2 === 0
  const out = Uint16Array.from(data, (value, i) =>
    alpha && i % channels === channels - 1 ? Math.min(1, Math.max(0, value)) * 65535 + 0.5 : linearToDisplay(value),
  )
  return { ...image, data: out }
}

const bytesOf = (data: Uint8Array | Uint16Array): Uint8Array =>
  data instanceof Uint8Array ? data : Uint8Array.from(data, (value) => (value * 255 + 32767) / 65535)

function wordsOf(data: Buffer): Uint16Array {
  const copy = new Uint16Array(data.byteLength >> 1)
  new Uint8Array(copy.buffer).set(data)
  return copy
}
