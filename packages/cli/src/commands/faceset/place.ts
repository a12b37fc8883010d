import { dirname, join } from 'node:path'
import { DflError, type Side } from '@dfl/core'
import { exists, move } from '@dfl/core/files'
import { type Faceset, openFaceset } from '@dfl/faceset'
import { type Flag, textFlag } from '../../flags.js'
import { leftOutOf } from '../../left-out.js'
import { lockWorkspace } from '../../lock.js'
import { openWorkspace } from '../../workspace.js'
import { type CommandContext, workspaceOf } from '../command.js'
import { sideFlag, workspaceFlag } from '../shared-flags.js'

/** Flags that say which faceset is meant: a side of a workspace, or a folder. */
export const placeFlags = (input = 'A faceset: its folder, or its packed file.'): Flag[] => [
  sideFlag("A side's faceset of the workspace.", false),
  workspaceFlag(),
  textFlag('input', input, { placeholder: 'path' }),
]

/** Where a result goes that is no change of the faceset itself. */
export const outFlag = (description: string, required = true): Flag =>
  textFlag('out', description, { placeholder: 'path', required })

type Main = Readonly<Record<string, unknown>>

/** The path of the faceset that a command line means. @throws DflError `BAD_OPTION` when it means none or two. */
export async function facesetPath(main: Main): Promise<string> {
  const { side, input } = main as { side?: Side; input?: string }
  if ((side === undefined) === (input === undefined))
    throw new DflError(
      'BAD_OPTION',
      `Expected --side src, --side dst or --input <path>, but got ${side === undefined ? 'none' : 'two'} of them. Say which faceset is meant.`,
    )
  return input ?? (await openWorkspace(workspaceOf(main))).faceset[side!]
}

/** Opens a faceset to make something of it, and warns of what the result will lack. */
export async function openToCopy(path: string, { terminal }: CommandContext): Promise<Faceset> {
  const faceset = await openFaceset(path)
  const text = leftOutOf(faceset.info, path)
  if (text) terminal.report({ event: 'warning', text })
  return faceset
}

/** Does `work` on the faceset that a command line means, while nobody else changes it. */
export async function withFaceset<T>(main: Main, command: string, work: (path: string) => Promise<T>): Promise<T> {
  const path = await facesetPath(main)
  await finishReplacing(path)
  // A faceset inside a workspace is that workspace's: training may be reading it just now.
  const workspace = join(dirname(path), '..')
  const inWorkspace = main.side !== undefined || (await exists(join(workspace, 'workspace.json')))
  await using _ = await lockWorkspace(inWorkspace ? workspace : path, command)
  return await work(path)
}

/** Where a changed copy is made: at --out, or beside the faceset, which it will replace. */
export function copyTarget(path: string, out: string | undefined): { folder: string; replaces: boolean } {
  return out === undefined ? { folder: `${path}.new`, replaces: true } : { folder: out, replaces: false }
}

/** Puts a finished copy in the place of its faceset, which stays beside it as `<name>.old`. */
export async function replaceFaceset(path: string): Promise<void> {
  if (await exists(`${path}.old`))
    throw new DflError(
      'BAD_STATE',
      `Expected no folder at \`${path}.old\`, where the faceset goes that was there before, but got one. ` +
        'Remove it, or move it away, and run the same command again.',
      { data: { path } },
    )
  await move(path, `${path}.old`)
  await move(`${path}.new`, path)
}

/** A replacing that was stopped between its two renames. */
async function finishReplacing(path: string): Promise<void> {
  if ((await exists(`${path}.new`)) && (await exists(`${path}.old`)) && !(await exists(path)))
    await move(`${path}.new`, path)
}
