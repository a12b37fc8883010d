import { DflError, defineOptions, type OptionsOf } from '@dfl/core'
import { colorCodes } from './color.js'
import { check, unsupported } from './errors.js'
import type { AvCodecContext, AvPixelFormat, Libav } from './libav.js'
import { PLANAR_FORMATS } from './planes.js'
import { toNumber } from './rational.js'
import { nearestPlanar } from './video-frame.js'
import type { VideoInfo } from './video-info.js'

/** How videos are written. */
export const VIDEO_OPTIONS = defineOptions({
  codec: {
    type: 'choice',
    default: 'h264',
    choices: ['h264', 'h265', 'ffv1', 'prores'],
    description: 'h264 plays everywhere; ffv1 (in .mkv) is lossless; prores (in .mov) is for editing.',
  },
  crf: {
    type: 'number',
    default: 16,
    min: 0,
    max: 51,
    integer: true,
    description: 'Quality of h264 and h265: 0 is lossless, 16 is hard to tell from the source, 23 is small.',
  },
  preset: {
    type: 'choice',
    default: 'veryfast',
    choices: ['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium', 'slow', 'slower', 'veryslow'],
    description: 'How long h264 and h265 search: slower makes smaller files of the same quality.',
  },
})
/** How a video is encoded. */
export type VideoOptions = OptionsOf<typeof VIDEO_OPTIONS>

/** libav's encoders for each codec, best first: builds of libav differ between machines. */
const ENCODERS: Readonly<Record<string, readonly string[]>> = {
  h264: ['libx264', 'h264_videotoolbox', 'h264_mf', 'libopenh264'],
  h265: ['libx265', 'hevc_videotoolbox', 'hevc_mf'],
  ffv1: ['ffv1'],
  prores: ['prores_ks'],
}

/** An encoder that is open, and how pictures must come to it. */
export interface Encoder {
  context: AvCodecContext
  name: string
  pixelFormat: AvPixelFormat
  /** The clip as it will be written: its colours and range are the source's, or BT.709 for images. */
  info: VideoInfo
}

/**
 * An encoder for pictures like those of `info`, in their own pixel format where it can; the caller frees it.
 *
 * Samples of more than 8 bits stay as they are where the codec takes them (h264, h265 and ffv1 take 10 bits) and are
 * rounded to what it takes elsewhere. RGB sources become 4:2:0, or 4:4:4 where their size is odd or the codec is
 * lossless.
 */
export async function openEncoder(
  libav: Libav,
  path: string,
  source: VideoInfo,
  options: VideoOptions & { globalHeader: boolean },
): Promise<Encoder> {
  const { codec: wanted, crf, preset } = options
  const candidates = ENCODERS[wanted]!
  const codec = candidates.map((name) => libav.Codec.findEncoderByName(name as never)).find((found) => found !== null)
  if (!codec)
    throw new DflError(
      'MISSING_DEPENDENCY',
      `Expected an encoder for '${wanted}' in this machine's libav, but got none of ${candidates.join(', ')}. Choose another \`codec\`.`,
    )
  const name = codec.name!
  const info = asWritten(source, wanted)
  const coded = info.rotationDegrees % 180 === 0 ? info : { width: info.height, height: info.width }
  const takes = (codec.pixelFormats ?? []).map((format) => libav.avGetPixFmtName(format) ?? '')
  const usable = takes.filter((format) => format in PLANAR_FORMATS)
  if (usable.length === 0)
    throw unsupported(path, 'an encoder for planar pictures', `'${name}'`, 'Choose another `codec`.')
  const pixelFormat = nearestPlanar(libav, libav.avGetPixFmtFromName(info.pixelFormat), usable)
  const context = new libav.CodecContext()
  context.allocContext3(codec)
  context.width = coded.width
  context.height = coded.height
  context.pixelFormat = pixelFormat
  context.timeBase = rational(libav, info.timeBase)
  if (info.frameRate.num > 0) context.framerate = rational(libav, info.frameRate)
  if (info.sampleAspectRatio.num > 0) context.sampleAspectRatio = rational(libav, info.sampleAspectRatio)
  const codes = colorCodes(info.color)
  context.colorPrimaries = codes.primaries as never
  context.colorTrc = codes.transfer as never
  context.colorSpace = codes.matrix as never
  context.colorRange = codes.range as never
  context.threadCount = 0
  const { AV_CODEC_FLAG_GLOBAL_HEADER, AV_CODEC_FLAG_FRAME_DURATION } = libav.constants
  if (options.globalHeader) context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER)
  if (codec.hasCapabilities(libav.constants.AV_CODEC_CAP_ENCODER_FLUSH)) context.setFlags(AV_CODEC_FLAG_FRAME_DURATION)
  const tuned = name === 'libx264' || name === 'libx265'
  if (!tuned && wanted.startsWith('h26'))
    context.bitRate = BigInt(Math.round(info.width * info.height * (toNumber(info.frameRate) || 25) * 0.2))
  const settings: Record<string, string> = tuned ? { crf: String(crf), preset } : {}
  if (name === 'libx265') settings['x265-params'] = crf === 0 ? 'lossless=1:log-level=none' : 'log-level=none'
  if (name === 'ffv1') Object.assign(settings, { level: '3', slices: '4', slicecrc: '1' })
  try {
    check(
      libav,
      await context.open2(codec, libav.Dictionary.fromObject(settings)),
      path,
      `starting the encoder ${name}`,
    )
  } catch (error) {
    context.freeContext()
    throw error
  }
  return { context, name, pixelFormat, info: { ...info, pixelFormat: libav.avGetPixFmtName(pixelFormat)! } }
}

/** The clip with a pixel format and colours that a video can have. */
function asWritten(info: VideoInfo, codec: string): VideoInfo {
  if (info.color.matrix !== 'gbr' && !/rgb|bgr|gbr|pal8|mono/.test(info.pixelFormat)) return info
  const full = codec === 'ffv1' || info.width % 2 !== 0 || info.height % 2 !== 0
  const color = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', range: 'limited' } as const
  return { ...info, pixelFormat: full ? 'yuv444p' : 'yuv420p', color, chromaSite: 'left' }
}

/** libav's own fraction object. */
export const rational = (libav: Libav, { num, den }: { num: number; den: number }) => new libav.Rational(num, den)
