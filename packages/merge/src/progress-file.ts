import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { removeTemporaryFiles, writeFileAtomic } from '@dfl/core/files'
import type { FaceNotes } from './merge-face.js'

/** A finished stretch of frames. */
export interface FinishedPart {
  /** File inside the work folder, for videos. */
  file?: string
  /** Size of that file, to notice damage. */
  bytes?: number
  frames: number
  /** How many of them have a face. */
  framesWithFaces: number
  /** Time of its first frame, in ticks of the clip's clock. */
  startPts: number
  /** What the stages noted about the faces of its last frame. */
  notes: FaceNotes[]
}

/** What a merge has finished, as it stands on disk. */
export interface MergeState {
  /** All that the result depends on. Another text means another result: the merge then starts from the beginning. */
  madeFrom: string
  parts: FinishedPart[]
  /** Whether the last frame of the clip is among the finished ones. */
  complete: boolean
}

const NAME = 'merge.json'
const VERSION = 1

/**
 * The state of the merge that left `folder` behind, if it was made from the same; otherwise an empty one.
 *
 * Files that the state does not know, such as a part that was being written, are removed. A part that is gone or has
 * another size is made again with all that follow it.
 */
export async function openState(folder: string, madeFrom: string): Promise<MergeState> {
  await mkdir(folder, { recursive: true })
  await removeTemporaryFiles(folder)
  const found = await readState(folder)
  const empty: MergeState = { madeFrom, parts: [], complete: false }
  const state = found?.madeFrom === madeFrom ? found : empty
  for (const [i, part] of state.parts.entries()) {
    if (part.file === undefined) continue
    const size = await stat(join(folder, part.file))
      .then((file) => file.size)
      .catch(() => undefined)
    if (size === part.bytes) continue
    Object.assign(state, { parts: state.parts.slice(0, i), complete: false })
    break
  }
  const known = new Set([NAME, ...state.parts.map(({ file }) => file)])
  for (const name of await readdir(folder))
    if (!known.has(name) && /^part-\d+\./.test(name)) await rm(join(folder, name), { force: true })
  return state
}

/** Writes the state so that a crash leaves the old one or the new one. */
export async function saveState(folder: string, state: MergeState): Promise<void> {
  await writeFileAtomic(join(folder, NAME), `${JSON.stringify({ version: VERSION, ...state }, undefined, 1)}\n`)
}

/** Name of the file of a part. MOV holds every codec that can be written and keeps times to the tick. */
export const partFile = (index: number) => `part-${String(index).padStart(5, '0')}.mov`

/** Nothing where there is no state, or none that this version can read: the merge then starts from the beginning. */
async function readState(folder: string): Promise<MergeState | undefined> {
  try {
    const { version, madeFrom, parts, complete } = JSON.parse(await readFile(join(folder, NAME), 'utf8'))
    const sound =
      version === VERSION &&
      typeof madeFrom === 'string' &&
      typeof complete === 'boolean' &&
      Array.isArray(parts) &&
      parts.every(
        ({ frames, startPts, notes }) =>
          Number.isSafeInteger(frames) && Number.isSafeInteger(startPts) && Array.isArray(notes),
      )
    return sound ? { madeFrom, parts, complete } : undefined
  } catch {
    return undefined
  }
}
