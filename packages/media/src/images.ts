import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { type Bitmap, DflError, defineOptions, type OptionsOf, type Raster, resolveOptions } from '@dfl/core'
import { writeFileAtomic } from '@dfl/core/files'
import { noSuchFile, unsupported } from './errors.js'
import { exrSize } from './exr.js'
import { isExr } from './exr-layout.js'
import { encodeSamples, floatSamples, shownBox } from './image-samples.js'
import { toBytes } from './planes-to-words.js'
import { plainPngSize } from './png-chunks.js'
import { type ImageMetadata, type ImagePipeline, loadSharp } from './sharp.js'
import { floatTiffSize, isFloatTiff } from './tiff-float.js'

/** The formats that can be written. */
export const IMAGE_FORMATS = ['png', 'jpg', 'webp', 'tiff', 'exr'] as const
/** File formats that images are written in. */
export type ImageFormat = (typeof IMAGE_FORMATS)[number]

/** The endings that count as images in a folder of frames. */
const IMAGE_EXTENSIONS = ['.png', '.jpg', '.jpeg', '.webp', '.tif', '.tiff', '.exr'] as const

/** Larger images are refused: a small hostile file can unpack to terabytes. */
const MAX_PIXELS = 2 ** 28
/** Formats that are pictures and nothing else; SVG and PDF are programs of a kind. */
const READABLE = ['png', 'jpeg', 'webp', 'tiff', 'gif', 'heif']

/** How images are written. */
export const IMAGE_OPTIONS = defineOptions({
  quality: {
    type: 'number',
    default: 95,
    min: 1,
    max: 100,
    integer: true,
    description: 'Quality of JPEG and WebP; WebP at 100 is lossless.',
  },
  bits: {
    type: 'choice',
    default: '8',
    choices: ['8', '16'],
    description: 'Bits of a sample; 16 in PNG and TIFF only.',
  },
})
/** How an image is encoded. */
export type ImageOptions = OptionsOf<typeof IMAGE_OPTIONS>

/** What to keep of an image that is read. */
export interface ReadImageOptions {
  /** 3: RGB, alpha dropped (default). 4: RGB and alpha. 1: luminance, for masks. */
  channels?: 1 | 3 | 4
  /** Keeps the 16 bits of a 16-bit PNG or TIFF: `data` is then a Uint16Array. Others still come as bytes. */
  keep16?: boolean
}

/**
 * The image as sRGB bytes [H, W, C], turned upright as its EXIF orientation asks.
 *
 * An embedded colour profile is converted to sRGB; linear light (EXR, float TIFF) is shown as `toneOf` says, alpha lost.
 *
 * @param source Path of an image file, or the bytes of one.
 * @throws DflError `NO_SUCH_FILE`; `UNSUPPORTED_MEDIA` for anything that is not a whole image, or one too large.
 */
export async function readImage(source: string | Uint8Array, options: ReadImageOptions = {}): Promise<Bitmap> {
  const { channels = 3, keep16 = false } = options
  const path = typeof source === 'string' ? source : GIVEN
  const bytes = typeof source === 'string' ? await readBytes(source) : source
  const floats = await floatSamples(bytes, path)
  if (floats) {
    const words = shownBox(floats, { left: 0, top: 0, right: floats.width, bottom: floats.height })
    const bitmap = keep16 ? words : toBytes(words)
    return withChannels(bitmap.data, bitmap.width, bitmap.height, 3, channels)
  }
  return opened(path, bytes, async (image, metadata) => {
    const wide = keep16 && metadata.depth === 'ushort'
    let pipeline = image.autoOrient()
    pipeline = channels === 4 ? pipeline.ensureAlpha() : pipeline.removeAlpha()
    if (channels === 1) pipeline = pipeline.toColourspace(wide ? 'grey16' : 'b-w')
    else pipeline = pipeline.toColourspace(wide ? 'rgb16' : 'srgb')
    const { data, info } = await pipeline
      .raw({ depth: wide ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true })
    const samples = wide ? new Uint16Array(copyOf(data)) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    return withChannels(samples, info.width, info.height, info.channels, channels)
  })
}

