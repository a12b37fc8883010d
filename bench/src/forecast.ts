import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { correlation, rankCorrelation } from '@dfl/evaluate'
import { QUALITY_PAIRS } from '@dfl/synth'
import { ROOT } from './footage.js'
import { describe, type Effort, measurePair, type PairResult, renderedPairs, secondsOf } from './quality.js'
import { type BenchContext, type Outcome, round } from './report.js'

/** What is told before training, so that more should give more. */
const TOLD: readonly { name: string; of(pair: PairResult): number | undefined }[] = [
  { name: 'forecast', of: ({ forecast }) => forecast },
  { name: 'covered', of: ({ covered }) => covered },
  { name: 'shape (negative)', of: ({ shapePercent }) => (shapePercent === undefined ? undefined : -shapePercent) },
]
const RESULTS: readonly { name: string; of(pair: PairResult): number }[] = [
  { name: 'likeness', of: ({ likeness }) => likeness },
  { name: 'SSIM', of: ({ ssim }) => ssim },
  { name: 'error (negative)', of: ({ mae }) => -mae },
]

/**
 * Whether what `dfl check` says before training comes true: the check's numbers against the result's over all rendered
 * pairs. Long; stopped at any moment it goes on at the pair where it was.
 */
export async function run(args: string[], context: BenchContext): Promise<Outcome> {
  const { values } = parseArgs({
    args,
    options: {
      time: { type: 'string' },
      iterations: { type: 'string' },
      pairs: { type: 'string' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string' },
    },
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
  const { correlations } = summary(results)
  const lines = correlations.map(
    ({ told, result, pearson, spearman }) =>
      `${told} against ${result}: Pearson ${pearson ?? '–'}, Spearman ${spearman ?? '–'}`,
  )
  return {
    text: [describe(results), '', ...lines, '', `Kept in ${out}`].join('\n'),
    data: { out, effort, ...summary(results) },
  }
}

/** The pairs and how well what was told goes with what came out. */
function summary(pairs: readonly PairResult[]) {
  const correlations = TOLD.flatMap((told) =>
    RESULTS.map((result) => {
      const known = pairs.filter((pair) => told.of(pair) !== undefined)
      const [a, b] = [known.map((pair) => told.of(pair)!), known.map(result.of)]
      const or = (value: number | undefined) => (value === undefined ? undefined : round(value, 2))
      return {
        told: told.name,
        result: result.name,
        pearson: or(correlation(a, b)),
        spearman: or(rankCorrelation(a, b)),
      }
    }),
  )
  return { pairs, correlations }
}
