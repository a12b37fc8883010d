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
  /** Seconds until the first frames are done: networks are loaded, nothing is compiled yet. */
  start: number
  /** Frames a second after that, as a long clip has them. */
  goingFps: number
}

/** How a run went on after its first frames: `first` when they were done, and how many they were. */
export const goingOn = (
  { began, ended, frames }: { began: number; ended: number; frames: number },
  first: { at: number; frames: number },
): Pick<StageRun, 'start' | 'goingFps'> => ({
  start: (first.at - began) / 1000,
  goingFps: (frames - first.frames) / Math.max(1e-9, (ended - first.at) / 1000),
})

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
export async function runsOf<R extends StageRun>(
  jobs: readonly (() => Promise<R>)[],
  {
    path,
    rounds,
    names,
    parts,
    head,
  }: { path: string; rounds: number; names: string[]; parts: readonly (keyof R & string)[]; head: string },
) {
  const runs = await interleaved(rounds, jobs)
  const found = runs.map((some) => ({
    ...(medians(some as unknown as Record<string, number>[]) as unknown as R),
    fpsOfRounds: some.map((one) => round(one.fps, 2)),
  }))
  const text = [
    table(
      [
        head,
        'frames/s',
        'once going',
        'frames',
        'with a face',
        'seconds',
        'start s',
        ...parts.map((part) => `${part} s`),
      ],
      found.map((one, i) => [
        names[i]!,
        one.fps.toFixed(1),
        one.goingFps.toFixed(1),
        one.frames,
        one.framesWithFaces,
        one.total.toFixed(1),
        one.start.toFixed(1),
        ...parts.map((part) => Number(one[part]).toFixed(1)),
      ]),
    ),
    '',
    `Medians of ${rounds} interleaved rounds of ${basename(path)}. Parts overlap, so they add up to more than the seconds that passed.`,
  ].join('\n')
  return { text, found }
}
