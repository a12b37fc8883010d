import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { DflError } from './errors.js'

/**
 * Writes a whole file so that a crash at any moment leaves either the old one or the new one.
 *
 * New file beside it, fsync, rename, fsync of the folder. Creates the folder if it is missing.
 *
 * @throws DflError `DISK_FULL` when there is no room; what stood there before is untouched.
 */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.tmp`)
  try {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(data)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw explain(error, path)
  }
  await syncFolder(dirname(path))
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
