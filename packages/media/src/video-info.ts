import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type ColorTags, colorTags } from './color.js'
import { check, noSuchFile, unsupported } from './errors.js'
import { type HdrInfo, hdrOfFrame, hdrOfStream } from './hdr.js'
import { type AvFormatContext, type AvStream, type Libav, loadLibav } from './libav.js'
import { traitsOf } from './pixel-formats.js'
import { type Rational, toNumber } from './rational.js'
import { type Rotation, rotationOf } from './turn.js'

/** One sound track. */
export interface AudioInfo {
  codec: string
  sampleRate: number
  channels: number
  /** ISO 639 code, where the file says it. */
  language?: string
}

/** What is known of a clip before its frames are read. */
export interface VideoInfo {
  path: string
  /** Size of every frame's `bitmap` in pixels: upright, so sideways phone footage has them swapped. */
  width: number
  height: number
  /** How far the stored pictures are turned clockwise to be upright; frames come turned, videos are written as stored. */
  rotationDegrees: Rotation
  /** The container's display matrix where it has one: nine numbers, 16.16 fixed point. */
  displayMatrix?: readonly number[]
  /** Width to height of one pixel; 0/1 where the file does not say. Bitmaps are not stretched by it. */
  sampleAspectRatio: Rational
  /** Average frames per second. */
  frameRate: Rational
  /** Guessed from the rates that the container names, without reading all packets. */
  variableFrameRate: boolean
  /** From the container's index, or else duration times frame rate: an estimate if `frameCountIsEstimate`. */
  frameCount: number
  frameCountIsEstimate: boolean
  durationSeconds: number
  /** Seconds per tick of the frames' `pts`. */
  timeBase: Rational
  codec: string
  /** As libav names it: 'yuv420p', 'yuv420p10le'; 'rgb24' for image files. */
  pixelFormat: string
  /** Of one sample: 8, 10, 12 … */
  bitDepth: number
  color: ColorTags
  /** Where chroma sits among the pixels that share it; what is at the top left is looked at as if it were at the left. */
  chromaSite: 'left' | 'center' | 'topleft'
  /** Whether each frame holds two fields, taken one after the other; not known without a look at the first frame. */
  interlaced?: boolean
  /** Of an interlaced clip: whether the upper lines are those of the earlier moment. */
  topFieldFirst?: boolean
  hdr?: HdrInfo
  /** Of the first frame: '01:00:00:00'. */
  timecode?: string
  audio: readonly AudioInfo[]
  /** Title, comment, date … as the container names them. */
  metadata: Readonly<Record<string, string>>
}

/** A file that libav has open, with its picture stream. */
export interface OpenedVideo {
  container: AvFormatContext
  stream: AvStream
  info: VideoInfo
}

/**
 * What a video file says of itself and in its first frame.
 *
 * @throws DflError `NO_SUCH_FILE`; `UNSUPPORTED_MEDIA` for anything that is not a video.
 */
export async function probeVideo(path: string): Promise<VideoInfo> {
  const libav = await loadLibav()
  const opened = await openVideo(libav, path)
  try {
    return await withFirstFrame(libav, opened)
  } finally {
    await opened.container.closeInput()
  }
}

/** The file, opened; the caller closes the container. */
export async function openVideo(libav: Libav, path: string): Promise<OpenedVideo> {
  const container = await openContainer(libav, path)
  try {
    const { AVMEDIA_TYPE_VIDEO, AV_DISPOSITION_ATTACHED_PIC } = libav.constants
    const stream = container.streams.find(
      (s) => s.codecpar.codecType === AVMEDIA_TYPE_VIDEO && !(s.disposition & AV_DISPOSITION_ATTACHED_PIC),
    )
    const advice = 'Give a video such as .mp4, .mov or .mkv, or a folder of images.'
    if (!stream) throw unsupported(path, 'a video', 'a file without pictures', advice)
    if (stream.codecpar.width === 0 || stream.codecpar.height === 0)
      throw unsupported(path, 'a video', 'a file whose pictures have no size', advice)
    return { container, stream, info: describe(libav, path, container, stream) }
  } catch (error) {
    await container.closeInput()
    throw error
  }
}

/** A container, opened for reading, with its streams known; the caller closes it. */
export async function openContainer(libav: Libav, path: string): Promise<AvFormatContext> {
  const found = await stat(path).catch((cause) => {
    throw noSuchFile(path, cause)
  })
  const advice = 'Give a video such as .mp4, .mov or .mkv, or a folder of images.'
  if (found.isFile() && found.size === 0) throw unsupported(path, 'a video', 'an empty file', advice)
  const container = new libav.FormatContext()
  // From the root: libav would take 'scene: one.mp4' for a protocol.
  const code = await container.openInput(resolve(path))
  if (code < 0) {
    const reason = libav.FFmpegError.strerror(code)
    throw unsupported(path, 'a video', `something libav cannot open ('${reason}')`, advice)
  }
  try {
    check(libav, await container.findStreamInfo(), path, 'reading what the video contains')
  } catch (error) {
    await container.closeInput()
    throw error
  }
  return container
}

/**
 * The clip with what only its first frame says: whether it is interlaced, and HDR data that stands in the pictures' own
 * stream. Reads on in the container; a frame that cannot be decoded says nothing.
 */
