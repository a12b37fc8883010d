import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exists } from '@dfl/core/files'
import { type ExtractFacesetOptions, extractFaceset } from '@dfl/extract'
import { resize, toBitmap } from '@dfl/image'
import { bitmapFrame, createVideo, openFrames } from '@dfl/media'
import type { BenchContext } from './report.js'

/** The checkout: `dist/` and `src/` lie equally deep. */
export const ROOT = resolve(fileURLToPath(new URL('../..', import.meta.url)))

/** What is made once and kept: clips of other sizes, facesets, PyTorch. Safe to delete. */
export const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'dfl-bench')

/** A clip of the demo's footage: rendered heads, 640x360. */
export const demoClip = (name: 'src' | 'dst' | 'truth') => join(ROOT, 'examples', 'footage', `pair1-${name}.mp4`)

/** The clip at another height, made once: widths stay even, times and sound are those of the clip. */
export async function clipAtHeight(path: string, height: number, { say }: BenchContext): Promise<string> {
  await using source = await openFrames(path)
  const { info } = source
  if (info.height === height) return path
  const scaled = join(CACHE, 'clips', `${await keyOf(path)}-${height}p.mp4`)
  if (await exists(scaled)) return scaled
  const size = { width: 2 * Math.round((info.width * height) / info.height / 2), height }
  const like = { ...info, ...size, rotationDegrees: 0 as const, displayMatrix: undefined }
  await using sink = await createVideo(scaled, { like, ...(info.audio.length > 0 ? { audioFrom: path } : {}) })
  for await (const frame of source.frames()) {
    say(`making ${basename(path)} at ${height}p: frame ${frame.index + 1} of ${info.frameCount}`)
    const { index, pts, timeBase, name } = frame
    await sink.write(bitmapFrame(toBitmap(resize(frame.bitmap, size)), { index, pts, timeBase, name }))
    frame.close()
  }
  await sink.finish()
  return scaled
}

/** Folder of the clip's faceset, extracted once. `label` tells facesets of different options apart. */
export async function facesetOf(
  path: string,
  { label, ...options }: Partial<ExtractFacesetOptions> & { label: string },
  { say }: BenchContext,
): Promise<string> {
  const folder = join(CACHE, 'facesets', `${await keyOf(path)}-${label}`)
  for await (const { framesDone, frameCount, framesSkipped } of extractFaceset(path, folder, options))
    if (framesDone > framesSkipped) say(`extracting ${basename(path)}: frame ${framesDone} of ${frameCount}`)
  return folder
}

/** The clip's name with a hash of which file it is. */
async function keyOf(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path)
  const hash = createHash('sha256')
    .update(`${resolve(path)} ${size} ${mtimeMs}`)
    .digest('hex')
    .slice(0, 8)
  return `${basename(path).replace(/\.\w+$/, '')}-${hash}`
}
