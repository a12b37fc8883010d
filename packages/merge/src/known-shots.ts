import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { DflError } from '@dfl/core'
import { writeFileAtomic } from '@dfl/core/files'
import { findShots, footageStamp, type Shots } from '@dfl/media'

const NAME = 'shots.json'
/** Goes up when cuts are found by another rule. */
const RULE = 2

/** The shots of a clip, looked for once and kept in a folder until the clip is another one. */
export async function knownShots(
  clip: string,
  keep: {
    folder: string
    signal: AbortSignal | undefined
    onDamaged: ((error: DflError) => void) | undefined
  },
): Promise<Shots> {
  const { folder, signal, onDamaged } = keep
  const path = join(folder, NAME)
  const of = JSON.stringify([RULE, resolve(clip), await footageStamp(clip)])
  const known = await readFile(path, 'utf8')
    .then((text) => JSON.parse(text) as Shots & { of: string })
    .catch(() => undefined)
  if (known?.of === of && Array.isArray(known.starts) && Number.isInteger(known.frames)) {
    const { of: _, ...shots } = known
    return shots
  }
  // Damage is told while merging, not here as well.
  const shots = await findShots(clip, { signal, onDamaged: onDamaged && (() => {}) })
  await writeFileAtomic(path, `${JSON.stringify({ of, ...shots })}\n`)
  return shots
}
