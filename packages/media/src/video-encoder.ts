import { DflError } from '@dfl/core'
import { type EncoderChoice, encoderChoices, type VideoOptions } from './codecs.js'
import { colorCodes } from './color.js'
import { libavError, unsupported } from './errors.js'
import { hdrSettings } from './hdr.js'
import type { AvCodecContext, AvPixelFormat, Libav } from './libav.js'
import { nearestFormat, PLANAR_FORMATS, traitsOf } from './pixel-formats.js'
import { toNumber } from './rational.js'
import type { VideoInfo } from './video-info.js'

/** An encoder that is open, and how pictures must come to it. */
export interface Encoder {
  context: AvCodecContext
  name: string
  pixelFormat: AvPixelFormat
  /** The format to paint in; pictures are converted to `pixelFormat` without loss after that. */
  paintFormat: AvPixelFormat
  /** The clip as it will be written: its colours and range are the source's, or BT.709 for images. */
  info: VideoInfo
}

/**
 * An encoder for pictures like those of `info`, in their own pixel format where it can; the caller frees it.
 *
 * Bits and chroma follow the source as far as the codec goes: where its size is odd, H.264 and H.265 get chroma for each
 * pixel. R'G'B' sources become luma and chroma of BT.709, 4:2:0 in the codecs that play everywhere; they stay R'G'B' where
 * the mode is lossless.
 *
 * @throws DflError `MISSING_DEPENDENCY` where this machine has no encoder for it; `UNSUPPORTED_MEDIA`.
 */
export async function openEncoder(
  libav: Libav,
  path: string,
  source: VideoInfo,
  options: VideoOptions & { globalHeader: boolean },
): Promise<Encoder> {
  const fromRgb = isRgbClip(source)
  const choices = encoderChoices({ ...options, fromRgb, bitDepth: source.bitDepth })
  const found = choices.flatMap((choice) => {
    const codec = libav.Codec.findEncoderByName(choice.name as never)
    return codec ? [{ choice, codec }] : []
  })
  const names = choices.map(({ name }) => name).join(', ')
  let failure: { code: number; name: string } | undefined
  for (const { choice, codec } of found) {
    const opened = await open(libav, { choice, codec, source, path, options, fromRgb })
    if ('context' in opened) return opened
    failure = opened
  }
  if (options.hardware)
    throw new DflError(
      'MISSING_DEPENDENCY',
      `Expected a graphics chip that encodes '${options.codec}' for \`hardware\`, but got none that works (tried: ${names || 'none, there is no such encoder'}). Leave it out to encode on the processor.`,
      { data: { codec: options.codec } },
    )
  if (failure) throw libavError(libav, failure.code, path, `starting the encoder ${failure.name}`)
  throw new DflError(
    'MISSING_DEPENDENCY',
    `Expected an encoder for '${options.codec}' in this machine's libav, but got none of ${names}. Choose another \`codec\`.`,
  )
}

/** Whether a clip's pictures are R'G'B', as images are. */
const isRgbClip = (info: VideoInfo) => info.color.matrix === 'gbr' || traitsOf(info.pixelFormat).kind === 'rgb'

interface Opening {
  choice: EncoderChoice
  codec: NonNullable<ReturnType<Libav['Codec']['findEncoderByName']>>
  source: VideoInfo
  path: string
  options: VideoOptions & { globalHeader: boolean }
  fromRgb: boolean
}

