import { copyFile, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DflError, type FaceMeta } from '@dfl/core'
import { exists, move, syncFolder } from '@dfl/core/files'
import { createFaceset } from '../create-faceset.js'
import { indexLog } from '../index-log.js'
import { type FaceLine, printLine } from '../log-lines.js'
import { MASK_FOLDER, readFaces } from '../open-faceset.js'
import { LOG_NAME } from '../read-log.js'
import { rewrite } from '../rewrite.js'
import { freeName } from './continue-faceset.js'

/** Name of the folder inside a faceset's folder for faces that were put aside. It is a faceset of its own. */
export const REJECT_FOLDER = 'rejected'

/**
 * Puts faces aside, into the faceset `rejected` inside the folder: how many. Nothing is deleted, see `restoreFaces`.
 *
 * @param reasons Of every face that is put aside, by file name; they stand in its `rejected` from then on.
 */
export async function rejectFaces(folder: string, reasons: ReadonlyMap<string, readonly string[]>): Promise<number> {
  return moveFaces(folder, join(folder, REJECT_FOLDER), (face) => {
    const rejected = reasons.get(face.filename)
    return rejected && { ...face, rejected }
  })
}

/**
 * Brings back faces that were put aside: how many.
 *
 * @param wanted Which of them; all if not given.
 */
export async function restoreFaces(folder: string, wanted: (face: FaceMeta) => boolean = () => true): Promise<number> {
  const rejects = join(folder, REJECT_FOLDER)
  if (!(await exists(join(rejects, LOG_NAME)))) return 0
  return moveFaces(rejects, folder, (face) => {
    const { rejected: _, ...rest } = face
    return wanted(face) ? rest : undefined
  })
}

/**
 * Moves faces from one folder's faceset to another's: how many.
 *
 * A face belongs to the folder that holds its image, so moving the image moves the face, at once and as a whole: its line
 * is written before at the new place, and removed after from the old one. A crash between leaves every face in one place
 * only, and calling it again moves the rest.
 *
 * @param change The face as it is from then on, or nothing for those that stay.
 */
async function moveFaces(
  fromFolder: string,
  toFolder: string,
  change: (face: FaceMeta) => FaceMeta | undefined,
): Promise<number> {
  const fromPath = join(fromFolder, LOG_NAME)
  const index = await indexLog(fromPath)
  const { faceType, size } = index.header
  await using _ = await createFaceset(toFolder, { faceType, size }) // Makes it, and mends a line that was cut off.
  const taken = new Set((await readdir(toFolder)).map((name) => name.toLowerCase()))
  const moves: { from: string; to: string; mask?: string }[] = []
  const lines: FaceLine[] = []
  for await (const face of readFaces(fromPath, index)) {
    const changed = change(face)
    if (!changed) continue
    const to = freeName(face.filename, taken)
    moves.push({ from: face.filename, to, mask: face.mask })
    lines.push({ kind: 'face', crc32: index.faces.get(face.filename)!.crc32, face: { ...changed, filename: to } })
  }
  if (moves.length === 0) return 0
  for (const { mask } of moves) if (mask) await copyMask(fromFolder, toFolder, mask)
  await appendLines(join(toFolder, LOG_NAME), lines)
  for (const { from, to } of moves) await move(join(fromFolder, from), join(toFolder, to))
  await syncFolder(toFolder)
  await rewrite(fromFolder, (face) => face)
  for (const { mask } of moves) if (mask) await rm(join(fromFolder, MASK_FOLDER, mask), { force: true })
  return moves.length
}

async function copyMask(fromFolder: string, toFolder: string, mask: string): Promise<void> {
  const to = join(toFolder, MASK_FOLDER, mask)
  await mkdir(join(toFolder, MASK_FOLDER), { recursive: true })
  await copyFile(join(fromFolder, MASK_FOLDER, mask), to).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected the mask of a face at \`${join(fromFolder, MASK_FOLDER, mask)}\`, but it is gone. Import the masks again.`,
      { data: { mask }, cause },
    )
  })
  const file = await open(to, 'r+') // Windows forces to disk only what is open for writing.
  await file.sync().finally(() => file.close())
}

async function appendLines(path: string, lines: readonly FaceLine[]): Promise<void> {
  const log = await open(path, 'a')
  try {
    for (let i = 0; i < lines.length; i += 500)
      await log.appendFile(
        lines
          .slice(i, i + 500)
          .map((line) => `${printLine(line)}\n`)
          .join(''),
      )
    await log.sync()
  } finally {
    await log.close()
  }
}
