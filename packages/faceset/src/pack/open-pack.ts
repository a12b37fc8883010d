import { type FileHandle, open, stat } from 'node:fs/promises'
import { DflError } from '@dfl/core'
import { filenameProblem } from '../face-rules.js'
import type { LogPlace } from '../index-log.js'
import type { FacesetFiles } from '../open-faceset.js'
import { LOG_NAME } from '../read-log.js'
import { localHeaderLengthOf, NO_ARCHIVE, readDirectory, show, type ZipEntry } from './zip-format.js'

/** Largest image or mask that is read, in bytes. */
const MAX_FILE = 2 ** 28

/**
 * The files of a packed faceset, and where its log stands.
 *
 * The pack is opened for each read and never unpacked: names in it lead nowhere, and its size is all it can take.
 *
 * @throws DflError `CORRUPT_FILE` when it is not a packed faceset.
 */
export async function openPack(path: string): Promise<{ files: FacesetFiles; log: LogPlace }> {
  const { size, ino } = await stat(path)
  const entries = await withFile(path, async (file) => {
    const tail = await readAt(file, Math.max(0, size - 98), Math.min(98, size))
    return readDirectory(tail, size, (position, length) => readAt(file, position, length))
  })
  if (typeof entries === 'string') throw notAPack(path, entries)
  const byName = new Map(entries.map((entry) => [entry.name, entry]))
  const logEntry = byName.get(LOG_NAME)
  if (!logEntry) throw notAPack(path, `one without ${LOG_NAME}`)
  const images = new Set(entries.map(({ name }) => name).filter((name) => filenameProblem(name) === undefined))
  const startByte = await withFile(path, (file) => dataOffset(file, logEntry, path))
  const files: FacesetFiles = {
    place: path,
    logPath: path,
    async read(name) {
      const entry = byName.get(name)
      if (!entry) throw Object.assign(new Error(`There is no ${name} in ${path}.`), { code: 'ENOENT', path })
      if (entry.size > MAX_FILE) throw notAPack(path, `one whose file ${show(name)} has ${entry.size} bytes`)
      return withFile(path, async (file) => {
        if ((await file.stat()).ino !== ino)
          throw new DflError(
            'BAD_STATE',
            `Expected \`${path}\` as it was when it was opened, but got another file. Open the faceset again.`,
            { data: { path } },
          )
        return readAt(file, await dataOffset(file, entry, path), entry.size)
      })
    },
  }
  return { files, log: { startByte, endByte: startByte + logEntry.size, images } }
}

async function dataOffset(file: FileHandle, entry: ZipEntry, path: string): Promise<number> {
  const { name, offset } = entry
  const length = localHeaderLengthOf(await readAt(file, offset, 30 + Buffer.byteLength(name)), entry)
  if (length === undefined) throw notAPack(path, `one whose file ${show(name)} is another one where it stands`)
  return offset + length
}

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, 'r')
  try {
    return await use(file)
  } finally {
    await file.close()
  }
}

/** Bytes from a position on; fewer where the file ends before. */
async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  const { bytesRead } = await file.read(bytes, 0, length, position)
  return bytes.subarray(0, bytesRead)
}

const notAPack = (path: string, got: string = NO_ARCHIVE) =>
  new DflError(
    'CORRUPT_FILE',
    `Expected a packed faceset in \`${path}\`, but got ${got}. ` +
      'Pack the faceset again. Facesets of other programs are opened by importing them.',
    { data: { path } },
  )
