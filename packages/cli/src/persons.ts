import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DflError } from '@dfl/core'
import { writeFileAtomic } from '@dfl/core/files'
import type { Person } from '@dfl/faceset'

/** A person as a workspace remembers one. */
export type KnownPerson = Pick<Person, 'person' | 'embedding'>

const NAME = 'persons.json'

/**
 * The persons that were found in a workspace, also those whose faces are gone; none before `faceset persons`.
 *
 * @throws DflError `CORRUPT_FILE` when the file that tells cannot be read.
 */
export async function knownPersons(folder: string): Promise<KnownPerson[]> {
  const path = join(folder, NAME)
  try {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{"format":1,"persons":[]}'
      throw error
    })
    const { format, persons } = JSON.parse(text)
    if (format === 1 && Array.isArray(persons) && persons.every(isPerson)) return persons
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error
  }
  throw new DflError(
    'CORRUPT_FILE',
    `Expected the persons of a workspace in \`${path}\`, but it cannot be read. Delete it, and run \`dfl faceset persons\` again.`,
    { data: { path } },
  )
}

/** Remembers persons; those that are not among them stay as they were. */
export async function rememberPersons(folder: string, found: readonly KnownPerson[]): Promise<void> {
  const names = new Set(found.map(({ person }) => person))
  const before = (await knownPersons(folder)).filter(({ person }) => !names.has(person))
  const lines = [...found, ...before].map(({ person, embedding }) =>
    JSON.stringify({ person, embedding: embedding.map((value) => Math.round(value * 1e4) / 1e4) }),
  )
  await writeFileAtomic(join(folder, NAME), `{"format":1,"persons":[\n${lines.join(',\n')}\n]}\n`)
}

const isPerson = (value: KnownPerson) =>
  typeof value?.person === 'string' &&
  Array.isArray(value.embedding) &&
  value.embedding.length > 0 &&
  value.embedding.every((item) => Number.isFinite(item))
