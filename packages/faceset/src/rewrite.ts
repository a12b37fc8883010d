import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DflError, type FaceMeta } from '@dfl/core'
import { explain, syncFolder } from '@dfl/core/files'
import { faceProblem } from './face-rules.js'
import { indexLog } from './index-log.js'
import { printLine } from './log-lines.js'
import { readFaces } from './open-faceset.js'
import { LOG_NAME } from './read-log.js'

/**
 * Changes what is known of the faces in `folder`: how many were kept.
 *
 * `change` is called for one face after the other and gives the face to keep, or nothing to take it out of the faceset;
 * its image file stays in the folder. A crash at any moment leaves either the old or the new metadata. No writer may be
 * open on the folder meanwhile.
 *
 * @throws DflError `BAD_OPTION` when a changed face breaks the rules or changes its file name, face type or size;
 * nothing is changed then.
 */
export async function rewrite(
  folder: string,
  change: (face: FaceMeta) => FaceMeta | undefined | Promise<FaceMeta | undefined>,
): Promise<number> {
  const path = join(folder, LOG_NAME)
  const index = await indexLog(path)
  const temporary = join(folder, `.${LOG_NAME}.${randomBytes(4).toString('hex')}.tmp`)
  const file = await open(temporary, 'wx')
  let kept = 0
  let text = `${printLine(index.header)}\n`
  const write = async (line: string, most: number) => {
    text += line
    if (text.length <= most) return
    await file.writeFile(text)
    text = ''
  }
  try {
    try {
      for await (const face of readFaces(path, index)) {
        const changed = await change(structuredClone(face))
        if (!changed) continue
        checkChanged(face, changed)
        const { crc32 } = index.faces.get(face.filename)!
        await write(`${printLine({ kind: 'face', crc32, face: changed })}\n`, 1 << 20)
        kept++
      }
      for (const [source, frames] of index.done)
        for (const frameIndex of frames)
          await write(`${printLine({ kind: 'frameDone', source, frameIndex })}\n`, 1 << 20)
      await write('', 0)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw explain(error, path)
  }
  await syncFolder(folder)
  return kept
}

function checkChanged(face: FaceMeta, changed: FaceMeta): void {
  const problem = faceProblem(changed)
  if (problem) throw new DflError('BAD_OPTION', `${problem} Correct what was made of '${face.filename}'.`)
  for (const name of ['filename', 'faceType', 'size'] as const)
    if (changed[name] !== face[name])
      throw new DflError(
        'BAD_OPTION',
        `Expected the same \`${name}\` as before for '${face.filename}', but got '${changed[name]}'. Leave it as it is.`,
      )
}
