import { rm } from 'node:fs/promises'
import { dirname, extname } from 'node:path'
import { type Bitmap, DflError, resolveOptions } from '@dfl/core'
import { makeFolder, putInPlace } from '@dfl/core/files'
import { type AudioCopy, copyAudio } from './audio-copy.js'
import { VIDEO_OPTIONS, type VideoOptions } from './codecs.js'
import { describeStream, label, muxerSettings } from './container.js'
import { check, unsupported } from './errors.js'
import { beforeOf, finished, whole } from './folder-sink.js'
import type { Frame } from './frame.js'
import type { FrameChange, FrameSink } from './frame-sink.js'
import type { ImageSamples } from './image-samples.js'
import { type AvFormatContext, type AvFrame, type AvStream, type Libav, loadLibav } from './libav.js'
import { type Painting, paintRects } from './paint-rects.js'
import type { Planes } from './planes.js'
import { planesToWords, toWords } from './planes-to-words.js'
import { rescale } from './rational.js'
import { type Tone, toneOf } from './tone.js'
import { turn, turnBack, turnRect } from './turn.js'
import { type Encoder, openEncoder } from './video-encoder.js'
import { blank, convert, kindOf, layoutOf, planesOf, readable } from './video-frame.js'
import type { VideoInfo } from './video-info.js'

/** What a video is written like, and where its sound comes from. */
export interface CreateVideoOptions extends Partial<VideoOptions> {
  /** The clip the frames come from: its size, clock, colours, rotation and metadata are carried over. */
  like: { info: VideoInfo } | VideoInfo
  /** A file whose sound tracks are copied, packet by packet, without encoding them again. */
  audioFrom?: string
  /** Title, comment and the like, over those of `like`. MP4 keeps only the names that it knows. */
  metadata?: Readonly<Record<string, string>>
}

/**
 * A video file that takes frames one by one and appears under its name only when `finish` is done.
 *
 * Until then it grows as `<path>.partial` with the same ending, in the same folder. Frames of a video go to the encoder
 * as the decoder gave them: only samples inside the `rects` of a change are converted from RGB. Each frame keeps its
 * time to the tick (in MP4 and MOV; Matroska rounds to milliseconds, others to clocks of their own), none is dropped or doubled. A clip whose
 * first frame is not the first of its source starts at 0, with the sound from there on; one that ends early ends its
 * sound there. Subtitles and chapters are not copied.
 *
 * @throws DflError `UNSUPPORTED_MEDIA` where the container cannot hold the codec or the sound; `DISK_FULL` while writing.
 */
export async function createVideo(path: string, options: CreateVideoOptions): Promise<FrameSink> {
  const { like, audioFrom, metadata, ...rest } = options
  const settings = resolveOptions(VIDEO_OPTIONS, rest)
  const source = 'info' in like ? like.info : like
  const libav = await loadLibav()
  await makeFolder(dirname(path))
  const partial = `${path}.partial${extname(path)}`
  const output = new libav.FormatContext()
  let encoder: Encoder | undefined
  let audio: AudioCopy | undefined
  let state: 'open' | 'closed' = 'open'

  const release = async () => {
    state = 'closed'
    encoder?.context.freeContext()
    await audio?.close()
    await output.closeOutput()
    output.freeContext()
  }
  const abort = async () => {
    if (state === 'closed') return
    await release()
    await rm(partial, { force: true })
  }

  try {
    allocate(libav, output, path, partial)
    const { AVFMT_GLOBALHEADER } = libav.constants
    const globalHeader = output.oformat!.hasFlags(AVFMT_GLOBALHEADER)
    encoder = await openEncoder(libav, path, source, { ...settings, globalHeader })
    const stream = addStream(libav, output, encoder, path)
    label(libav, output, source, { metadata })
    if (audioFrom !== undefined) audio = await copyAudio(libav, audioFrom, output, path)
    check(libav, await output.openOutput(), path, 'creating the video')
    const header = await output.writeHeader(libav.Dictionary.fromObject(muxerSettings(output, source)))
    if (header < 0) throw refused(libav, header, path, settings.codec, audioFrom)
    const writer = pictureWriter(libav, { path, output, stream, encoder, source, audio })
    return {
      path,
      encoder: encoder.name,
      async write(frame, change) {
        if (state === 'closed') throw finished(path)
        await writer.write(frame, change)
      },
      async finish() {
        if (state === 'closed') throw finished(path)
        await writer.end()
        check(libav, await output.writeTrailer(), path, 'finishing the video')
        await release()
        await putInPlace(partial, path)
      },
      abort,
      [Symbol.asyncDispose]: abort,
    }
  } catch (error) {
    await abort()
    throw error
  }
}

