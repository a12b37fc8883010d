import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { isFrameName, probeVideo } from '@dfl/media'
import type { StageReport } from './events.js'

/** Says what to do about a clip whose frames are of two moments each; nothing about any other. */
export async function* interlacedNotice(clip: string): AsyncGenerator<StageReport> {
  if (isFrameName(basename(clip)) || (await stat(clip)).isDirectory() || !(await probeVideo(clip)).interlaced) return
  const text = `${basename(clip)} is interlaced: a frame holds two moments, and one face is laid over both, which shows as combs where it moves. Make it progressive first, then extract and merge that: ffmpeg -i ${basename(clip)} -vf bwdif -c:v prores_ks -c:a copy progressive.mov`
  yield { event: 'warning', text }
}