export async function withFirstFrame(libav: Libav, { container, stream, info }: OpenedVideo): Promise<VideoInfo> {
  const codec = libav.Codec.findDecoder(stream.codecpar.codecId)
  if (!codec) return info
  const decoder = new libav.CodecContext()
  const packet = new libav.Packet()
  const frame = new libav.Frame()
  packet.alloc()
  frame.alloc()
  try {
    decoder.allocContext3(codec)
    decoder.parametersToContext(stream.codecpar)
    decoder.threadCount = 1
    if ((await decoder.open2(codec)) < 0) return info
    for (let tries = 0; tries < 200; tries++) {
      const read = await container.readFrame(packet)
      const ended = read < 0
      if (!ended && packet.streamIndex === stream.index) await decoder.sendPacket(packet)
      packet.unref()
      if (ended) await decoder.sendPacket(null)
      const got = await decoder.receiveFrame(frame)
      if (got >= 0) {
        const hdr = info.hdr ?? hdrOfFrame(libav, frame)
        const { AV_FRAME_FLAG_INTERLACED, AV_FRAME_FLAG_TOP_FIELD_FIRST } = libav.constants
        const interlaced = frame.hasFlags(AV_FRAME_FLAG_INTERLACED)
        const fields = interlaced ? { topFieldFirst: frame.hasFlags(AV_FRAME_FLAG_TOP_FIELD_FIRST) } : {}
        return { ...info, interlaced, ...fields, ...(hdr ? { hdr } : {}) }
      }
      if (ended) return info
    }
    return info
  } finally {
    frame.free()
    packet.free()
    decoder.freeContext()
  }
}

/** Where the clock of a file starts, in seconds; frames and sound are counted from there, as players do. */
export function startSeconds(libav: Libav, container: AvFormatContext): number {
  const start = container.startTime
  return start === libav.constants.AV_NOPTS_VALUE ? 0 : Number(start) / 1e6
}

function describe(libav: Libav, path: string, container: AvFormatContext, stream: AvStream): VideoInfo {
  const c = stream.codecpar
  const {
    AV_NOPTS_VALUE,
    AV_PKT_DATA_DISPLAYMATRIX,
    AVMEDIA_TYPE_AUDIO,
    AVCHROMA_LOC_CENTER,
    AVCHROMA_LOC_TOPLEFT,
    AVCOL_RANGE_JPEG,
    AVCOL_RANGE_UNSPECIFIED,
  } = libav.constants
  const timeBase = plain(stream.timeBase)
  const frameRate = plain(stream.avgFrameRate.num > 0 ? stream.avgFrameRate : stream.rFrameRate)
  const ownDuration = stream.duration !== AV_NOPTS_VALUE && stream.duration > 0n
  const durationSeconds = ownDuration
    ? Number(stream.duration) * toNumber(timeBase)
    : Math.max(0, Number(container.duration) / 1e6)
  const counted = Number(stream.nbFrames)
  const matrix = c.getCodedSideData(AV_PKT_DATA_DISPLAYMATRIX)
  const displayMatrix = matrix ? Array.from({ length: 9 }, (_, i) => matrix.readInt32LE(i * 4)) : undefined
  const rotationDegrees = rotationOf(displayMatrix)
  const sideways = rotationDegrees === 90 || rotationDegrees === 270
  const named = libav.avGetPixFmtName(c.format as never) ?? 'unknown'
  const oldFullRange = named.startsWith('yuvj')
  const pixelFormat = oldFullRange ? named.replace('j', '') : named
  // Gray without a tag is full range, as libav itself takes it.
  const untaggedGray = named.startsWith('gray') && c.colorRange === AVCOL_RANGE_UNSPECIFIED
  const range = oldFullRange || untaggedGray ? AVCOL_RANGE_JPEG : c.colorRange
  const color = colorTags({ primaries: c.colorPrimaries, transfer: c.colorTrc, matrix: c.colorSpace, range })
  const exact = toNumber(plain(stream.rFrameRate))
  const hdr = hdrOfStream(libav, stream)
  const timecode = [stream, ...container.streams, container]
    .map(({ metadata }) => metadata?.get('timecode'))
    .find((text): text is string => typeof text === 'string' && text !== '')
  return {
    path,
    width: sideways ? c.height : c.width,
    height: sideways ? c.width : c.height,
    rotationDegrees,
    ...(displayMatrix ? { displayMatrix } : {}),
    sampleAspectRatio: plain(c.sampleAspectRatio.num > 0 ? c.sampleAspectRatio : stream.sampleAspectRatio),
    frameRate,
    variableFrameRate: exact > 0 && Math.abs(toNumber(frameRate) / exact - 1) > 0.005,
    frameCount: counted > 0 ? counted : Math.round(durationSeconds * toNumber(frameRate)),
    frameCountIsEstimate: counted <= 0,
    durationSeconds,
    timeBase,
    codec: libav.avGetCodecName(c.codecId) ?? 'unknown',
    pixelFormat,
    bitDepth: traitsOf(pixelFormat).bitDepth,
    color,
    chromaSite:
      c.chromaLocation === AVCHROMA_LOC_TOPLEFT
        ? 'topleft'
        : c.chromaLocation === AVCHROMA_LOC_CENTER || c.codecId === libav.constants.AV_CODEC_ID_MJPEG
          ? 'center'
          : 'left',
    ...(hdr ? { hdr } : {}),
    ...(timecode === undefined ? {} : { timecode }),
    audio: container.streams
      .filter((s) => s.codecpar.codecType === AVMEDIA_TYPE_AUDIO)
      .map((s) => {
        const language = s.metadata?.get('language')
        return {
          codec: libav.avGetCodecName(s.codecpar.codecId) ?? 'unknown',
          sampleRate: s.codecpar.sampleRate,
          channels: s.codecpar.channels,
          ...(language && language !== 'und' ? { language } : {}),
        }
      }),
    metadata: container.metadata?.getAll() ?? {},
  }
}

const plain = (q: Rational): Rational => ({ num: q.num, den: q.den })