/**
 * Size of an image in pixels, upright, without decoding it.
 *
 * @param source Path of an image file, or the bytes of one.
 */
export async function imageSize(source: string | Uint8Array): Promise<{ width: number; height: number }> {
  const path = typeof source === 'string' ? source : GIVEN
  const bytes = typeof source === 'string' ? await readBytes(source) : source
  if (isExr(bytes)) return exrSize(bytes, path)
  if (isFloatTiff(bytes)) return floatTiffSize(bytes)
  const plain = plainPngSize(bytes)
  if (plain && plain.width * plain.height <= MAX_PIXELS) return plain
  return opened(path, bytes, async (_, metadata) => {
    const { width, height } = metadata.autoOrient
    return { width, height }
  })
}

/**
 * The bytes of an image file.
 *
 * @param raster [H, W, C]: bytes, 16-bit words, or float32 0..1 (clamped and rounded).
 */
export async function encodeImage(
  raster: Raster,
  format: ImageFormat,
  options: Partial<ImageOptions> = {},
): Promise<Buffer> {
  const { quality, bits } = resolveOptions(IMAGE_OPTIONS, options)
  const wide = bits === '16'
  if (wide && format !== 'png' && format !== 'tiff' && format !== 'exr')
    throw new DflError(
      'BAD_OPTION',
      `Expected '8' for \`bits\` in a ${format} image, but got '16'. Write png or tiff to keep 16 bits.`,
    )
  const { width, height, channels } = raster
  if (raster.data.length !== width * height * channels)
    throw new DflError(
      'BAD_SHAPE',
      `Expected ${width} x ${height} x ${channels} samples for \`raster.data\`, but got ${raster.data.length}. Check its size.`,
    )
  if (format === 'exr') return encodeSamples({ data: quantised(raster, true), width, height, channels }, format)
  return encodeRaw({ data: quantised(raster, wide), width, height, channels }, format, quality)
}

/** The bytes of an image file with the samples as they are. */
export async function encodeRaw(
  {
    data,
    width,
    height,
    channels,
  }: { data: Uint8Array | Uint16Array; width: number; height: number; channels: 1 | 2 | 3 | 4 },
  format: Exclude<ImageFormat, 'exr'>,
  quality: number = IMAGE_OPTIONS.quality.default,
): Promise<Buffer> {
  const sharp = await loadSharp()
  let image = sharp(data, { raw: { width, height, channels } })
  if (data instanceof Uint16Array) image = image.toColourspace(channels < 3 ? 'grey16' : 'rgb16')
  else if (channels < 3) image = image.toColourspace('b-w')
  switch (format) {
    case 'png':
      return image.png({ compressionLevel: 2, adaptiveFiltering: true }).toBuffer()
    case 'jpg':
      return image.jpeg({ quality, chromaSubsampling: '4:4:4' }).toBuffer()
    case 'webp':
      return image.webp(quality === 100 ? { lossless: true, effort: 2 } : { quality }).toBuffer()
    case 'tiff':
      return image.tiff({ compression: 'deflate', predictor: 'horizontal' }).toBuffer()
  }
}

/** Writes an image file in the format of its ending, so that a crash leaves the old one or the new one. */
export async function writeImage(path: string, raster: Raster, options: Partial<ImageOptions> = {}): Promise<void> {
  await writeFileAtomic(path, await encodeImage(raster, imageFormatOf(path), options))
}

/** The image format that a path's ending names. */
export function imageFormatOf(path: string): ImageFormat {
  const ending = extname(path)
    .toLowerCase()
    .replace('.jpeg', '.jpg')
    .replace(/^\.tif$/, '.tiff')
    .slice(1)
  if ((IMAGE_FORMATS as readonly string[]).includes(ending)) return ending as ImageFormat
  throw unsupported(path, `a name ending in ${IMAGE_EXTENSIONS.join(', ')}`, `'${extname(path)}'`, 'Rename it.')
}

