import { rm } from 'node:fs/promises'
import { dirname, extname, resolve } from 'node:path'
import { DflError } from '@dfl/core'
import { makeFolder, putInPlace } from '@dfl/core/files'
import { type AudioCopy, copyAudio } from './audio-copy.js'
import { colorCodes } from './color.js'
import { describeStream, label, muxerSettings } from './container.js'
import { check, unsupported } from './errors.js'
import { type AvFormatContext, type AvStream, type Libav, loadLibav } from './libav.js'
import { traitsOf } from './pixel-formats.js'
import { rescale } from './rational.js'
import { rational } from './video-encoder.js'
import { openVideo, type VideoInfo } from './video-info.js'

/** A piece of a clip, encoded on its own; its first frame can be decoded without any other piece. */
export interface VideoPart {
  path: string
  /** When its own time 0 is in the whole clip, in ticks of the clip's `timeBase`. */
  startPts: number
  /** How many frames it must have. */
  frames: number
}

/** What `concatVideos` takes besides the parts. */
export interface ConcatOptions {
  /** The clip that the parts are of: its clock and metadata are carried over. */
  like: { info: VideoInfo } | VideoInfo
  /** A file whose sound tracks are copied, packet by packet, without encoding them again. */
  audioFrom?: string
  /**
   * The stretch of the clip that the parts are of, in ticks of its clock, where they are not of all of it: the video then
   * begins at 0, with the sound from there on, and ends where the stretch ends.
   */
  stretch?: { startPts: number; endPts: number }
  /** Title, comment and the like, over those of `like`. */
  metadata?: Readonly<Record<string, string>>
  /** Called with the path of the whole file before it gets its name, to add to it; where it throws no file is left. */
  seal?: (path: string) => Promise<void>
  signal?: AbortSignal
}

/**
 * One video of parts written by `createVideo` with the same settings, copied packet by packet: nothing is encoded again.
 *
 * It grows as `<path>.partial` with the same ending and appears under its name only when it is whole. The parts stay.
 *
 * @param parts In order of time.
 * @throws DflError `CORRUPT_FILE` where a part has another number of frames than it should; `BAD_STATE` where parts were
 * encoded with different settings.
 */
export async function concatVideos(parts: readonly VideoPart[], path: string, options: ConcatOptions): Promise<void> {
  const { like, audioFrom, stretch, metadata, signal } = options
  const source = 'info' in like ? like.info : like
  if (parts.length === 0)
    throw new DflError('BAD_SHAPE', 'Expected at least one part for `parts`, but got none. Write some frames first.')
  const libav = await loadLibav()
  await makeFolder(dirname(path))
  const partial = `${path}.partial${extname(path)}`
  const output = new libav.FormatContext()
  let audio: AudioCopy | undefined
  try {
    const code = output.allocOutputContext2(null, null, resolve(partial))
    if (code < 0 || !output.oformat)
      throw unsupported(path, 'a video name ending in .mp4, .mov or .mkv', `'${extname(path)}'`, 'Rename it.')
    const { stream, extradata } = await describeAs(libav, parts[0]!.path, output, { path, source })
    label(libav, output, source, { metadata, startPts: stretch?.startPts ?? 0 })
    if (audioFrom !== undefined) audio = await copyAudio(libav, audioFrom, output, path)
    check(libav, await output.openOutput(), path, 'creating the video')
    check(
      libav,
      await output.writeHeader(libav.Dictionary.fromObject(muxerSettings(output, source))),
      path,
      'starting the video',
    )
    const seconds = (pts: number) => (pts * source.timeBase.num) / source.timeBase.den
    const from = stretch?.startPts ?? 0
    if (from > 0) audio?.startAt(seconds(from))
    let lastDts = -(2n ** 62n)
    for (const { startPts, ...part } of parts)
      lastDts = await copyPart(
        libav,
        { ...part, startPts: startPts - from },
        { path, output, stream, extradata, source, audio, lastDts, signal },
      )
    await audio?.until(stretch ? seconds(stretch.endPts - from) : Number.POSITIVE_INFINITY)
    check(libav, await output.writeTrailer(), path, 'finishing the video')
    await audio?.close()
    audio = undefined
    await output.closeOutput()
    await options.seal?.(partial)
    await putInPlace(partial, path)
  } catch (error) {
    await audio?.close()
    await output.closeOutput().catch(() => {})
    await rm(partial, { force: true })
    throw error
  } finally {
    output.freeContext()
  }
}

