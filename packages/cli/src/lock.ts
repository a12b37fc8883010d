import { randomBytes } from 'node:crypto'
import { link, open, readFile, rename, rm, rmdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { DflError } from '@dfl/core'
import { explain, makeFolder, removeTemporaryFiles } from '@dfl/core/files'

interface Holder {
  pid: number
  host: string
  /** When its process began, in milliseconds since 1970: process numbers are used again. */
  since: number
  command: string
}

const NAME = 'workspace.lock'

/**
 * The right to write into a workspace, until it is disposed of. A lock whose process is gone is taken over, and what it left
 * half-written in the folder is removed.
 *
 * @param command  What this process is doing, for the message another one gets.
 * @throws DflError `WORKSPACE_BUSY` while another process has it.
 */
export async function lockWorkspace(folder: string, command: string): Promise<AsyncDisposable> {
  const path = join(folder, NAME)
  const since = Math.round(Date.now() - process.uptime() * 1000)
  const own = JSON.stringify({ pid: process.pid, host: hostname(), since, command } satisfies Holder)
  const made = await makeFolder(folder)
  for (let attempt = 0; attempt < 5; attempt++) {
    if (await take(path, own)) {
      await removeTemporaryFiles(folder)
      return {
        async [Symbol.asyncDispose]() {
          await release(path, own)
          if (made !== undefined) await rmdir(folder).catch(() => {}) // Only where nothing came into it.
        },
      }
    }
    const text = await readFile(path, 'utf8').catch(() => undefined)
    if (text === undefined) continue // It was released just now.
    const holder = parse(text)
    if (holder && isAlive(holder, since)) throw busy(folder, holder, path)
    await putAside(path, text)
  }
  throw busy(folder, parse(await readFile(path, 'utf8').catch(() => '')), path)
}

/** Makes the lock appear with its content, or not at all; false where one is there already. */
async function take(path: string, content: string): Promise<boolean> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}`
  try {
    const file = await open(temporary, 'wx')
    await file.writeFile(content).finally(() => file.close())
    await link(temporary, path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (code === 'ENOSPC' || code === 'EACCES' || code === 'EROFS')
      throw explain(Object.assign(error as object, { path: dirname(path) }), path)
    return takeWithoutLinks(path, content) // exFAT and some network drives have no links.
  } finally {
    await rm(temporary, { force: true })
  }
}

async function takeWithoutLinks(path: string, content: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx')
    await file.writeFile(content).finally(() => file.close())
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw explain(error, path)
  }
}

/** Moves a dead lock away. Where another process was faster and the lock is a new one by now, it is put back. */
async function putAside(path: string, dead: string): Promise<void> {
  const aside = `${path}.${randomBytes(4).toString('hex')}`
  try {
    await rename(path, aside)
  } catch {
    return
  }
  if ((await readFile(aside, 'utf8').catch(() => dead)) !== dead) await link(aside, path).catch(() => {})
  await rm(aside, { force: true })
}

async function release(path: string, own: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => '')) === own) await rm(path, { force: true })
}

function parse(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Holder
    return Number.isInteger(holder.pid) && typeof holder.host === 'string' ? holder : undefined
  } catch {
    return undefined
  }
}

/** Whether the holder may still be at work. Processes of other machines count as alive: nobody here can tell. */
function isAlive({ pid, host, since }: Holder, ownSince: number): boolean {
  if (host !== hostname()) return true
  if (pid === process.pid) return Math.abs(since - ownSince) < 2000
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function busy(folder: string, holder: Holder | undefined, path: string): DflError {
  const who = holder
    ? `one that \`dfl ${holder.command}\` uses (process ${holder.pid} on ${holder.host})`
    : 'one in use'
  return new DflError(
    'WORKSPACE_BUSY',
    `Expected a free workspace in \`${folder}\`, but got ${who}. Wait for it, use another --workspace, or, if that process is long gone, delete \`${path}\`.`,
    { data: { folder, ...holder } },
  )
}
