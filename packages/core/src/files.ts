import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DflError } from './errors.js'

/**
 * Writes a whole file so that a crash at any moment leaves either the old one or the new one.
 *
 * New file beside it, fsync, rename, fsync of the folder. Creates the folder if it is missing.
 *
 * @throws DflError `DISK_FULL` when there is no room; what stood there before is untouched.
 */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  await using draft = await draftFile(path)
  await draft.write(data)
  await draft.commit()
}

/** A file that is being written, piece by piece, under a passing name. Removed when it is disposed of uncommitted. */
export interface FileDraft extends AsyncDisposable {
  /** Adds to the end. @throws DflError `DISK_FULL` when there is no room. */
  write(data: Uint8Array | string): Promise<void>
  /** Puts the file in its place, at once and as a whole. */
  commit(): Promise<void>
}

/** A draft of the file at `path`: until it is committed, what stands there is untouched, as with `writeFileAtomic`. */
export async function draftFile(path: string): Promise<FileDraft> {
  const folder = dirname(path)
  await makeFolder(folder)
  const temporary = join(folder, `.${basename(path)}.${randomBytes(4).toString('hex')}.tmp`)
  const inOurWords = (error: unknown) => {
    // Whoever reads it knows the file by its own name, not by the passing one.
    throw explain(Object.assign(error as object, { path }), path)
  }
  const file = await open(temporary, 'wx').catch(inOurWords)
  let state: 'open' | 'closed' | 'committed' = 'open'
  return {
    write: (data) => file.writeFile(data).catch(inOurWords),
    async commit() {
      try {
        await file.sync()
        state = 'closed'
        await file.close()
        await move(temporary, path)
        state = 'committed'
      } catch (error) {
        inOurWords(error)
      }
      await syncFolder(folder)
    },
    async [Symbol.asyncDispose]() {
      if (state === 'open') await file.close()
      if (state !== 'committed') await rm(temporary, { force: true })
    },
  }
}

/** Puts a finished file in its place, at once and as a whole: fsync, rename, fsync of the folder. */
export async function putInPlace(finished: string, path: string): Promise<void> {
  const file = await open(finished, 'r+')
  await file.sync().finally(() => file.close())
  await move(finished, path)
  await syncFolder(dirname(path))
}

/** Tries, and how long between them: Windows refuses to move what a viewer or a virus scanner reads just now. */
const PATIENCE = process.platform === 'win32' ? { tries: 20, milliseconds: 50 } : { tries: 1, milliseconds: 0 }

/**
 * Gives a file or folder another path on the same disk. A file that stands there is replaced.
 *
 * @param patience How often to try, and how long to wait in between, while another program holds one of the two.
 * @throws DflError `BAD_STATE` when that has been in vain; the system's own error where it knows no such refusal.
 */
export async function move(from: string, to: string, patience = PATIENCE): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await rename(from, to)
    } catch (error) {
      const inUse = ['EPERM', 'EACCES', 'EBUSY'].includes((error as NodeJS.ErrnoException).code ?? '')
      if (!inUse || patience.tries === 1) throw error
      if (attempt >= patience.tries)
        throw new DflError(
          'BAD_STATE',
          `Expected to put a file at \`${to}\`, but got no permission, or a program that has it open. Close it there and run the same command again, or choose another place.`,
          { data: { path: to }, cause: error },
        )
      await sleep(patience.milliseconds)
    }
  }
}

/**
 * Makes a folder, and those above it that are missing; gives back the topmost one that it made, if it made any.
 *
 * Node's own recursive mkdir never returns where the system takes no folders, such as below /proc.
 *
 * @throws DflError `BAD_STATE` in such places; `DISK_FULL`.
 */
export async function makeFolder(path: string): Promise<string | undefined> {
  const first = await tryFolder(path)
  if (first === 'made') return path
  if (first === 'there') return undefined
  const above = dirname(path)
  const made = above === path ? undefined : await makeFolder(above)
  // Another may make the same folders meanwhile, so the one above being there means nothing before this was tried again.
  const second = await tryFolder(path)
  if (second === 'made') return made ?? path
  if (second === 'there') return made
  throw new DflError(
    'BAD_STATE',
    `Expected to make the folder \`${path}\`, but \`${above}\` ${above === path ? 'is not there' : 'takes no folders'}. Choose another place.`,
    { data: { path }, cause: second },
  )
}

/** Makes one folder, or finds it there; the system's error where it says that the one above is not. */
async function tryFolder(path: string): Promise<'made' | 'there' | Error> {
  try {
    await mkdir(path)
    return 'made'
  } catch (error) {
    const found = await stat(path).catch(() => undefined)
    if (found?.isDirectory()) return 'there'
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw explain(error, path)
    return error as Error
  }
}

/** Makes renames inside a folder survive a power cut. Does nothing where folders cannot be opened (Windows). */
export async function syncFolder(path: string): Promise<void> {
  let folder: FileHandle | undefined
  try {
    folder = await open(path, constants.O_RDONLY)
    await folder.sync()
  } catch {
    // Windows cannot open folders, and some file systems cannot sync them: the rename itself is still atomic.
  } finally {
    await folder?.close()
  }
}

/** Removes what a killed `writeFileAtomic` left in a folder. Call it only when no other writer is at work there. */
export async function removeTemporaryFiles(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (/^\..+\.[0-9a-f]{8}\.tmp$/.test(name)) await rm(join(folder, name), { force: true })
  }
}

/** The text of a file that people write: UTF-8, or UTF-16 as some programs of Windows write, without the mark before it. */
export async function readTextFile(path: string): Promise<string> {
  const bytes = await readFile(path)
  const wide = bytes[0] === 0xff && bytes[1] === 0xfe
  return new TextDecoder(wide ? 'utf-16le' : 'utf-8').decode(bytes)
}

/** Whether a file or folder stands there. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** The error of a failed write in this project's words; anything unknown comes back as it is. */
export function explain(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new DflError(
      'DISK_FULL',
      `Expected room to write \`${path}\`, but the disk is full. Free some space and run the same command again; what was finished is kept.`,
      { data: { path }, cause: error },
    )
  return error
}
