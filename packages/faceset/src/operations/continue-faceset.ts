import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DflError, type FaceType } from '@dfl/core'
import { exists, writeFileAtomic } from '@dfl/core/files'
import { createFaceset, type FacesetWriter } from '../create-faceset.js'
import { openFaceset } from '../open-faceset.js'
import { LOG_NAME } from '../read-log.js'

/** Name of the file that says how a faceset was made of others, so that only the same work goes on in it. */
const RECIPE_NAME = 'made-by.json'

/** What a faceset is made by: the operation, and everything that its result depends on. */
export interface Recipe {
  operation: string
  [name: string]: unknown
}

/** A faceset that is being made of other faces. */
export interface ContinuedFaceset {
  writer: FacesetWriter
  /** The file names that are there already. */
  there: ReadonlySet<string>
}

/**
 * A writer for the faceset in `folder`: a new one, or one that the same operation has begun.
 *
 * @throws DflError `BAD_STATE` when another faceset stands there.
 */
export async function continueFaceset(
  folder: string,
  recipe: Recipe,
  spec: { faceType: FaceType; size: number },
): Promise<ContinuedFaceset> {
  const path = join(folder, RECIPE_NAME)
  const text = JSON.stringify(recipe)
  const begun = await readFile(path, 'utf8').then(
    (found) => found.trim(),
    () => undefined,
  )
  const started = await exists(join(folder, LOG_NAME))
  if (begun !== undefined ? begun !== text : started)
    throw new DflError(
      'BAD_STATE',
      `Expected an empty folder or a faceset begun by the same command at \`${folder}\`, but got another faceset` +
        `${begun === undefined ? '' : ` (${begun})`}. Use another folder, or remove this one.`,
      { data: { folder } },
    )
  if (begun === undefined) await writeFileAtomic(path, `${text}\n`)
  const writer = await createFaceset(folder, spec)
  const there = new Set<string>()
  if (started) for await (const { filename } of (await openFaceset(folder)).faces()) there.add(filename)
  return { writer, there }
}

/** `filename`, or with a number before its ending where it is taken: 'a.png', 'a~2.png'. Adds it to `taken`. */
export function freeName(filename: string, taken: Set<string>): string {
  const dot = filename.lastIndexOf('.')
  let name = filename
  for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${filename.slice(0, dot)}~${n}${filename.slice(dot)}`
  taken.add(name.toLowerCase())
  return name
}
