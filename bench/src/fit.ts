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

/** Solves the normal equations of centred values by Gauss and Jordan. */
function leastSquares(observations: readonly Observation[]): number[] {
  const n = observations.length
  const k = observations[0]?.told.length ?? 0
  const mean = (of: (one: Observation) => number) => observations.reduce((sum, one) => sum + of(one) / n, 0)
  const means = Array.from({ length: k }, (_, i) => mean(({ told }) => told[i]!))
  const level = mean(({ came }) => came)
  const rows = Array.from({ length: k }, (_, i) => {
    const moment = (of: (one: Observation) => number) => mean((one) => (one.told[i]! - means[i]!) * of(one))
    const row = Array.from({ length: k }, (__, j) => moment(({ told }) => told[j]! - means[j]!))
    row[i]! *= 1 + RIDGE
    return [...row, moment(({ came }) => came - level)]
  })
  for (let i = 0; i < k; i++) {
    const pivot = rows[i]![i]! || 1
    rows[i] = rows[i]!.map((v) => v / pivot)
    for (let j = 0; j < k; j++)
      if (j !== i) {
        const factor = rows[j]![i]!
        rows[j] = rows[j]!.map((v, at) => v - factor * rows[i]![at]!)
      }
  }
  const slopes = rows.map((row) => row[k]!)
  return [slopes.reduce((sum, slope, i) => sum - slope * means[i]!, level), ...slopes]
}