/** Chooses the container by the ending. */
function allocate(libav: Libav, output: AvFormatContext, path: string, partial: string): void {
  const guess = libav.OutputFormat.guessFormat(null, partial, null)
  if (!guess || extname(path) === '')
    throw unsupported(path, 'a video name ending in .mp4, .mov or .mkv', `'${extname(path)}'`, 'Rename it.')
  check(libav, output.allocOutputContext2(guess, null, partial), path, 'creating the video')
}

function addStream(libav: Libav, output: AvFormatContext, encoder: Encoder, path: string): AvStream {
  const { info, context } = encoder
  const stream = output.newStream()
  check(libav, stream.codecpar.fromContext(context), path, 'describing the pictures')
  stream.timeBase = context.timeBase
  describeStream(libav, output, stream, info)
  return stream
}

function refused(libav: Libav, code: number, path: string, codec: string, audioFrom?: string): unknown {
  const sound = audioFrom ? ` and the sound of \`${audioFrom}\`` : ''
  const reason = libav.FFmpegError.strerror(code)
  return unsupported(
    path,
    `a container that can hold ${codec}${sound}`,
    `one that refuses them ('${reason}')`,
    'Write .mkv, which holds all of them.',
  )
}

interface Target {
  path: string
  output: AvFormatContext
  stream: AvStream
  encoder: Encoder
  source: VideoInfo
  audio: AudioCopy | undefined
}

/** Sends frames through the encoder into the container, with the sound between them. */
function pictureWriter(libav: Libav, { path, output, stream, encoder, source, audio }: Target) {
  const { context, info } = encoder
  const { AV_PICTURE_TYPE_NONE, AVERROR_EOF, AV_NOPTS_VALUE } = libav.constants
  const again = libav.FFmpegError.AVERROR(libav.PosixError.EAGAIN)
  const tone = toneOf(info.color)
  const packet = new libav.Packet()
  packet.alloc()
  let first: number | undefined
  let last = Number.NEGATIVE_INFINITY
  let lastIndex = 0
  let lastDts: bigint | undefined
  const step =
    info.frameRate.num > 0 ? rescale(1, { num: info.frameRate.den, den: info.frameRate.num }, info.timeBase) : 1

  const drain = async () => {
    for (;;) {
      const code = await context.receivePacket(packet)
      if (code === again || code === AVERROR_EOF) return
      check(libav, code, path, 'encoding')
      if (packet.duration <= 0n) packet.duration = BigInt(step)
      packet.rescaleTs(context.timeBase, stream.timeBase)
      // Of clips that are shorter than its delay libx265 gives times of decoding that were never set.
      const earliest = packet.pts - BigInt(rescale(64 * step, info.timeBase, stream.timeBase) + 1)
      const known = packet.dts === AV_NOPTS_VALUE || (packet.dts <= packet.pts && packet.dts >= earliest)
      if (!known) packet.dts = lastDts === undefined ? packet.pts : lastDts + 1n
      if (packet.dts !== AV_NOPTS_VALUE) {
        if (lastDts !== undefined && packet.dts <= lastDts) packet.dts = lastDts + 1n
        lastDts = packet.dts
      }
      packet.streamIndex = stream.index
      check(libav, await output.interleavedWriteFrame(packet), path, 'writing the pictures')
    }
  }
  return {
    async write(frame: Frame, change?: FrameChange) {
      const ticks = rescale(frame.pts, frame.timeBase, info.timeBase)
      if (ticks <= last)
        throw new DflError(
          'BAD_STATE',
          `Expected a frame later than ${last} ticks for \`frame\`, but got '${frame.name}' at ${ticks}. Write frames in order, each once.`,
        )
      if (first === undefined) {
        first = frame.index > 0 ? ticks : 0
        audio?.startAt((first * info.timeBase.num) / info.timeBase.den)
      }
      last = ticks
      lastIndex = frame.index
      const picture = picturedFor(libav, { encoder, source, tone }, frame, change)
      try {
        picture.pts = BigInt(ticks - first)
        picture.pictType = AV_PICTURE_TYPE_NONE
        if (picture.duration <= 0n) picture.duration = BigInt(step)
        check(libav, await context.sendFrame(picture), path, `encoding frame ${frame.index}`)
      } finally {
        picture.free()
      }
      await drain()
      await audio?.until(((ticks - first) * info.timeBase.num) / info.timeBase.den)
    },
    async end() {
      check(libav, await context.sendFrame(null), path, 'encoding')
      await drain()
      const endSeconds = ((last + step - (first ?? 0)) * info.timeBase.num) / info.timeBase.den
      const steps = (2 * (step * info.timeBase.num)) / info.timeBase.den
      const reached = lastIndex + 2 >= source.frameCount || endSeconds + steps >= source.durationSeconds
      const whole = first === 0 && reached
      await audio?.until(whole ? Number.POSITIVE_INFINITY : endSeconds)
      packet.free()
    },
  }
}

