import { stat } from 'node:fs/promises'
import { extname, join, resolve } from 'node:path'
import { DflError } from '@dfl/core'
import { createVideo, isVideoPath, openFrames, VIDEO_EXTENSIONS } from '@dfl/media'
import type { MergeOptions } from '@dfl/merge'
import { parseSpans } from './frame-spans.js'
import type { Merged, Workspace } from './workspace.js'

/** `result.mp4` in the workspace; for a piece of the clip a name of its own, so that the whole result stays. */
export function defaultResult({ folder, defaultResult }: Workspace, frames: string | undefined): string {
  if (frames === undefined) return defaultResult
  const name = `result-${frames.replace(/[^\d-]+/g, '_')}`
  return join(folder, parseSpans(frames, '--frames').length === 1 ? `${name}.mp4` : name)
}

/** @throws DflError `BAD_OPTION` when the result would overwrite footage, or its ending is none that can be written. */
export function expectResultPath(out: string, clips: readonly (string | undefined)[]): void {
  const ending = extname(out)
  if (ending !== '' && !isVideoPath(out))
    throw new DflError(
      'BAD_OPTION',
      `Expected a video (${VIDEO_EXTENSIONS.join(', ')}) or a folder for \`--out\`, but got \`${out}\`. Leave out '${ending}' to get a folder of images.`,
    )
  for (const clip of clips)
    if (clip !== undefined && resolve(clip) === resolve(out))
      throw new DflError(
        'BAD_OPTION',
        `Expected a new file for \`--out\`, but got \`${out}\`, which is the footage itself. Choose another name.`,
      )
}

/** Begins the result and gives up, so that a container that cannot hold it is known before the work and not after it. */
export async function expectWritable(
  out: string,
  frames: string,
  { codec, crf, preset, hardware }: MergeOptions,
): Promise<void> {
  if (!isVideoPath(out)) return
  await using clip = await openFrames(frames)
  const audioFrom = clip.info.audio.length > 0 ? { audioFrom: frames } : {}
  const trial = await createVideo(out, { like: clip.info, codec, crf, preset, hardware, ...audioFrom })
  await trial.abort()
}

/** The finished result of exactly this, if it stands there unchanged. */
export async function finishedResult(
  { record: { merged } }: Workspace,
  { madeFrom, out }: { madeFrom: string; out: string },
): Promise<Pick<Merged, 'frames' | 'framesWithFace'> | undefined> {
  if (!merged || merged.madeFrom !== madeFrom || merged.result !== resolve(out)) return undefined
  const found = await stat(out).catch(() => undefined)
  if (!found || (merged.bytes !== undefined && found.size !== merged.bytes)) return undefined
  return { frames: merged.frames, framesWithFace: merged.framesWithFace }
}

/** Size of a result; nothing for a folder. */
export const bytesOf = async (path: string) => (isVideoPath(path) ? (await stat(path)).size : undefined)
