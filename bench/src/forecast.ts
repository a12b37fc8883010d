import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { correlation, rankCorrelation } from '@dfl/evaluate'
import { QUALITY_PAIRS } from '@dfl/synth'
import { benchArguments } from './bench-arguments.js'
import { fitWeights } from './fit.js'
import { ROOT } from './footage.js'
import { describe, type Effort, measurePair, type PairResult, renderedPairs, secondsOf } from './quality.js'
import { type BenchContext, type Outcome, round } from './report.js'

/** What is told before training, so that more should give more. */
const TOLD: readonly { name: string; of(pair: PairResult): number }[] = [
  { name: 'forecast', of: ({ forecast }) => forecast },
  { name: 'covered', of: ({ covered }) => covered },
  { name: 'distance (negative)', of: ({ distance }) => -distance },
  { name: 'shading (negative)', of: ({ shading }) => -shading },
  { name: 'shape (negative)', of: ({ shapePercent = 0 }) => -shapePercent },
]
const RESULTS: readonly { name: string; of(pair: PairResult): number }[] = [
  { name: 'SSIM', of: ({ ssim }) => ssim },
  { name: 'GMSD (negative)', of: ({ gmsd }) => -gmsd },
  { name: 'error (negative)', of: ({ mae }) => -mae },
  { name: 'colour (negative)', of: ({ color }) => -color },
  { name: 'likeness', of: ({ likeness }) => likeness },
]

/**
 * Whether what `dfl check` says before training comes true: the check's numbers against the result's over all rendered
 * pairs. Long; stopped at any moment it goes on at the pair where it was.
 */
export async function run(args: string[], context: BenchContext): Promise<Outcome> {
  const { values } = benchArguments(args, {
    time: { type: 'string', about: 'training time, such as 90s or 10m' },
    iterations: { type: 'string', about: 'iterations of each training' },
    pairs: { type: 'string', about: 'names of rendered pairs, with commas between them; all if not given' },
    seed: { type: 'string', default: '1', about: 'seed of the training' },
    out: { type: 'string', about: 'output folder' },
  })
  const effort: Effort = {
    ...(values.iterations ? { iterations: Number(values.iterations) } : { seconds: secondsOf(values.time ?? '5m') }),
    ...{ seed: Number(values.seed), everyNth: 2, srcEveryNth: 1 },
  }
  const out = resolve(values.out ?? join(ROOT, 'workspace', `forecast-${values.iterations ?? values.time ?? '5m'}`))
  await mkdir(out, { recursive: true })
  const names = values.pairs?.split(',') ?? QUALITY_PAIRS.map(({ name }) => name)
  const results: PairResult[] = []
  for (const name of names) {
    const [pair] = await renderedPairs([name], out, context)
    results.push(await measurePair(pair!, { folder: join(out, name), effort }, context))
    context.tell(describe(results.slice(-1)))
    await writeFile(join(out, 'forecast.json'), `${JSON.stringify(summary(results), null, 2)}\n`)
  }
  const { correlations, fits } = summary(results)
  const lines = correlations.map(
    ({ told, result, pearson, spearman }) =>
      `${told} against ${result}: Pearson ${pearson ?? '–'}, Spearman ${spearman ?? '–'}`,
  )
  const fitted = fits.map(
    ({ result, weights: [even, shading, distance], fitted, leftOut }) =>
      `${result} = ${even} + ${shading} x shading + ${distance} x distance: Pearson ${fitted ?? '–'}, each pair left out ${leftOut ?? '–'}`,
  )
  return {
    text: [
      describe(results),
      '',
      ...lines,
      '',
      'Weights that would tell it best:',
      ...fitted,
      '',
      `Kept in ${out}`,
    ].join('\n'),
    data: { out, effort, ...summary(results) },
  }
}

/** The pairs, how well what was told goes with what came out, and the weights that would tell it best. */
function summary(pairs: readonly PairResult[]) {
  const or = (value: number | undefined) => (value === undefined ? undefined : round(value, 2))
  const correlations = TOLD.flatMap((told) =>
    RESULTS.map((result) => {
      const [a, b] = [pairs.map(told.of), pairs.map(result.of)]
      return {
        told: told.name,
        result: result.name,
        pearson: or(correlation(a, b)),
        spearman: or(rankCorrelation(a, b)),
      }
    }),
  )
  const fits = RESULTS.map(({ name, of }) => {
    const observed = pairs.map((pair) => ({ told: [pair.shading, pair.distance], came: of(pair) }))
    const { weights, fitted, leftOut } = fitWeights(observed)
    return { result: name, weights: weights.map((w) => round(w, 4)), fitted: or(fitted), leftOut: or(leftOut) }
  })
  return { pairs, correlations, fits }
}
