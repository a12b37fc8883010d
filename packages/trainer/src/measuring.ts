import type { ModelFolder } from './model-folder.js'
import { type Measured, withoutGain } from './recipe.js'

/** Numbers that are taken of a model while it trains; more is better in all of them. */
export interface MeasureOptions {
  /** Takes the numbers of the present weights. */
  of(): Promise<Readonly<Record<string, number>>>
  /** Training time between two measurements at least; more where they would cost more than 2 % of it. Default 60. */
  everySeconds?: number
  /** The number by which the best checkpoint is kept. */
  best: string
}

/** What measuring brought up. */
export type MeasureEvent =
  | { kind: 'measured'; values: Readonly<Record<string, number>> }
  | { kind: 'best'; measure: string; value: number }
  | { kind: 'no-gain'; measure: string; best: number; sinceIteration: number; sinceSeconds: number }

/** Takes measures of a run when it is time to. */
export interface Measuring {
  due(): boolean
  /** Whether a run that is over has come far enough since the last time. */
  dueAtEnd(): boolean
  /** Takes them now. */
  take(): Promise<MeasureEvent[]>
  /** All that belong to the present weights, oldest first. */
  readonly taken: readonly Measured[]
  /** Reads again what belongs to the present weights, after going back. */
  reload(): Promise<void>
}

const LARGEST_SHARE = 0.02
/** Measurements without gain after which it is said, and said again after as many more. */
const PATIENCE = 10

/** Measures of a run that nobody wants to measure: none. */
const NOTHING: Measuring = {
  due: () => false,
  dueAtEnd: () => false,
  take: async () => [],
  taken: [],
  reload: async () => {},
}

/** The measuring of a run. */
export async function measuringOf(run: ModelFolder, options: MeasureOptions | undefined): Promise<Measuring> {
  if (!options) return NOTHING
  const { of, everySeconds = 60, best } = options
  const { progress } = run
  const taken = await run.readMeasures()
  let nextAt = (taken.at(-1)?.seconds ?? progress.seconds) + everySeconds
  return {
    taken,
    due: () => progress.seconds >= nextAt,
    dueAtEnd: () => progress.iteration !== taken.at(-1)?.iteration && progress.seconds >= nextAt - everySeconds / 2,
    async take() {
      const began = performance.now()
      const values = await of()
      const cost = (performance.now() - began) / 1000
      nextAt = progress.seconds + Math.max(everySeconds, cost / LARGEST_SHARE)
      const { iteration, seconds } = progress
      const entry = { iteration, seconds: Math.round(seconds * 10) / 10, values }
      await run.measured(entry)
      taken.push(entry)
      const events: MeasureEvent[] = [{ kind: 'measured', values }]
      const value = values[best]
      if (value === undefined) return events
      const known = (await run.kept()).best
      if (!known || known.measure !== best || value > known.value) events.push({ kind: 'best', measure: best, value })
      const series = taken.filter(({ values }) => values[best] !== undefined)
      const without = withoutGain(series.map(({ values }) => values[best]!))
      const top = series.at(-1 - without)!
      if (without > 0 && without % PATIENCE === 0)
        events.push({
          kind: 'no-gain',
          ...{ measure: best, best: top.values[best]! },
          ...{ sinceIteration: top.iteration, sinceSeconds: top.seconds },
        })
      return events
    },
    async reload() {
      taken.splice(0, taken.length, ...(await run.readMeasures()))
    },
  }
}
