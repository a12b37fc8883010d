import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DflError } from '@dfl/core'
import { exists } from '@dfl/core/files'
import type { DeviceChoice } from '@dfl/engine'
import { type FacesetInfo, openFaceset } from '@dfl/faceset'
import { type MergeOptions, readSettings, type SettingsEntry } from '@dfl/merge'
import { leftOutOf } from './left-out.js'
import type { Comparison } from './merge-extras.js'
import type { ProvenanceJob } from './provenance.js'
import type { Workspace } from './workspace.js'

/** What a merge is asked for. */
export interface MergeJob {
  /** DST's clip; the one that was extracted if not given. */
  input?: string
  /** What messages call the input: '--input'. */
  flag?: string
  /** Merges into `input` even if it is not the footage that the faces were found in. */
  otherFootage?: boolean
  /** A video, or a folder for images; `result.mp4` in the workspace if not given. */
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

/**
 * DST's clip: the one that is given, or the one that was extracted.
 *
 * @throws DflError `NO_SUCH_FILE` when there is neither.
 */
export function dstClipOf({ folder, record }: Workspace, { input, flag = '--input' }: MergeJob): string {
  const clip = input ?? record.clips.dst?.path
  if (clip !== undefined) return clip
  throw new DflError(
    'NO_SUCH_FILE',
    `Expected DST's clip for \`${flag}\`, but it was not given, and no faces of DST were extracted in \`${folder}\` yet. Run first: dfl extract --side dst --input <clip> --workspace ${folder}`,
  )
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

/** Where settings of shots and frames are read from. */
export const settingsFile = ({ folder }: Workspace, file: string | undefined) => file ?? join(folder, 'merge.json')

/** The settings of a file; without one those in the workspace, if there are any. */
export async function settingsFor(workspace: Workspace, file: string | undefined): Promise<SettingsEntry[]> {
  const path = settingsFile(workspace, file)
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
export async function missingFaces(workspace: Workspace, merged: { clip: string; frames: number }): Promise<string[]> {
  const { info } = await openFaceset(workspace.faceset.dst)
  const leftOut = leftOutOf(info, workspace.faceset.dst)
  const unfinished = unfinishedExtraction(workspace, info, merged)
  return [leftOut, unfinished].filter((text) => text !== undefined)
}

function unfinishedExtraction(
  workspace: Workspace,
  info: FacesetInfo,
  merged: { clip: string; frames: number },
): string | undefined {
  const done = info.sources.reduce((sum, { framesDone }) => sum + framesDone, 0)
  if (done === 0 || done >= merged.frames) return undefined
  return `Faces of DST were looked for in ${done} of ${merged.frames} frames; the others stay as they are. Finish the extraction, then merge again: dfl extract --side dst --input ${merged.clip} --workspace ${workspace.folder}`
}
