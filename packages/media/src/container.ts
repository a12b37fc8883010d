import { addHdr } from './hdr.js'
import type { AvFormatContext, AvStream, Libav } from './libav.js'
import { rescale } from './rational.js'
import { shiftTimecode } from './timecode.js'
import { rational } from './video-encoder.js'
import type { VideoInfo } from './video-info.js'

/** Written by the container itself. */
const OWN_METADATA = ['major_brand', 'minor_version', 'compatible_brands', 'encoder', 'timecode']

/** What is written about the whole file. */
export interface Labels {
  /** Title, comment and the like, over those of the source. */
  metadata?: Readonly<Record<string, string>> | undefined
  /** Time of its first frame in the source, in ticks of the source's clock: moves the start timecode. */
  startPts?: number
}

/** Carries over what the source says of itself, and its start timecode. */
export function label(
  libav: Libav,
  output: AvFormatContext,
  source: VideoInfo,
  { metadata, startPts = 0 }: Labels,
): void {
  const kept = Object.entries({ ...source.metadata, ...metadata }).filter(([key]) => !OWN_METADATA.includes(key))
  const { timecode, timeBase, frameRate } = source
  if (timecode !== undefined && frameRate.num > 0) {
    const frames = rescale(startPts, timeBase, { num: frameRate.den, den: frameRate.num })
    kept.push(['timecode', shiftTimecode(timecode, frames, frameRate)])
  }
  output.metadata = libav.Dictionary.fromObject(Object.fromEntries(kept))
}

/** What a picture stream says beside its codec's own parameters. */
export function describeStream(libav: Libav, output: AvFormatContext, stream: AvStream, info: VideoInfo): void {
  const { codecpar } = stream
  if (codecpar.codecId === libav.constants.AV_CODEC_ID_HEVC) {
    // QuickTime and what builds on it play H.265 by this tag only: parameters stand in the header alone, as ours do.
    codecpar.codecTag = isQuickTime(output) ? 'hvc1' : 0
  }
  if (info.frameRate.num > 0) stream.avgFrameRate = rational(libav, info.frameRate)
  if (info.sampleAspectRatio.num > 0) stream.sampleAspectRatio = rational(libav, info.sampleAspectRatio)
  if (info.hdr) addHdr(libav, stream, info.hdr)
  if (!info.displayMatrix) return
  const bytes = Buffer.alloc(36)
  info.displayMatrix.forEach((value, i) => {
    bytes.writeInt32LE(value, i * 4)
  })
  codecpar.addCodedSideData(libav.constants.AV_PKT_DATA_DISPLAYMATRIX, bytes)
}

/**
 * MP4 and MOV: the index first, so that playing can start before all is loaded, and the source's own clock; QuickTime's own
 * names of metadata where the source has such.
 */
export function muxerSettings(output: AvFormatContext, source: VideoInfo): Record<string, string> {
  if (!isQuickTime(output)) return {}
  const { timeBase, metadata } = source
  const clock: Record<string, string> = timeBase.num === 1 ? { video_track_timescale: String(timeBase.den) } : {}
  const quickTime = output.oformat?.name === 'mov' && Object.keys(metadata).some((key) => key.startsWith('com.'))
  return { movflags: `+faststart${quickTime ? '+use_metadata_tags' : ''}`, ...clock }
}

/** Whether a file is MOV or of its kin, as MP4 is. */
const isQuickTime = (output: AvFormatContext) => /mp4|mov|ipod/.test(output.oformat?.name ?? '')
