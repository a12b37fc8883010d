import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { DflError } from '@dfl/core'
import {
  createVideo,
  footageStamp,
  isFrameName,
  isVideoPath,
  openFrames,
  probeVideo,
  TIMESTAMPS,
  VIDEO_EXTENSIONS,
} from '@dfl/media'
import type { MergeOptions } from '@dfl/merge'
import { DIGITAL_SOURCE_TYPE, readProvenance } from '@dfl/provenance'
import type { StageReport } from './events.js'
import { parseSpans } from './frame-spans.js'
import type { DstClip } from './merge-job.js'
import type { Merged, Workspace, WorkspaceRecord } from './workspace.js'

/** `result.mp4` in the workspace; for a piece of the clip, and for each of several clips, a name of its own, so that others stay. */
export function defaultResult(
  { folder, defaultResult }: Workspace,
  { suffix }: Pick<DstClip, 'suffix'>,
  frames: string | undefined,
): string {
  if (frames === undefined) return suffix === '' ? defaultResult : join(folder, `result${suffix}.mp4`)
  const name = `result${suffix}-${frames.replace(/[^\d-]+/g, '_')}`
  return join(folder, parseSpans(frames, '--frames').length === 1 ? `${name}.mp4` : name)
}

/**
 * @param clips Footage that must stay.
 * @param record Of the workspace: knows results that do not say what they are.
 * @throws DflError `BAD_OPTION` when the result would overwrite footage or another file that is no result, or lie among files
 * that are none of a result, which would be signed with it, or its ending is none that can be written.
 */
export async function expectResultPath(
  out: string,
  clips: readonly (string | undefined)[],
  record: Partial<Pick<WorkspaceRecord, 'merged' | 'withoutProvenance'>> = {},
): Promise<void> {
  const ending = extname(out)
  if (ending !== '' && !isVideoPath(out))
    throw new DflError(
      'BAD_OPTION',
      `Expected a video (${VIDEO_EXTENSIONS.join(', ')}) or a folder for \`--out\`, but got \`${out}\`. Leave out '${ending}' to get a folder of images.`,
    )
  const place = await realPath(out)
  for (const clip of clips) {
    if (clip === undefined) continue
    const own = await realPath(clip)
    // An image would be written over by the one of its name.
    if (own === place || (isFrameName(basename(clip)) && dirname(own) === place))
      throw new DflError(
        'BAD_OPTION',
        `Expected a new place for \`--out\`, but got \`${out}\`, where the footage itself is. Choose another name.`,
      )
  }
  if (isVideoPath(out)) {
    const made = [...(record.merged ?? []), ...(record.withoutProvenance ?? [])]
    if (made.some(({ result }) => result === resolve(out)) || (await mayBeReplaced(out))) return
    throw new DflError(
      'BAD_OPTION',
      `Expected a new name or that of an earlier result for \`--out\`, but got \`${out}\`, a file that is none. Choose another name, or move that file away.`,
    )
  }
  const names = await readdir(out).catch((): string[] => [])
  const other = names.find((name) => !name.startsWith('.'))
  if (other !== undefined && !names.includes(TIMESTAMPS))
    throw new DflError(
      'BAD_OPTION',
      `Expected a new or empty folder for \`--out\`, or one with a result, but got \`${out}\`, which holds other files, such as '${other}'. Choose another name.`,
    )
}

/**
 * @param out The result that the comparison is written beside.
 * @param record Of the workspace: knows results that do not say what they are, and so what stands beside them.
 * @throws DflError `BAD_OPTION` when a comparison would overwrite a video that is none.
 */
export async function expectComparisonPath(
  path: string,
  out: string,
  { withoutProvenance = [] }: Partial<Pick<WorkspaceRecord, 'withoutProvenance'>>,
): Promise<void> {
  if (withoutProvenance.some(({ result }) => result === resolve(out)) || (await mayBeReplaced(path))) return
  throw new DflError(
    'BAD_OPTION',
    `Expected no other video where \`--compare\` writes, but got \`${path}\`, a file that is no comparison. Choose another \`--out\`, or move that file away.`,
    { data: { path } },
  )
}

/** Whether nothing is lost with what stands at a video's path: nothing, an empty file, or a result, which says so. */
async function mayBeReplaced(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  if (!found || (found.isFile() && found.size === 0)) return true
  if (!found.isFile()) return false
  const metadata = await probeVideo(path).then(
    (info) => Object.values(info.metadata),
    () => [],
  )
  if (metadata.some((text) => text.includes(DIGITAL_SOURCE_TYPE))) return true
  return (await readProvenance(path)).digitalSourceType === DIGITAL_SOURCE_TYPE
}

/** A path without links; as it is where nothing stands there yet. */
const realPath = (path: string) => realpath(path).catch(() => resolve(path))

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

/** Says where few programs play the sound of a result: PCM, as cameras write in MOV, is a newcomer to MP4. */
export async function* rarePlayedSound(out: string, frames: string): AsyncGenerator<StageReport> {
  if (!/^\.(mp4|m4v)$/i.test(extname(out))) return
  await using clip = await openFrames(frames)
  if (!clip.info.audio.some(({ codec }) => codec.startsWith('pcm_'))) return
  yield {
    event: 'warning',
    text: `The sound of ${basename(frames)} is PCM, which few programs play in MP4. Write .mov, where all do: --out ${basename(out, extname(out))}.mov`,
  }
}

/** The finished result of exactly this, if it stands there unchanged. */
export async function finishedResult(
  { record }: Workspace,
  { madeFrom, out }: { madeFrom: string; out: string },
): Promise<Pick<Merged, 'frames' | 'framesWithFace'> | undefined> {
  const merged = record.merged.find((one) => one.madeFrom === madeFrom && one.result === resolve(out))
  if (!merged) return undefined
  const bytes = await bytesOf(out).catch(() => undefined)
  if (bytes === undefined || bytes !== (merged.bytes ?? bytes)) return undefined
  return { frames: merged.frames, framesWithFace: merged.framesWithFace }
}

/** Size of a result; of a folder, that of its images. */
export const bytesOf = async (path: string) => (await footageStamp(path)).bytes
