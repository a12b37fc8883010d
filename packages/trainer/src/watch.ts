import type { StepLosses } from './train-step.js'

/** What went wrong, and the last iteration at which it had not. */
export interface Trouble {
  reason: string
  goodUntil: number
}

/** Notices a run that has gone wrong. */
export interface Watch {
  /** What is wrong after an iteration, if something is. */
  seen(iteration: number, losses: StepLosses): Trouble | undefined
  /** What is wrong by measures, if something is: 'spread' says how much painted faces differ from each other. */
  measured(iteration: number, values: Readonly<Record<string, number>>): Trouble | undefined
  /** Forgets what is usual: after other settings, losses are others. */
  restart(): void
}

/** Iterations over which losses are averaged, and before which nothing is usual yet. */
const AVERAGED = 50
const SETTLED = 200
/** A mean loss so many times the lowest, for so many iterations, is a collapse. */
const WORSE = 3
const FOR_ITERATIONS = 50
/** Faces that were as different from each other as real ones, and now hardly are. */
const ONCE = 0.3
const LEFT = 0.15
/** In a sound run they vary by less than this from one measurement to another. */
const SOUND = 0.7

/** A watch over losses and measures. */
export function createWatch(): Watch {
  let count = 0
  let mean = 0
  let lowest = Number.POSITIVE_INFINITY
  let badSince: number | undefined
  let spread = { most: 0, soundAt: 0 }
  return {
    seen(iteration, { src, dst, skipped, lossScale }) {
      const loss = src + dst
      if (!Number.isFinite(loss)) return { reason: `the loss became ${loss}`, goodUntil: iteration - 1 }
      // With a larger scale that is to be expected from time to time, and nothing has happened to the weights.
      if (skipped && lossScale === 1)
        return { reason: 'gradients were no numbers, also without a loss scale', goodUntil: iteration - 1 }
      if (skipped) return undefined
      count++
      mean = count === 1 ? loss : mean + (loss - mean) / Math.min(count, AVERAGED)
      if (count < AVERAGED) return undefined
      lowest = Math.min(lowest, mean)
      const bad = count > SETTLED && mean > WORSE * lowest
      badSince = bad ? (badSince ?? iteration) : undefined
      if (badSince === undefined || iteration - badSince < FOR_ITERATIONS) return undefined
      return {
        reason: `the loss rose from ${lowest.toFixed(3)} to ${mean.toFixed(3)}`,
        goodUntil: badSince - AVERAGED,
      }
    },
    measured(iteration, values) {
      const now = values.spread
      if (now === undefined) return undefined
      const most = Math.max(now, spread.most)
      spread = { most, soundAt: now >= SOUND * most ? iteration : spread.soundAt }
      if (spread.most < ONCE || now >= LEFT * spread.most) return undefined
      return {
        reason: `painted faces became all alike (${percent(now)} of the difference between real ones, once ${percent(spread.most)})`,
        goodUntil: spread.soundAt,
      }
    },
    restart() {
      count = 0
      lowest = Number.POSITIVE_INFINITY
      badSince = undefined
    },
  }
}

const percent = (share: number) => `${Math.round(100 * share)} %`
