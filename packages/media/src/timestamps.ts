import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DflError } from '@dfl/core'
import { writeFileAtomic } from '@dfl/core/files'
import type { Rational } from './rational.js'

/** Times of the images of a folder, kept beside them: `pts` ticks of `timeBase` seconds, exact as the video had them. */
export interface Timestamps {
  timeBase: Rational
  frameRate: Rational
  /** By file name. */
  pts: Readonly<Record<string, number>>
}

/** The file beside images that holds their times. */
export const TIMESTAMPS = 'timestamps.json'

/** The times of a folder's images; nothing where it has none. */
export async function readTimestamps(folder: string): Promise<Timestamps | undefined> {
  const path = join(folder, TIMESTAMPS)
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const value = JSON.parse(text) as Timestamps
    const positive = (q: Rational | undefined) =>
      Number.isInteger(q?.num) && Number.isInteger(q?.den) && q!.num > 0 && q!.den > 0
    if (!positive(value.timeBase) || !positive(value.frameRate))
      throw new Error('`timeBase` or `frameRate` is no fraction')
    if (typeof value.pts !== 'object' || !Object.values(value.pts).every(Number.isSafeInteger))
      throw new Error('`pts` is no list of whole numbers')
    return value
  } catch (cause) {
    throw new DflError(
      'CORRUPT_FILE',
      `Expected times of frames in \`${path}\`, but got '${(cause as Error).message}'. Delete it to count frames at a fixed rate.`,
      { data: { path }, cause },
    )
  }
}

export async function writeTimestamps(folder: string, timestamps: Timestamps): Promise<void> {
  await writeFileAtomic(join(folder, TIMESTAMPS), `${JSON.stringify(timestamps, undefined, 1)}\n`)
}
