import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DflError } from '@dfl/core'
import { exists, move, writeFileAtomic } from '@dfl/core/files'

/** Generations that are kept whatever comes after them: `checkpoints/kept.json`. */
export interface Kept {
  /** The one that measured best, and by what. */
  best?: { iteration: number; measure: string; value: number }
  /** Those that were asked for, oldest first. */
  backups: readonly number[]
}

/** A checkpoint on disk. */
export interface Generation {
  iteration: number
  /** Training time over all sittings. */
  seconds: number
  kept?: 'best' | 'backup'
}

const NEWEST = 2
/** Of the last two stretches of so much training the first generation stays, too: somewhere to go back to. */
const STRETCH_SECONDS = 600
const STRETCHES = 2
const MOST_BACKUPS = 24

export const generationName = (iteration: number): string => String(iteration).padStart(8, '0')

/** Names of all generations, newest first. */
export async function listGenerations(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, 'checkpoints')).catch(() => [])
  return names.filter((name) => /^\d{8,}$/.test(name)).sort((a, b) => Number(b) - Number(a))
}

/** All checkpoints of a model, newest first. */
export async function listCheckpoints(folder: string): Promise<Generation[]> {
  const { best, backups } = await readKept(folder)
  return Promise.all(
    (await listGenerations(folder)).map(async (name): Promise<Generation> => {
      const iteration = Number(name)
      const kept = best?.iteration === iteration ? 'best' : backups.includes(iteration) ? 'backup' : undefined
      return { iteration, seconds: await secondsOf(folder, name), ...(kept ? { kept } : {}) }
    }),
  )
}

/** Which generations are kept, and why. */
export async function readKept(folder: string): Promise<Kept> {
  const text = await readFile(join(folder, 'checkpoints', 'kept.json'), 'utf8').catch(() => '{}')
  try {
    const { best, backups = [] } = JSON.parse(text) as Partial<Kept>
    return { ...(best ? { best } : {}), backups }
  } catch {
    return { backups: [] } // It only says what not to delete: without it, as if nothing had been asked for.
  }
}

/** Keeps the generation of an iteration as the best, or as a backup; of those the last 24. */
export async function keep(folder: string, what: Kept['best'] | { backup: number }): Promise<void> {
  const kept = await readKept(folder)
  if (what && 'backup' in what) {
    const backups = [...kept.backups.filter((iteration) => iteration !== what.backup), what.backup]
    await writeKept(folder, { ...kept, backups: backups.slice(-MOST_BACKUPS) })
  } else await writeKept(folder, { ...kept, best: what })
}

/** Removes what no longer needs to be kept: all but the two newest, the best, backups, and two from some time ago. */
export async function prune(folder: string): Promise<void> {
  const all = await listCheckpoints(folder)
  const firstOf = new Map<number, number>() // Stretch of training → its first generation.
  for (const { iteration, seconds } of all) firstOf.set(Math.floor(seconds / STRETCH_SECONDS), iteration)
  const early = [...firstOf]
    .sort(([a], [b]) => b - a)
    .slice(0, STRETCHES)
    .map(([, iteration]) => iteration)
  for (const { iteration, kept } of all.slice(NEWEST))
    if (!kept && !early.includes(iteration))
      await rm(join(folder, 'checkpoints', generationName(iteration)), { recursive: true, force: true })
}

/**
 * Makes the generation of an iteration the newest: later ones are moved to `checkpoints/aside`, and can be deleted there.
 *
 * @returns The iterations that were moved.
 * @throws DflError `UNKNOWN_NAME` where there is no such generation.
 */
export async function goBackTo(folder: string, iteration: number): Promise<number[]> {
  const all = (await listGenerations(folder)).map(Number)
  if (!all.includes(iteration))
    throw new DflError(
      'UNKNOWN_NAME',
      `Expected one of the checkpoints of iteration ${all.join(', ')} in \`${folder}\`, but got ${iteration}. Choose one of them.`,
    )
  const later = all.filter((other) => other > iteration)
  if (later.length === 0) return []
  const aside = join(folder, 'checkpoints', 'aside')
  await mkdir(aside, { recursive: true })
  const kept = await readKept(folder)
  const best = kept.best && kept.best.iteration <= iteration ? kept.best : undefined
  await writeKept(folder, { best, backups: kept.backups.filter((other) => other <= iteration) })
  for (const other of later) {
    const name = generationName(other)
    await rm(join(aside, name), { recursive: true, force: true })
    await move(join(folder, 'checkpoints', name), join(aside, name))
  }
  return later
}

const writeKept = (folder: string, kept: Kept) =>
  writeFileAtomic(join(folder, 'checkpoints', 'kept.json'), `${JSON.stringify(kept, null, 2)}\n`)

async function secondsOf(folder: string, name: string): Promise<number> {
  const path = join(folder, 'checkpoints', name, 'progress.json')
  if (!(await exists(path))) return 0
  try {
    return Number(JSON.parse(await readFile(path, 'utf8')).seconds) || 0
  } catch {
    return 0
  }
}