/** The picture of a frame as the encoder wants it, with the change painted in; the caller frees it. */
function picturedFor(libav: Libav, target: Pictured, frame: Frame, change?: FrameChange): AvFrame {
  const { encoder } = target
  const painted = paintedFor(libav, target, frame, change)
  const { context } = encoder
  // Encoders such as ProRes's write what the picture says of itself.
  painted.colorPrimaries = context.colorPrimaries
  painted.colorTrc = context.colorTrc
  painted.colorSpace = context.colorSpace
  painted.colorRange = context.colorRange
  painted.chromaLocation = context.chromaLocation
  if (encoder.paintFormat === encoder.pixelFormat) return painted
  const packed = convert(libav, painted, encoder.pixelFormat)
  painted.free()
  return packed
}

interface Pictured {
  encoder: Encoder
  source: VideoInfo
  tone: Tone | undefined
}

/** The picture in the format to paint in. */
function paintedFor(libav: Libav, { encoder, source, tone }: Pictured, frame: Frame, change?: FrameChange): AvFrame {
  const { paintFormat, info } = encoder
  const { width, height } = encoder.context
  const { samples } = frame
  const fitted = change && fitting(change, info, frame)
  const own = () => frame.part({ x: 0, y: 0, width: frame.width, height: frame.height }, 1, 'own').bitmap
  const written = layoutOf(libav, { format: paintFormat }, info)!
  // Luma and chroma are made of R'G'B', and of gray, by the rules that they are looked at by.
  if (!samples || kindOf(libav, samples) !== written.kind) {
    const shown = fitted ? whole(frame, fitted) : fitting({ bitmap: own(), rects: [] }, info, frame).bitmap
    const bitmap = tone ? litBack(shown, tone) : shown
    const picture = blank(libav, paintFormat, width, height)
    const all = { x: 0, y: 0, width: bitmap.width, height: bitmap.height }
    paint(libav, picture, info, { bitmap, x: 0, y: 0, rects: [all] })
    if (written.alpha) fillAlpha(planesOf(picture, written), written.bitDepth, frame.image)
    return picture
  }
  if (samples.width !== width || samples.height !== height) fitting({ bitmap: frame.bitmap, rects: [] }, info, frame)
  const picture = blank(libav, paintFormat, width, height)
  if (samples.format === paintFormat) {
    if (!fitted) {
      picture.free()
      return samples.clone()!
    }
    picture.copy(samples)
    picture.copyProps(samples)
  } else {
    picture.free()
    const converted = convert(libav, samples, paintFormat)
    if (fitted) paintChange(libav, converted, { info, tone }, frame, fitted)
    return converted
  }
  paintChange(libav, picture, { info: source, tone }, frame, fitted)
  return picture
}

/** Paints the pixels of a change that differ from the frame. */
function paintChange(
  libav: Libav,
  picture: AvFrame,
  { info, tone }: { info: VideoInfo; tone: Tone | undefined },
  frame: Frame,
  change: Painting,
): void {
  const painting = { ...change, ...beforeOf(frame, change) }
  paint(libav, picture, info, tone ? inOwnLight(libav, frame, { info, tone }, painting) : painting)
}

