import type { Libav } from './libav.js'
import type { OpenedVideo } from './video-info.js'

/** Containers that keep an exact time for each packet. */
const EXACT = /mov|mp4|matroska|webm/
/** No codec gives pictures later than so many packets after their own. */
const MOST_DELAY = 64

/** A key frame that a walk may begin with. */
export interface KeyFrame {
  index: number
  /** Its time in ticks of the stream. Pictures before it lack what they refer to. */
  pts: bigint
}

/**
 * Puts a container at the last key frame that is not after a frame, found by the times of the packets, which takes no
 * decoding. Nothing where it cannot be told which frame has which index; the container then stands anywhere.
 *
 * @param frames How many packets there must be for that; any number if `true`.
 */
export async function seekKeyFrame(
  libav: Libav,
  { container, stream }: OpenedVideo,
  { start, frames }: { start: number; frames: number | true },
): Promise<KeyFrame | undefined> {
  if (!EXACT.test(container.iformat?.name ?? '')) return undefined
  const { AVDISCARD_ALL, AV_NOPTS_VALUE, AV_PKT_FLAG_DISCARD, AVSEEK_FLAG_BACKWARD } = libav.constants
  for (const other of container.streams) if (other.index !== stream.index) other.discard = AVDISCARD_ALL
  const times: bigint[] = []
  const keys: { pts: bigint; dts: bigint }[] = []
  const packet = new libav.Packet()
  packet.alloc()
  try {
    while (frames !== true || times.length <= start + MOST_DELAY) {
      if ((await container.readFrame(packet)) < 0) break
      const { pts, dts, isKeyframe } = packet
      const shown = packet.streamIndex === stream.index && !packet.hasFlags(AV_PKT_FLAG_DISCARD)
      packet.unref()
      if (!shown) continue
      if (pts === AV_NOPTS_VALUE) return undefined
      times.push(pts)
      if (isKeyframe) keys.push({ pts, dts: dts === AV_NOPTS_VALUE ? pts : dts })
    }
  } finally {
    packet.free()
  }
  times.sort((a, b) => (a < b ? -1 : 1))
  const wanted = times[start]
  const doubled = times.some((time, i) => time === times[i - 1])
  if (wanted === undefined || doubled || (frames !== true && times.length !== frames)) return undefined
  const key = keys.filter(({ pts }) => pts <= wanted).reduce((a, b) => (a && a.pts > b.pts ? a : b), keys[0])
  if (!key || key.pts > wanted) return undefined
  if ((await container.seekFrame(stream.index, key.dts, AVSEEK_FLAG_BACKWARD)) < 0) return undefined
  return { index: times.indexOf(key.pts), pts: key.pts }
}
