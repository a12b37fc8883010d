import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { DflError } from '@dfl/core'
import { move } from '@dfl/core/files'
import { filenameProblem } from '../face-rules.js'
import { indexLog, type LogIndex } from '../index-log.js'
import { type FaceLine, parseLine } from '../log-lines.js'
import { LOG_NAME } from '../read-log.js'
import { replaceLog, rewrite } from '../rewrite.js'

/** A face's file name, and what it becomes. */
export interface Placement {
  filename: string
  newFilename: string
  /** What the face's `originalFilename` becomes. */
  originalFilename?: string
}

/**
 * Puts the faces of `folder` into another order, under other names: how many were renamed.
 *
 * Faces that `placements` leaves out come last, as they are. A crash at any moment leaves every face in the faceset once,
 * under its old or its new name, and calling it again finishes the rest.
 *
 * @throws DflError `BAD_OPTION` for a name that is not plain, that two faces would have, or that belongs to a third face.
 */
export async function arrange(folder: string, placements: readonly Placement[]): Promise<number> {
  const path = join(folder, LOG_NAME)
  const index = await indexLog(path)
  // A call that was stopped has renamed some of them already.
  const order = placements.map((one) =>
    !index.faces.has(one.filename) && index.faces.has(one.newFilename) ? { ...one, filename: one.newFilename } : one,
  )
  checkNames(order, index)
  const listed = new Set(order.map(({ filename }) => filename))
  const rest = [...index.faces.keys()].filter((filename) => !listed.has(filename))
  const all: Placement[] = [...order, ...rest.map((filename) => ({ filename, newFilename: filename }))]
  // A face stands in the log under both names, and in the folder under one: the line without an image does not count.
  const both = async function* (): AsyncGenerator<FaceLine> {
    const file = await open(path, 'r')
    try {
      for (const { filename, newFilename, originalFilename } of all) {
        const entry = index.faces.get(filename)
        if (!entry) continue
        const bytes = Buffer.alloc(entry.end - entry.start)
        await file.read(bytes, 0, bytes.length, entry.start)
        const line = parseLine(bytes.toString('utf8'), index.header)
        if (line?.kind !== 'face') continue
        const renamed = newFilename !== filename
        if (renamed) yield { ...line, face: { ...line.face, filename: newFilename, originalFilename } }
        yield line
      }
    } finally {
      await file.close()
    }
  }
  await replaceLog(path, index, both())
  let count = 0
  for (const { filename, newFilename } of order) {
    if (newFilename === filename || !index.faces.has(filename)) continue
    await move(join(folder, filename), join(folder, newFilename))
    count++
  }
  if (count > 0) await rewrite(folder, (face) => face)
  return count
}

function checkNames(order: readonly Placement[], index: LogIndex): void {
  const taken = new Set<string>()
  for (const { filename, newFilename } of order) {
    const problem = filenameProblem(newFilename)
    if (problem) throw new DflError('BAD_OPTION', `${problem} Choose another name.`)
    if (taken.has(newFilename) || (newFilename !== filename && index.faces.has(newFilename)))
      throw new DflError(
        'BAD_OPTION',
        `Expected a name of its own for each face, but got '${newFilename}' twice. Choose other names.`,
      )
    taken.add(newFilename)
  }
}
