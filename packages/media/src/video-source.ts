import { availableParallelism } from 'node:os'
import { basename } from 'node:path'
import { DflError } from '@dfl/core'
import { libavError, unsupported } from './errors.js'
import { type Frame, type FrameRange, type FrameSource, inRange } from './frame.js'
import { frameMemory } from './frame-memory.js'
import { type AvCodecContext, type AvFrame, type Libav, loadLibav } from './libav.js'
import { rescale } from './rational.js'
import { type KeyFrame, seekKeyFrame } from './seek-key-frame.js'
import { toneOf } from './tone.js'
import { videoFrame } from './video-frame.js'
import { type OpenedVideo, openVideo, probeVideo, startSeconds } from './video-info.js'

export interface VideoSourceOptions extends FrameRange {
  signal?: AbortSignal
  /**
   * Called for each damaged frame; the walk then goes on with what the decoder could make of it. Without it the walk
   * ends there with that error.
   */
  onDamaged?: (error: DflError) => void
  /**
   * Lets a walk begin at the key frame before `start` instead of decoding all up to there, in MP4, MOV and Matroska. Give
   * the number of frames that a whole walk over the clip had: where it has as many packets, none is lost, and indices are
   * those of the whole walk. `true` takes that for granted.
   */
  seek?: number | true
}

/** The frames of a video file. */
export async function openVideoFrames(path: string, options: VideoSourceOptions): Promise<FrameSource> {
  const libav = await loadLibav()
  const info = await probeVideo(path)
  const active = new Set<AsyncGenerator<Frame>>()
  return {
    info,
    frames() {
      const walk = decode(libav, path, options, () => active.delete(walk))
      active.add(walk)
      return walk
    },
    async [Symbol.asyncDispose]() {
      for (const walk of [...active]) await walk.return(undefined)
    },
  }
}

/**
 * Frames from the first one on, or from a key frame before the range; those outside the range dropped without being
 * converted.
 *
 * Without `seek` decoding starts at the beginning of the file: of a damaged clip only a walk from the start knows which
 * frame has which index.
 */
async function* decode(
  libav: Libav,
  path: string,
  options: VideoSourceOptions,
  done: () => void,
): AsyncGenerator<Frame> {
  const { start = 0, end = Number.POSITIVE_INFINITY, seek } = options
  const opened = await openVideo(libav, path)
  let decoder: AvCodecContext | undefined
  const memory = frameMemory(libav)
  try {
    const key = seek && start > 0 ? await seekKeyFrame(libav, opened, { start, frames: seek }) : undefined
    if (seek && start > 0 && !key) return yield* decode(libav, path, withoutSeek(options), done)
    decoder = await openDecoder(libav, opened)
    const { info, stream, container } = opened
    const offset = rescale(Math.round(startSeconds(libav, container) * 1e6), { num: 1, den: 1_000_000 }, info.timeBase)
    const step =
      info.frameRate.num > 0 ? rescale(1, { num: info.frameRate.den, den: info.frameRate.num }, info.timeBase) : 1
    const tone = toneOf(info.color)
    let index = key?.index ?? 0
    let last = -step
    let walked = false
    const how = { index: () => index, key, onDamaged: options.onDamaged }
    for await (const picture of pictures(libav, opened, decoder, how)) {
      options.signal?.throwIfAborted()
      const ticks = picture.bestEffortTimestamp
      if (key && !walked && ticks !== key.pts) {
        // Not where the container was asked to go.
        picture.free()
        return yield* decode(libav, path, withoutSeek(options), done)
      }
      walked = true
      const pts: number = ticks === libav.constants.AV_NOPTS_VALUE ? last + step : Number(ticks) - offset
      last = pts
      const at = index++
      if (!inRange(at, options)) {
        picture.free()
        continue
      }
      if (picture.width !== stream.codecpar.width || picture.height !== stream.codecpar.height) {
        const size = `${picture.width} x ${picture.height}`
        picture.free()
        throw unsupported(
          path,
          `frames of ${stream.codecpar.width} x ${stream.codecpar.height} pixels`,
          `${size} at frame ${at}`,
          'Cut the video where its size changes.',
        )
      }
      yield videoFrame(
        libav,
        picture,
        { info, tone, memory },
        {
          index: at,
          pts,
          timeBase: info.timeBase,
          name: `${basename(path)}#${at}`,
        },
      )
      if (at + 1 >= end) return
    }
    if (key && !walked) return yield* decode(libav, path, withoutSeek(options), done)
    if (index === 0)
      throw unsupported(path, 'a video', 'a file with no frame that can be decoded', 'Check that the file is whole.')
    if (index <= start && start > 0)
      throw new DflError(
        'BAD_OPTION',
        `Expected a frame below ${index} for \`start\`, but got ${start}. The clip ends there.`,
      )
  } finally {
    done()
    memory.close()
    decoder?.freeContext()
    await opened.container.closeInput()
  }
}

