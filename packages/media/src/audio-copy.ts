import { check, unsupported } from './errors.js'
import type { AvFormatContext, AvPacket, AvStream, Libav } from './libav.js'
import { openContainer, startSeconds } from './video-info.js'

/** Copies sound packets of one file into another beside its pictures, bit for bit. */
export interface AudioCopy {
  /** Moves the sound so that the given time of it comes at 0; what lies before is left out. Call it before `until`. */
  startAt(seconds: number): void
  /** Writes the packets that start before the given time of the output. */
  until(seconds: number): Promise<void>
  close(): Promise<void>
}

/**
 * Adds a stream to `output` for each sound track of `path`; call it before the header is written.
 *
 * Times count from the start of each file. A clip that starts late gets the sound from there on.
 */
export async function copyAudio(
  libav: Libav,
  path: string,
  output: AvFormatContext,
  outPath: string,
): Promise<AudioCopy> {
  const input = await openContainer(libav, path)
  const { AVMEDIA_TYPE_AUDIO, AVDISCARD_ALL, AVERROR_EOF, AV_NOPTS_VALUE } = libav.constants
  const tracks = new Map<number, { from: AvStream; to: AvStream; offset: number }>()
  const origin = startSeconds(libav, input)
  for (const from of input.streams) {
    if (from.codecpar.codecType !== AVMEDIA_TYPE_AUDIO) {
      from.discard = AVDISCARD_ALL
      continue
    }
    const to = output.newStream()
    check(libav, from.codecpar.copy(to.codecpar), outPath, 'describing the sound')
    to.codecpar.codecTag = 0
    to.timeBase = from.timeBase
    to.disposition = from.disposition
    if (from.metadata) to.metadata = libav.Dictionary.fromObject(from.metadata.getAll())
    const offset = Math.round((origin * from.timeBase.den) / from.timeBase.num)
    tracks.set(from.index, { from, to, offset })
  }
  const packet: AvPacket = new libav.Packet()
  packet.alloc()
  let waiting = false
  let skipped = 0
  let ended = tracks.size === 0
  /** Reads on until `packet` holds one of a sound track. */
  const fill = async () => {
    while (!waiting && !ended) {
      const code = await input.readFrame(packet)
      if (code === AVERROR_EOF) ended = true
      else if (code < 0)
        throw unsupported(
          path,
          'whole sound',
          `'${libav.FFmpegError.strerror(code)}' while reading it`,
          'Check that the file is whole.',
        )
      else if (tracks.has(packet.streamIndex)) waiting = true
      else packet.unref()
    }
  }
  return {
    startAt(seconds) {
      skipped = seconds
      for (const track of tracks.values())
        track.offset += Math.round((seconds * track.from.timeBase.den) / track.from.timeBase.num)
    },
    async until(seconds) {
      for (;;) {
        await fill()
        if (ended) return
        const { from, to, offset } = tracks.get(packet.streamIndex)!
        const ticks = packet.dts === AV_NOPTS_VALUE ? packet.pts : packet.dts
        const time = ((Number(ticks) - offset) * from.timeBase.num) / from.timeBase.den
        if (time >= seconds) return
        waiting = false
        if (skipped > 0 && time < 0) {
          packet.unref()
          continue
        }
        if (packet.pts !== AV_NOPTS_VALUE) packet.pts -= BigInt(offset)
        if (packet.dts !== AV_NOPTS_VALUE) packet.dts -= BigInt(offset)
        packet.rescaleTs(from.timeBase, to.timeBase)
        packet.streamIndex = to.index
        packet.pos = -1n
        check(libav, await output.interleavedWriteFrame(packet), outPath, 'writing the sound')
      }
    },
    async close() {
      packet.free()
      await input.closeInput()
    },
  }
}
