import { rm } from 'node:fs/promises'
import { dirname, extname, resolve } from 'node:path'
import { DflError, resolveOptions } from '@dfl/core'
import { makeFolder, putInPlace } from '@dfl/core/files'
import { type AudioCopy, copyAudio } from './audio-copy.js'
import { VIDEO_OPTIONS, type VideoOptions } from './codecs.js'
import { describeStream, label, muxerSettings } from './container.js'
import { picturedFor } from './encoder-picture.js'
import { check, unsupported } from './errors.js'
import { finished } from './folder-sink.js'
import type { Frame } from './frame.js'
import type { FrameChange, FrameSink } from './frame-sink.js'
import { type AvFormatContext, type AvStream, type Libav, loadLibav } from './libav.js'
import { type PicturePool, picturePool } from './picture-pool.js'
import { rescale } from './rational.js'
import { toneOf } from './tone.js'
import { type Encoder, openEncoder } from './video-encoder.js'
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
  let pictures: PicturePool | undefined
  let audio: AudioCopy | undefined
  let state: 'open' | 'closed' = 'open'

  const release = async () => {
    state = 'closed'
    encoder?.context.freeContext()
    pictures?.close()
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
    pictures = picturePool(libav, encoder.paintFormat, encoder.context)
    const writer = pictureWriter(libav, { path, output, stream, encoder, pictures, source, audio })
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
  // From the root: libav would take 'scene: one.mp4' for a protocol.
  check(libav, output.allocOutputContext2(guess, null, resolve(partial)), path, 'creating the video')
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
    /^(prores|dnxhr)/.test(codec) && !/^\.mov$/i.test(extname(path))
      ? 'Write .mov, which is made for it, or .mkv, which holds all of them.'
      : 'Write .mkv, which holds all of them.',
  )
}

interface Target {
  path: string
  output: AvFormatContext
  stream: AvStream
  encoder: Encoder
  pictures: PicturePool
  source: VideoInfo
  audio: AudioCopy | undefined
}

/** Sends frames through the encoder into the container, with the sound between them. */
function pictureWriter(libav: Libav, { path, output, stream, encoder, pictures, source, audio }: Target) {
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
      const picture = picturedFor(libav, { encoder, pictures, source, tone }, frame, change)
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
