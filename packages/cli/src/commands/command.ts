import type { Given } from '../arguments.js'
import type { Stage, StageContext } from '../events.js'
import type { FlagGroup } from '../flags.js'
import { switchFlag } from '../flags.js'
import type { Described } from '../help.js'
import type { KeySource } from '../keys.js'
import { lockWorkspace } from '../lock.js'
import type { Terminal } from '../terminal.js'
import { openWorkspace, type Workspace } from '../workspace.js'

/** What a command gets besides its flags. */
export interface CommandContext extends StageContext {
  terminal: Terminal
  /** Where keys come from. */
  stdin?: KeySource
}

/** How a command ended: whether it was stopped by the user, and an exit code other than 0 if it has one. */
export interface Outcome {
  stopped: boolean
  exitCode?: number
}

/** One command of the program. */
export interface Command extends Described {
  verbs?: readonly Command[]
  /** The option that may be given without its name, right after the command. */
  takes?: string
  run(given: Given, context: CommandContext): Promise<Outcome>
}

/** The folder that commands work in when none is named. */
export const USUAL_WORKSPACE = 'workspace'

/** The flags every command has. */
export const generalFlags: FlagGroup = {
  key: 'general',
  title: 'General',
  flags: [
    switchFlag('json', 'One JSON object a line on stdout, for programs.'),
    switchFlag('debug', 'Show where in the code an error came from.'),
    switchFlag('help', 'This text.'),
  ],
}

/** The workspace that a command line names, or the usual one. */
export const workspaceOf = (main: Readonly<Record<string, unknown>> = {}, usual = USUAL_WORKSPACE): string =>
  (main.workspace as string | undefined) ?? usual

/** A workspace of a command line, locked for as long as `work` takes. */
export async function inWorkspace<T>(
  folder: string,
  command: string,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  await using _ = await lockWorkspace(folder, command)
  // Awaited here: the lock must hold until the work is done.
  return await work(await openWorkspace(folder))
}

/** Walks a stage to its end, showing what it reports; gives what it made. */
export async function follow<Result>(stage: Stage<Result>, terminal: Terminal): Promise<Result> {
  for (;;) {
    const next = await stage.next()
    if (next.done) return next.value
    terminal.report(next.value)
  }
}
