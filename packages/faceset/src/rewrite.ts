import { join } from 'node:path'
import { DflError, type FaceMeta } from '@dfl/core'
import { draftFile } from '@dfl/core/files'
import { faceProblem } from './face-rules.js'
import { indexLog, type LogIndex } from './index-log.js'
import { type FaceLine, printLine } from './log-lines.js'
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
  let kept = 0
  async function* lines(): AsyncGenerator<FaceLine> {
    for await (const face of readFaces(path, index)) {
      const changed = await change(structuredClone(face))
      if (!changed) continue
      checkChanged(face, changed)
      kept++
      yield { kind: 'face', crc32: index.faces.get(face.filename)!.crc32, face: changed }
    }
  }
  await replaceLog(path, index, lines())
  return kept
}

/** Puts a log with other faces in the place of the one at `path`; its header and its frames done stay. */
export async function replaceLog(path: string, index: LogIndex, faces: AsyncIterable<FaceLine>): Promise<void> {
  await using draft = await draftFile(path)
  let text = `${printLine(index.header)}\n`
  const add = async (line: string) => {
    text += line
    if (text.length <= 1 << 20) return
    await draft.write(text)
    text = ''
  }
  for await (const line of faces) await add(`${printLine(line)}\n`)
  for (const [source, frames] of index.done)
    for (const frameIndex of frames) await add(`${printLine({ kind: 'frameDone', source, frameIndex })}\n`)
  await draft.write(text)
  await draft.commit()
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
