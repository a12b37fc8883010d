import { stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { DflError } from '@dfl/core'
import { exists } from '@dfl/core/files'
import type { DeviceChoice } from '@dfl/engine'
import { type Faceset, openFaceset } from '@dfl/faceset'
import { type MergeOptions, readSettings, type SettingsEntry } from '@dfl/merge'
import { knownClip } from './clips.js'
import { leftOutOf } from './left-out.js'
import type { Comparison } from './merge-extras.js'
import type { ProvenanceJob } from './provenance.js'
import { type ClipIdentity, identifyClip, type KnownClip, type Workspace } from './workspace.js'

/** What a merge is asked for. */
export interface MergeJob {
  /** DST's clip; the one that was extracted if not given, where it is only one. */
  input?: string
  /** What messages call the input: '--input'. */
  flag?: string
  /** Merges into `input` even if it is not the footage that the faces were found in. */
  otherFootage?: boolean
  /** A video, or a folder for images; `result.mp4` in the workspace if not given, of several clips `result-shot2.mp4`. */
  out?: string
  options?: Partial<MergeOptions>
  /** What the model is told besides the faces: { morph: 0.5 }. */
  controls?: Readonly<Record<string, number>>
  /** Folder of a trained XSeg, for masks that name it; `xseg` in the workspace if not given. */
  xseg?: string
  /** Where the model paints: `cpu` by default. */
  device?: DeviceChoice
  provenance?: ProvenanceJob
  /** Makes the result again though nothing has changed. */
  again?: boolean
  /** File of settings for shots and frames; `merge.json` in the workspace, where there is one, if not given. */
  settings?: string
  /** Frames that are wanted, such as '120-240'; all if not given. */
  frames?: string
  /** Frames to write as PNG beside the result, such as '10,300'. */
  stills?: string
  /** A second video that shows DST's clip and the result together. */
  compare?: Comparison
  /** Folder for a compositor's package. */
  package?: string
}

/** DST's clip as it is merged, and what its faces are found by. */
export interface DstClip extends ClipIdentity {
  /** The clip that its faces were found in, where that is known: itself, or what it is a copy of. */
  known?: KnownClip
  /** What names files of its own in the workspace: '' where it is the only clip of DST, '-shot2' of several. */
  suffix: string
}

/**
 * DST's clip: the one that is given, or the one that was extracted. Of several the one that it is, or whose name it has: 'shot2.mov'
 * is taken for a copy of 'shot2.mp4'.
 *
 * @throws DflError `NO_SUCH_FILE` when there is none; `BAD_OPTION` when it is not clear which is meant.
 */
export async function dstClipOf(
  { folder, record }: Workspace,
  { input, flag = '--input' }: Pick<MergeJob, 'input' | 'flag'>,
): Promise<DstClip> {
  const clips = record.clips.dst
  const only = clips.length === 1 ? clips[0] : undefined
  const path = input ?? only?.path
  const choice = clips.map((clip) => clip.path).join(', ')
  if (path === undefined && clips.length > 1)
    throw new DflError(
      'BAD_OPTION',
      `Expected one of DST's ${clips.length} clips for \`${flag}\`, but got none. Say which: ${choice}`,
      { data: { clips: clips.map((clip) => clip.path) } },
    )
  if (path === undefined)
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected DST's clip for \`${flag}\`, but it was not given, and no faces of DST were extracted in \`${folder}\` yet. Run first: dfl extract --side dst --input <clip> --workspace ${folder}`,
    )
  const clip = await identifyClip(path, flag)
  const stem = (of: string) => basename(of, extname(of))
  const known = only ?? knownClip(clips, clip) ?? clips.find((one) => stem(one.path) === stem(path))
  if (!known && clips.length > 1)
    throw new DflError(
      'BAD_OPTION',
      `Expected one of DST's clips for \`${flag}\`, or a copy that is named as one of them, but got \`${path}\`. They are: ${choice}`,
      { data: { clips: clips.map((one) => one.path) } },
    )
  return {
    ...clip,
    ...(known ? { known } : {}),
    suffix: clips.length > 1 ? `-${stem(known!.name ?? known!.path)}` : '',
  }
}

/**
 * Controls as they are typed: 'morph=0.5', several with commas between them.
 *
 * @throws DflError `BAD_OPTION` for anything else.
 */
export function parseControls(text: string): Record<string, number> {
  return Object.fromEntries(
    text.split(',').map((one) => {
      const [, name, number] = /^\s*([A-Za-z]\w*)=(\d+(?:\.\d+)?|\.\d+)\s*$/.exec(one) ?? []
      if (name !== undefined) return [name, Number(number)]
      throw new DflError(
        'BAD_OPTION',
        `Expected a name and a number, such as morph=0.5, for \`control\`, but got '${text}'. Correct it; dfl model info lists what a model can be told.`,
      )
    }),
  )
}

/** Where settings of shots and frames are read from: `merge.json` in the workspace, or of several clips `merge-shot2.json`. */
export const settingsFile = ({ folder }: Workspace, { suffix }: DstClip, file: string | undefined) =>
  file ?? join(folder, `merge${suffix}.json`)

/** The settings of a file; without one those in the workspace, if there are any. */
export async function settingsFor(
  workspace: Workspace,
  clip: DstClip,
  file: string | undefined,
): Promise<SettingsEntry[]> {
  const path = settingsFile(workspace, clip, file)
  return file === undefined && !(await exists(path)) ? [] : readSettings(path)
}

/** What tells one state of a faceset and its masks from another. */
export async function stateOf(faceset: string): Promise<readonly number[]> {
  const found = await Promise.all(
    [faceset, join(faceset, 'faces.jsonl'), join(faceset, 'masks')].map((path) => stat(path).catch(() => undefined)),
  )
  return found.flatMap((one) => (one ? [one.isDirectory() ? 0 : one.size, one.mtimeMs] : [0, 0]))
}

/** What to say where faces of DST are gone, or were only looked for in a part of the clip. */
export async function missingFaces(workspace: Workspace, merged: { clip: DstClip; frames: number }): Promise<string[]> {
  const faceset = await openFaceset(workspace.faceset.dst)
  const leftOut = leftOutOf(faceset.info, workspace.faceset.dst)
  const unfinished = unfinishedExtraction(workspace, faceset, merged)
  return [leftOut, unfinished].filter((text) => text !== undefined)
}

function unfinishedExtraction(
  workspace: Workspace,
  faceset: Faceset,
  { clip: { path, known }, frames }: { clip: DstClip; frames: number },
): string | undefined {
  const done = faceset.framesDone().get(known?.name ?? basename(known?.path ?? path))?.size ?? 0
  if (done === 0 || done >= frames) return undefined
  return `Faces of DST were looked for in ${done} of ${frames} frames; the others stay as they are. Finish the extraction, then merge again: dfl extract --side dst --input ${path} --workspace ${workspace.folder}`
}