const withoutSeek = ({ seek: _, ...options }: VideoSourceOptions): VideoSourceOptions => options

async function openDecoder(libav: Libav, { stream, info }: OpenedVideo): Promise<AvCodecContext> {
  const codec = libav.Codec.findDecoder(stream.codecpar.codecId)
  if (!codec) throw unsupported(info.path, 'a video in a known codec', `'${info.codec}'`, 'Convert the video first.')
  const decoder = new libav.CodecContext()
  decoder.allocContext3(codec)
  decoder.parametersToContext(stream.codecpar)
  decoder.pktTimebase = stream.timeBase
  // Each thread has pictures of its own under way: one core is left to those who work on what comes.
  decoder.threadCount = Math.max(1, availableParallelism() - 1)
  const code = await decoder.open2(codec)
  if (code < 0) {
    decoder.freeContext()
    throw libavError(libav, code, info.path, `starting the ${info.codec} decoder`)
  }
  return decoder
}

/** Every picture the decoder gives from the key frame on, in order of time. Damage is reported after the good pictures before it. */
async function* pictures(
  libav: Libav,
  { container, stream, info }: OpenedVideo,
  decoder: AvCodecContext,
  {
    index,
    key,
    onDamaged,
  }: { index: () => number; key: KeyFrame | undefined; onDamaged: VideoSourceOptions['onDamaged'] },
): AsyncGenerator<AvFrame> {
  const { AVERROR_EOF, AV_FRAME_FLAG_CORRUPT, AVDISCARD_ALL } = libav.constants
  const again = libav.FFmpegError.AVERROR(libav.PosixError.EAGAIN)
  for (const other of container.streams) if (other.index !== stream.index) other.discard = AVDISCARD_ALL
  const report = (reason: string) => {
    const seconds = info.frameRate.num > 0 ? (index() * info.frameRate.den) / info.frameRate.num : 0
    const error = new DflError(
      'CORRUPT_FILE',
      `Expected a whole frame ${index()} (about ${seconds.toFixed(2)} s) in \`${info.path}\`, but got '${reason}'. The frames before it are good: use them, or repair the file.`,
      { data: { path: info.path, frameIndex: index() } },
    )
    if (!onDamaged) throw error
    onDamaged(error)
  }
  const packet = new libav.Packet()
  packet.alloc()
  async function* drain(): AsyncGenerator<AvFrame> {
    // A decoder that fails over and over is given up on.
    for (let failures = 0; failures < 100; ) {
      const picture = new libav.Frame()
      picture.alloc()
      const code = await decoder.receiveFrame(picture)
      if (code < 0) {
        picture.free()
        if (code === again || code === AVERROR_EOF) return
        failures++
        report(libav.FFmpegError.strerror(code))
        continue
      }
      if (key && picture.bestEffortTimestamp < key.pts) {
        picture.free()
        continue
      }
      if (picture.decodeErrorFlags !== 0 || picture.hasFlags(AV_FRAME_FLAG_CORRUPT)) {
        try {
          report('damaged picture data')
        } catch (error) {
          picture.free()
          throw error
        }
      }
      yield picture
    }
  }
  try {
    let failure: string | undefined
    for (;;) {
      const read = await container.readFrame(packet)
      if (read < 0) {
        if (read !== AVERROR_EOF) failure = libav.FFmpegError.strerror(read)
        break
      }
      if (packet.streamIndex === stream.index) {
        const sent = await decoder.sendPacket(packet)
        if (sent < 0 && sent !== again && sent !== AVERROR_EOF) {
          if (!onDamaged) {
            failure = libav.FFmpegError.strerror(sent)
            break
          }
          report(libav.FFmpegError.strerror(sent))
        }
        yield* drain()
      }
      packet.unref()
    }
    await decoder.sendPacket(null)
    yield* drain()
    if (failure) report(failure)
  } finally {
    packet.free()
  }
}