/** The encoder, started; or why it did not start. */
async function open(libav: Libav, opening: Opening): Promise<Encoder | { code: number; name: string }> {
  const { choice, codec, source, path, options, fromRgb } = opening
  const { name } = choice
  const keepsRgb = fromRgb && choice.rgb === true
  const takes = (codec.pixelFormats ?? []).map((format) => libav.avGetPixFmtName(format) ?? '')
  const gray =
    traitsOf(source.pixelFormat).kind === 'gray' &&
    !(choice.formats ?? takes).some((format) => format.startsWith('gray'))
  let info = (fromRgb && !keepsRgb) || gray ? asLuma(source, options.codec) : source
  // ProRes has no word for full range: whoever plays it takes it as limited.
  if (options.codec.startsWith('prores') && info.color.range === 'full')
    info = { ...info, color: { ...info.color, range: 'limited' } }
  const coded = info.rotationDegrees % 180 === 0 ? info : { width: info.height, height: info.width }
  const wholeChroma = options.codec === 'h264' || options.codec === 'h265'
  // Linear light is written as it is shown: 16 bits of light itself would be too few in the dark.
  if (info.color.transfer === 'linear' && fromRgb)
    info = { ...info, color: { ...info.color, transfer: 'iec61966-2-1' } }
  const kinds = keepsRgb ? ['rgb', 'gray'] : ['yuv', 'gray']
  const usable = takes.filter((format) => {
    if (choice.formats && !choice.formats.includes(format)) return false
    const { kind, chromaShiftX, chromaShiftY } = traitsOf(format)
    if (wholeChroma && (coded.width % (1 << chromaShiftX) > 0 || coded.height % (1 << chromaShiftY) > 0)) return false
    return kinds.includes(kind) && (format in PLANAR_FORMATS || format in PACKED)
  })
  const wanted = traitsOf(info.pixelFormat)
  const format = nearestFormat({ ...wanted, bitDepth: Math.min(16, wanted.bitDepth) }, usable)
  if (format === undefined)
    throw unsupported(path, 'an encoder for pictures like these', `'${name}'`, 'Choose another `codec`.')
  const context = new libav.CodecContext()
  context.allocContext3(codec)
  context.width = coded.width
  context.height = coded.height
  context.pixelFormat = libav.avGetPixFmtFromName(format)
  context.timeBase = rational(libav, info.timeBase)
  if (info.frameRate.num > 0) context.framerate = rational(libav, info.frameRate)
  if (info.sampleAspectRatio.num > 0) context.sampleAspectRatio = rational(libav, info.sampleAspectRatio)
  tag(libav, context, info, format)
  context.threadCount = 0
  const { AV_CODEC_FLAG_GLOBAL_HEADER, AV_CODEC_FLAG_FRAME_DURATION } = libav.constants
  if (options.globalHeader) context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER)
  if (codec.hasCapabilities(libav.constants.AV_CODEC_CAP_ENCODER_FLUSH)) context.setFlags(AV_CODEC_FLAG_FRAME_DURATION)
  const bitsPerPixel = choice.bitRate ?? (options.hardware ? 0.2 : undefined)
  if (bitsPerPixel !== undefined)
    context.bitRate = BigInt(Math.round(info.width * info.height * (toNumber(info.frameRate) || 25) * bitsPerPixel))
  const settings = { ...choice.settings, ...parameters(name, options.crf, info), ...fieldSettings(name, info) }
  if (name === 'dnxhd' && (info.width < 256 || info.height < 120)) {
    context.freeContext()
    throw unsupported(
      path,
      'pictures of at least 256 x 120 pixels for DNxHR',
      `${info.width} x ${info.height}`,
      'Choose another `codec`.',
    )
  }
  // SVT-AV1 writes what it does to the terminal: errors alone are wanted there.
  if (name === 'libsvtav1') process.env.SVT_LOG ??= '1'
  const code = await context.open2(codec, libav.Dictionary.fromObject(settings))
  if (code < 0) {
    context.freeContext()
    return { code, name }
  }
  const paintFormat = libav.avGetPixFmtFromName(PACKED[format] ?? format)
  return { context, name, pixelFormat: context.pixelFormat, paintFormat, info: { ...info, pixelFormat: format } }
}

/** Packed formats of encoders without planar ones, and the planar ones that they are made of without loss. */
const PACKED: Readonly<Record<string, string>> = {
  bgr0: 'gbrp',
  bgra: 'gbrap',
  rgb24: 'gbrp',
  nv12: 'yuv420p',
  p010le: 'yuv420p10le',
}

/** What the pictures say of their colours. */
function tag(libav: Libav, context: AvCodecContext, info: VideoInfo, format: string): void {
  const codes = colorCodes(info.color)
  context.colorPrimaries = codes.primaries as never
  context.colorTrc = codes.transfer as never
  context.colorSpace = codes.matrix as never
  context.colorRange = codes.range as never
  const { kind, chromaShiftX } = traitsOf(format)
  const { AVCHROMA_LOC_LEFT, AVCHROMA_LOC_CENTER, AVCHROMA_LOC_TOPLEFT, AVCHROMA_LOC_UNSPECIFIED } = libav.constants
  const sites = { left: AVCHROMA_LOC_LEFT, center: AVCHROMA_LOC_CENTER, topleft: AVCHROMA_LOC_TOPLEFT }
  context.chromaLocation = kind === 'yuv' && chromaShiftX ? sites[info.chromaSite] : AVCHROMA_LOC_UNSPECIFIED
}

/** Settings of an encoder that depend on the clip. */
function parameters(name: string, crf: number, info: VideoInfo): Record<string, string> {
  const hdr = info.hdr ? hdrSettings(name, info.hdr) : []
  if (name === 'libx265')
    return { 'x265-params': [...(crf === 0 ? ['lossless=1'] : []), ...hdr, 'log-level=none'].join(':') }
  if (name === 'libsvtav1' && hdr.length > 0) return { 'svtav1-params': hdr.join(':') }
  return {}
}

/** Encoders that write pictures as two fields. */
const OF_FIELDS = ['libx264', 'prores_ks']

/** What tells an encoder, and whoever plays what it writes, that pictures are of two fields, which would show as combs. */
function fieldSettings(name: string, { interlaced, topFieldFirst }: VideoInfo): Record<string, string> {
  if (!interlaced || !OF_FIELDS.includes(name)) return {}
  return { flags: '+ildct+ilme', field_order: topFieldFirst ? 'tt' : 'bb' }
}

/** The clip with the luma and chroma that its R'G'B' becomes. */
function asLuma(info: VideoInfo, codec: string): VideoInfo {
  const editing = codec.startsWith('prores') || codec.startsWith('dnxhr') || codec === 'ffv1'
  const depth = info.bitDepth > 8 ? '10le' : ''
  const alpha = editing && traitsOf(info.pixelFormat).alpha ? 'a' : ''
  const color = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', range: 'limited' } as const
  return { ...info, pixelFormat: `yuv${alpha}${editing ? '444' : '420'}p${depth}`, color, chromaSite: 'left' }
}

/** libav's own fraction object. */
export const rational = (libav: Libav, { num, den }: { num: number; den: number }) => new libav.Rational(num, den)
