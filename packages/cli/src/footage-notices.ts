import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { isFrameName, probeVideo } from '@dfl/media'
import type { StageReport } from './events.js'

/**
 * Says what to do about a clip whose frames are of two moments each, or whose pixels are not square; nothing about any
 * other.
 */
export async function* footageNotices(clip: string): AsyncGenerator<StageReport> {
  if (isFrameName(basename(clip)) || (await stat(clip)).isDirectory()) return
  const { interlaced, sampleAspectRatio } = await probeVideo(clip)
  const name = basename(clip)
  if (interlaced) {
    const text = `${name} is interlaced: a frame holds two moments, and one face is laid over both, which shows as combs where it moves. Make it progressive first, then extract and merge that: ffmpeg -i ${name} -vf bwdif -c:v prores_ks -c:a copy progressive.mov`
    yield { event: 'warning', text }
  }
  const { num, den } = sampleAspectRatio
  if (num > 0 && Math.abs(num / den - 1) > UNSEEN) {
    const text = `The pixels of ${name} are not square (${num}:${den}), and faces are found and learnt as they are stored: too ${num > den ? 'narrow' : 'broad'}. Make them square first, then extract and merge that: ffmpeg -i ${name} -vf "scale=round(iw*sar/2)*2:ih,setsar=1" -c:v prores_ks -c:a copy square.mov`
    yield { event: 'warning', text }
  }
}

/** By how much a pixel's sides may differ before faces look wrong. */
const UNSEEN = 0.02