/** Whether a path's ending names an image. */
export const isImagePath = (path: string) =>
  (IMAGE_EXTENSIONS as readonly string[]).includes(extname(path).toLowerCase())

/** What messages call an image that came as bytes. */
const GIVEN = 'the given bytes'

/** Runs `use` on an image that was found readable and small enough; failures come in this project's words. */
export async function opened<T>(
  path: string,
  bytes: Uint8Array,
  use: (image: ImagePipeline, metadata: ImageMetadata) => Promise<T>,
  { ignoreIcc = false }: { ignoreIcc?: boolean } = {},
): Promise<T> {
  const sharp = await loadSharp()
  const advice = 'Give a whole PNG, JPEG, WebP, TIFF or EXR file.'
  if (bytes.length === 0) throw unsupported(path, 'an image', 'an empty file', advice)
  try {
    const image = sharp(bytes, { failOn: 'error', limitInputPixels: false, ignoreIcc })
    const metadata = await image.metadata()
    if (!READABLE.includes(metadata.format))
      throw unsupported(path, 'an image', `a file of type '${metadata.format}'`, advice)
    const { width, height } = metadata
    if (width * height > MAX_PIXELS)
      throw unsupported(
        path,
        `an image of at most ${MAX_PIXELS} pixels`,
        `${width} x ${height}`,
        'Scale it down first.',
      )
    return await use(image, metadata)
  } catch (error) {
    if (error instanceof DflError) throw error
    const reason = (error as Error).message.split('\n')[0]
    throw unsupported(path, 'an image', `something that cannot be read ('${reason}')`, advice, error)
  }
}

/** Read by us and not by libvips, which maps files and keeps them open: on Windows they could not be replaced. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw noSuchFile(path, error)
    throw error
  }
}

const copyOf = (data: Buffer): ArrayBuffer => {
  const copy = new ArrayBuffer(data.byteLength)
  new Uint8Array(copy).set(data)
  return copy
}

/** sharp gives one channel for gray images and keeps what it likes: brings them to the wanted number. */
function withChannels(
  data: Uint8Array | Uint16Array,
  width: number,
  height: number,
  has: number,
  wanted: 1 | 3 | 4,
): Bitmap {
  if (has === wanted) return { data, width, height, channels: wanted }
  const full = data instanceof Uint16Array ? 0xffff : 0xff
  const count = width * height
  const out = data instanceof Uint16Array ? new Uint16Array(count * wanted) : new Uint8Array(count * wanted)
  for (let i = 0; i < count; i++)
    for (let k = 0; k < wanted; k++) {
      const alpha = k === 3
      if (alpha) out[i * wanted + 3] = has % 2 === 0 ? data[i * has + has - 1]! : full
      else out[i * wanted + k] = data[i * has + (has < 3 ? 0 : k)]!
    }
  return { data: out, width, height, channels: wanted }
}

/** Samples as sharp takes them: bytes, or 16-bit words. */
function quantised({ data }: Raster, wide: boolean): Uint8Array | Uint16Array {
  if (data instanceof Uint8Array) return wide ? Uint16Array.from(data, (value) => value * 257) : data
  if (data instanceof Uint16Array) return wide ? data : Uint8Array.from(data, (value) => (value * 255 + 32767) / 65535)
  const out = wide ? new Uint16Array(data.length) : new Uint8ClampedArray(data.length)
  if (wide) for (let i = 0; i < data.length; i++) out[i] = Math.min(1, Math.max(0, data[i]!)) * 65535 + 0.5
  else for (let i = 0; i < data.length; i++) out[i] = data[i]! * 255
  return out instanceof Uint8ClampedArray ? new Uint8Array(out.buffer) : out
}
