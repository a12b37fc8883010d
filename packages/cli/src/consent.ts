import { join } from 'node:path'
import { DflError, isDflError } from '@dfl/core'
import { readTextFile, writeFileAtomic } from '@dfl/core/files'
import { type ConsentRecord, consentRecord, consentText, parseConsent } from '@dfl/provenance'
import type { Terminal } from './terminal.js'
import type { Workspace } from './workspace.js'

/** Where a workspace keeps its record. */
export const consentPath = (workspace: Workspace): string => join(workspace.folder, 'consent.json')

/** The consent record of a workspace; nothing where it has none. @throws DflError `BAD_OPTION` for a damaged one. */
export async function readConsent(workspace: Workspace): Promise<ConsentRecord | undefined> {
  const path = consentPath(workspace)
  const text = await readTextFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return undefined
  })
  return text === undefined ? undefined : parseConsent(text, path)
}

/** Keeps a record in the workspace, as JSON that people can read. Its bytes are those whose hash goes into manifests. */
export async function keepConsent(workspace: Workspace, record: ConsentRecord): Promise<void> {
  await writeFileAtomic(consentPath(workspace), consentText(record))
}

/**
 * Sees to it that the workspace has a consent record: that of the file, the one it has, or what the user answers on a
 * terminal, who is asked once. Gives what to say at the end where nobody could be asked and there is none.
 *
 * @throws DflError `NO_SUCH_FILE`, `BAD_OPTION` for a file that is no record.
 */
export async function settleConsent(
  workspace: Workspace,
  { file, terminal, signal }: { file?: string; terminal: Terminal; signal?: AbortSignal },
): Promise<string | undefined> {
  if (file !== undefined) return void (await keepConsent(workspace, await readRecord(file)))
  if (await readConsent(workspace)) return undefined
  const advice = `dfl consent --who <names> --scope <what for> --until <day> --workspace ${workspace.folder}`
  if (workspace.record.consentAsked) return undefined
  const why =
    'Whose faces are these, and what did they agree to? It is kept in the workspace as consent.json; its hash goes into\nthe result. Asked once; Enter leaves it out.\n'
  const who = await terminal.ask(`${why}  Who agreed: `, signal)
  if (who === undefined) return `There is no consent record in this workspace. Write one: ${advice}`
  if (who === '') {
    await workspace.update({ consentAsked: true })
    return void terminal.say(`  Left out. Later: ${advice}`)
  }
  const scope = (await terminal.ask('  To what (production, scenes, contract): ', signal)) || 'not said'
  for (;;) {
    const until = await terminal.ask('  Until when (2027-12-31; Enter for no end): ', signal)
    try {
      return void (await keepConsent(workspace, consentRecord({ who, scope, until })))
    } catch (error) {
      if (!isDflError(error, 'BAD_OPTION')) throw error
      terminal.say(`  ${error.message}`)
    }
  }
}

async function readRecord(file: string): Promise<ConsentRecord> {
  const text = await readTextFile(file).catch((cause) => {
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected a consent record for \`--consent\`, but there is nothing to read at \`${file}\`. Make one: dfl consent --who <names> --scope <what for>`,
      { data: { file }, cause },
    )
  })
  return parseConsent(text, file)
}
