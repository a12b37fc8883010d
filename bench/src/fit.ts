import { correlation } from '@dfl/evaluate'

/** What is told of one thing, and what came of it. */
export interface Observation {
  told: readonly number[]
  came: number
}

/** A weighted sum that tells what comes, and how well it does. */
export interface Fit {
  /** What comes where all that is told is 0, then the weight of each. */
  weights: readonly number[]
  /** Pearson's correlation of told and come, of the fit itself; and with each observation told by a fit without it. */
  fitted?: number
  leftOut?: number
}

/** A little of ridge: two things that go together in a few observations must not get huge weights against each other. */
const RIDGE = 1e-3

/** The weighted sum with the least squared error. Leaving one out is the honest number of few observations. */
export function fitWeights(observations: readonly Observation[]): Fit {
  const came = observations.map((one) => one.came)
  const weights = leastSquares(observations)
  const without = observations.map((one) => leastSquares(observations.filter((other) => other !== one)))
  return {
    weights,
    fitted: correlation(
      observations.map((one) => tellBy(weights, one)),
      came,
    ),
    leftOut: correlation(
      observations.map((one, i) => tellBy(without[i]!, one)),
      came,
    ),
  }
}

/** What a weighted sum tells of one thing. */
export const tellBy = (weights: readonly number[], { told }: Pick<Observation, 'told'>): number =>
  told.reduce((sum, value, i) => sum + value * weights[i + 1]!, weights[0]!)

function leastSquares(observations: readonly Observation[]): number[] {
  const n = observations.length
  const k = observations[0]?.told.length ?? 0
  const mean = (of: (one: Observation) => number) => observations.reduce((sum, one) => sum + of(one) / n, 0)
  const means = Array.from({ length: k }, (_, i) => mean(({ told }) => told[i]!))
  const level = mean(({ came }) => came)
  const centred = observations.map(({ told, came }) => [...told.map((v, i) => v - means[i]!), came - level])
  const slopes = solveNormal([normalOf(centred)])
  return [slopes.reduce((sum, slope, i) => sum - slope * means[i]!, level), ...slopes]
}

/** Sums of products of everything that is told with everything, and with what came, row by row: [k, k + 1]. */
export type Normal = readonly Float64Array[]

/** The products of some centred observations. @param rows What is told, what came last. */
export function normalOf(rows: readonly (readonly number[])[]): Normal {
  const k = Math.max(0, (rows[0]?.length ?? 0) - 1)
  const sums = Array.from({ length: k }, () => new Float64Array(k + 1))
  for (const row of rows)
    for (let i = 0; i < k; i++) if (row[i] !== 0) for (let j = 0; j <= k; j++) sums[i]![j]! += row[i]! * row[j]!
  return sums
}

/** The weights with the least squared error over all the observations that were summed, by Gauss and Jordan. */
export function solveNormal(parts: readonly Normal[]): number[] {
  const k = parts[0]?.length ?? 0
  const rows = Array.from({ length: k }, (_, i) =>
    Float64Array.from({ length: k + 1 }, (__, j) => parts.reduce((sum, part) => sum + part[i]![j]!, 0)),
  )
  for (let i = 0; i < k; i++) rows[i]![i]! *= 1 + RIDGE
  for (let i = 0; i < k; i++) {
    const pivot = rows[i]![i]! || 1
    rows[i] = rows[i]!.map((v) => v / pivot)
    for (let j = 0; j < k; j++)
      if (j !== i) {
        const factor = rows[j]![i]!
        if (factor !== 0) rows[j] = rows[j]!.map((v, at) => v - factor * rows[i]![at]!)
      }
  }
  return rows.map((row) => row[k]!)
}