/** Adds a picture stream like that of a part. */
async function describeAs(
  libav: Libav,
  part: string,
  output: AvFormatContext,
  { path, source }: { path: string; source: VideoInfo },
): Promise<{ stream: AvStream; extradata: Buffer }> {
  const from = await openVideo(libav, part)
  try {
    const stream = output.newStream()
    check(libav, from.stream.codecpar.copy(stream.codecpar), path, 'describing the pictures')
    // The kind of ProRes is known by its tag alone.
    if (stream.codecpar.codecId !== libav.constants.AV_CODEC_ID_PRORES) stream.codecpar.codecTag = 0
    // FFV1 does not say it itself, nor does MOV, which parts are kept in.
    if (stream.codecpar.colorRange === libav.constants.AVCOL_RANGE_UNSPECIFIED)
      stream.codecpar.colorRange = rangeOf(source, from.info)
    stream.timeBase = rational(libav, source.timeBase)
    describeStream(libav, output, stream, { ...source, displayMatrix: undefined })
    return { stream, extradata: extradataOf(from.stream) }
  } finally {
    await from.container.closeInput()
  }
}

/** The range of a clip's pictures once they are encoded; luma and chroma that were made of R'G'B' are always limited. */
function rangeOf(source: VideoInfo, part: VideoInfo) {
  const kind = ({ pixelFormat }: VideoInfo) => traitsOf(pixelFormat).kind
  const made = kind(part) !== 'rgb' && kind(part) !== kind(source)
  return colorCodes(made ? { ...source.color, range: 'limited' } : source.color)
    .range as AvStream['codecpar']['colorRange']
}

/** A copy of what decoders must know before the first packet. */
const extradataOf = (stream: AvStream): Buffer => Buffer.from(stream.codecpar.extradata ?? [])

interface Target {
  path: string
  output: AvFormatContext
  stream: AvStream
  extradata: Buffer
  source: VideoInfo
  audio: AudioCopy | undefined
  /** Of the packet before, in ticks of `stream`. */
  lastDts: bigint
  signal: AbortSignal | undefined
}

/** Copies the packets of a part to their place in time, with the sound up to there; gives back the last one's dts. */
async function copyPart(libav: Libav, part: VideoPart, target: Target): Promise<bigint> {
  const { path, output, stream, extradata, source, audio, signal } = target
  const { AVERROR_EOF, AV_NOPTS_VALUE } = libav.constants
  const from = await openVideo(libav, part.path)
  const packet = new libav.Packet()
  packet.alloc()
  try {
    if (!extradataOf(from.stream).equals(extradata))
      throw new DflError(
        'BAD_STATE',
        `Expected parts encoded with the same settings for \`parts\`, but got others in \`${part.path}\`. Encode all parts again on one machine.`,
        { data: { path: part.path } },
      )
    const { timeBase: partClock } = from.stream
    // By way of the clip's own clock, so that a container with a coarser one rounds each time once.
    const place = (ticks: bigint) =>
      BigInt(
        rescale(rescale(Number(ticks), partClock, source.timeBase) + part.startPts, source.timeBase, stream.timeBase),
      )
    let frames = 0
    let lastDts = target.lastDts
    for (;;) {
      signal?.throwIfAborted()
      const code = await from.container.readFrame(packet)
      if (code === AVERROR_EOF) break
      check(libav, code, part.path, 'reading a part')
      if (packet.streamIndex !== from.stream.index) {
        packet.unref()
        continue
      }
      frames++
      const pts = place(packet.pts)
      const dts = packet.dts === AV_NOPTS_VALUE ? pts : place(packet.dts)
      await audio?.until((Number(dts) * stream.timeBase.num) / stream.timeBase.den)
      packet.pts = pts
      // Where frames lie unevenly the first of a part may be due for decoding before the last of the part before.
      packet.dts = lastDts = dts > lastDts ? dts : lastDts + 1n
      packet.duration = BigInt(rescale(Number(packet.duration), partClock, stream.timeBase))
      packet.streamIndex = stream.index
      packet.pos = -1n
      check(libav, await output.interleavedWriteFrame(packet), path, 'writing the pictures')
    }
    if (frames !== part.frames)
      throw new DflError(
        'CORRUPT_FILE',
        `Expected ${part.frames} frames in \`${part.path}\`, but got ${frames}. Delete this part and make it again.`,
        { data: { path: part.path, expected: part.frames, got: frames } },
      )
    return lastDts
  } finally {
    packet.free()
    await from.container.closeInput()
  }
}