/** A painting in the clip's own R'G'B' instead of what is shown; pixels that were not changed as the frame has them. */
export function inOwnLight(
  libav: Libav,
  frame: Frame,
  { info, tone }: { info: VideoInfo; tone: Tone },
  { bitmap, before, x, y, rects }: Painting,
): Painting {
  const held = frame.samples!
  const samples = readable(libav, held)
  const layout = layoutOf(libav, samples, info)!
  const { width, height } = bitmap
  const coded = turnRect({ x, y, width, height }, info, turnBack(info.rotationDegrees))
  const box = { left: coded.x, top: coded.y, right: coded.x + coded.width, bottom: coded.y + coded.height }
  const own = turn(planesToWords(planesOf(samples, layout), layout, box), info.rotationDegrees)
  if (samples !== held) samples.free()
  const shown = toWords(bitmap).data as Uint16Array
  const back = shown.slice()
  tone.back(back)
  const data = own.data.slice() as Uint16Array
  const old = before?.data
  for (let i = 0; i < data.length; i += 3) {
    const now = bitmap.data
    if (old && now[i] === old[i] && now[i + 1] === old[i + 1] && now[i + 2] === old[i + 2]) continue
    for (let k = 0; k < 3; k++) data[i + k] = back[i + k]!
  }
  return { bitmap: { ...own, data }, before: own, x, y, rects }
}

/** What is shown as the clip's own R'G'B'. */
export function litBack(shown: Bitmap, tone: Tone): Bitmap {
  const { data, ...rest } = toWords(shown)
  const words = data.slice() as Uint16Array
  tone.back(words)
  return { ...rest, data: words }
}

/** Alpha of an image, or opaque. */
function fillAlpha({ data, strides, width, height }: Planes, bitDepth: number, image: ImageSamples | undefined): void {
  const plane = data[3]!
  const peak = 2 ** bitDepth - 1
  const channels = image?.channels ?? 3
  const from = image && channels % 2 === 0 ? image.data : undefined
  const scale = from instanceof Float32Array ? peak : peak / (from instanceof Uint16Array ? 65535 : 255)
  for (let y = 0, i = channels - 1; y < height; y++)
    for (let x = 0; x < width; x++, i += channels)
      plane[y * strides[3]! + x] = from ? Math.min(peak, Math.max(0, from[i]! * scale)) + 0.5 : peak
}

/** Paints an upright bitmap over a picture in its coded orientation. */
function paint(libav: Libav, picture: AvFrame, info: VideoInfo, { bitmap, x, y, rects, before }: Painting) {
  const layout = layoutOf(libav, picture, info)!
  const back = turnBack(info.rotationDegrees)
  const placed = turnRect({ x, y, width: bitmap.width, height: bitmap.height }, info, back)
  paintRects(planesOf(picture, layout), layout, {
    bitmap: turn(bitmap, back),
    x: placed.x,
    y: placed.y,
    rects: rects.map((rect) => turnRect(rect, info, back)),
    ...(before ? { before: turn(before, back) } : {}),
  })
}

/** The change with its place, if it lies inside a frame of the clip's size. */
function fitting(change: FrameChange, { width, height }: VideoInfo, frame: Frame): Painting {
  const { bitmap, x, y, rects } = change
  const [left, top] = [x ?? 0, y ?? 0]
  if (x === undefined && y === undefined) {
    if (bitmap.width === width && bitmap.height === height) return { bitmap, x: 0, y: 0, rects }
  } else {
    const inside = left >= 0 && top >= 0 && left + bitmap.width <= width && top + bitmap.height <= height
    if (inside && Number.isInteger(left) && Number.isInteger(top)) return { bitmap, x: left, y: top, rects }
  }
  const at = x === undefined && y === undefined ? '' : ` at ${left}, ${top}`
  const got = `${bitmap.width} x ${bitmap.height}${at}`
  const wanted = at ? `a part of ${width} x ${height} pixels` : `${width} x ${height} pixels like the clip`
  throw new DflError(
    'BAD_SHAPE',
    `Expected ${wanted} for \`bitmap\`, but got ${got} for '${frame.name}'. Scale it first.`,
  )
}
