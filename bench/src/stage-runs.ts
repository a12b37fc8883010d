import { basename } from 'node:path'
import { clipAtHeight } from './footage.js'
import { type BenchContext, interleaved, medians, round, table } from './report.js'

/** What every run of a stage tells beside the seconds of its parts. */
export interface StageRun {
  fps: number
  frames: number
  framesWithFaces: number
  /** Seconds from start to end. */
  total: number
}

/** The clip at each of the heights, or as it is where none are given. */
export async function clipsAt(path: string, heights: string, context: BenchContext): Promise<string[]> {
  const numbers = heights.split(',').filter(Boolean).map(Number)
  const clips = numbers.length === 0 ? [path] : []
  for (const height of numbers) clips.push(await clipAtHeight(path, height, context))
  return clips
}

/**
 * Runs of several jobs taking turns: a table of the medians, one row for each job, and the numbers behind it.
 *
 * @param names What each job is called in the table.
 * @param parts The numbers of a run that are seconds of its parts, in the table's order.
 */
export async function runsOf<K extends string>(
  jobs: readonly (() => Promise<StageRun & Record<K, number>>)[],
  {
    path,
    rounds,
    names,
    parts,
    head,
  }: { path: string; rounds: number; names: string[]; parts: readonly K[]; head: string },
) {
  const runs = await interleaved(rounds, jobs)
  const found = runs.map((some) => ({
    ...(medians(some) as StageRun & Record<K, number>),
    fpsOfRounds: some.map((one) => round(one.fps, 2)),
  }))
  const text = [
    table(
      [head, 'frames/s', 'frames', 'with a face', 'seconds', ...parts.map((part) => `${part} s`)],
      found.map((one, i) => [
        names[i]!,
        one.fps.toFixed(1),
        one.frames,
        one.framesWithFaces,
        one.total.toFixed(1),
        ...parts.map((part) => one[part].toFixed(1)),
      ]),
    ),
    '',
    `Medians of ${rounds} interleaved rounds of ${basename(path)}. Parts overlap, so they add up to more than the seconds that passed.`,
  ].join('\n')
  return { text, found }
}
