import { DflError } from '@dfl/core'
import { openFaceset } from '../open-faceset.js'
import { arrange } from '../operations/arrange.js'
import { rejectFaces } from '../operations/move-faces.js'
import type { FacesetProgress } from '../pack/pack-faceset.js'
import { type FaceFacts, factsOf } from './face-facts.js'
import { SORT_METHODS, type SortMethod, type SortName } from './sort-methods.js'

/** How a faceset is sorted. */
export interface SortOptions {
  /** How many faces `final-by-blur` and `final-by-size` keep. Default 2000. */
  target?: number
  /** File name of the face that `similarity` compares with. */
  to?: string
}

/** What sorting did. */
export interface SortResult {
  sorted: number
  /** Faces that were put aside, see `restoreFaces`. */
  rejected: number
}

/**
 * Sorts the faceset in `folder`: the faces get another order, and a number before their names, so that a file browser shows
 * them in it. `restoreNames` takes that back. Walk it to make it work.
 *
 * @throws DflError `UNKNOWN_NAME` for an unknown method, `BAD_OPTION` for `similarity` without a face of the faceset,
 * `BAD_STATE` for `identity` where no persons are known.
 */
export async function* sortFaceset(
  folder: string,
  by: SortName,
  { target = 2000, to }: SortOptions = {},
): AsyncGenerator<FacesetProgress, SortResult> {
  const method: SortMethod | undefined = Object.hasOwn(SORT_METHODS, by) ? SORT_METHODS[by] : undefined
  if (!method)
    throw new DflError(
      'UNKNOWN_NAME',
      `Expected one of ${Object.keys(SORT_METHODS).join(', ')} for \`by\`, but got '${by}'. Choose one of them.`,
    )
  const facts = yield* factsOf(await openFaceset(folder), method.looked)
  const isChosen = ({ filename, originalFilename = filename }: FaceFacts) => to === filename || to === originalFilename
  const chosen = facts.find(isChosen)
  if (by === 'similarity' && !chosen)
    throw new DflError(
      'BAD_OPTION',
      `Expected the file name of a face in \`${folder}\` for \`to\`, but got ${to === undefined ? 'nothing' : `'${to}'`}. Name one.`,
    )
  if (by === 'identity' && !facts.some(({ person }) => person !== undefined))
    throw new DflError(
      'BAD_STATE',
      `Expected faces of known persons in \`${folder}\`, but got none. Find out who is who first: dfl faceset persons`,
    )
  const { order, rejected } = method.sort(facts, { target, to: chosen })
  const digits = Math.max(5, String(order.length).length)
  await arrange(
    folder,
    order.map(({ filename, originalFilename = filename }, i) => ({
      filename,
      newFilename: `${String(i).padStart(digits, '0')}_${originalFilename}`,
      originalFilename,
    })),
  )
  const aside = rejected?.faces ?? []
  if (rejected && aside.length > 0)
    await rejectFaces(folder, new Map(aside.map(({ filename }) => [filename, [rejected.reason]])))
  return { sorted: order.length, rejected: aside.length }
}
