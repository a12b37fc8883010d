import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { AXES, correlation, rankCorrelation } from '@dfl/evaluate'
import { MATCHED_PAIRS, OTHER_PAIRS, QUALITY_PAIRS, RENDERED_PAIRS } from '@dfl/synth'
import { benchArguments } from './bench-arguments.js'
import { type FaceResult, facesOfPair } from './by-face.js'
import { type AxisFinding, studyFaces, TRIED } from './face-study.js'
import { fitWeights, tellBy } from './fit.js'
import { ROOT } from './footage.js'
import { type KnownAxis, type KnownFace, knownFaces, type Named, namedBy } from './named.js'
import { describe, type Effort, measurePair, type PairResult, renderedPairs, secondsOf } from './quality.js'
import { type BenchContext, type Outcome, round, table } from './report.js'

/** What is told before training, so that more should give more. */
const TOLD: readonly { name: string; of(pair: PairResult): number }[] = [
  { name: 'forecast', of: ({ forecast }) => forecast },
  { name: 'covered', of: ({ covered }) => covered },
  { name: 'distance (negative)', of: ({ distance }) => -distance },
  { name: 'shading (negative)', of: ({ shading }) => -shading },
  { name: 'resemblance', of: ({ resemblance }) => resemblance },
  { name: 'shape (negative)', of: ({ shapePercent = 0 }) => -shapePercent },
]
const RESULTS: readonly { name: string; of(pair: PairResult): number }[] = [
  { name: 'face SSIM', of: ({ faceSsim }) => faceSsim },
  { name: 'face GMSD (negative)', of: ({ faceGmsd }) => -faceGmsd },
  { name: 'SSIM in place', of: ({ ssim }) => ssim },
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
  const names = values.pairs?.split(',') ?? RENDERED_PAIRS.map(({ name }) => name)
  const results: PairResult[] = []
  const faces: FaceResult[] = []
  const known: KnownFace[] = []
  for (const name of names) {
    const [pair] = await renderedPairs([name], out, context)
    results.push(await measurePair(pair!, { folder: join(out, name), effort }, context))
    const ofPair = await facesOfPair(pair!, join(out, name))
    faces.push(...ofPair)
    known.push(...(await knownFaces(pair!, ofPair)))
    context.tell(describe(results.slice(-1)))
    await writeFile(join(out, 'forecast.json'), `${JSON.stringify(summary(results), null, 2)}\n`)
  }
  context.say(`looking at ${faces.length} faces, one by one`)
  const findings = studyFaces(faces)
  const named = KNOWN.flatMap((axis) => triedOf(axis).map((one) => namedBy(known, axis, one)))
  const { groups, fits } = summary(results)
  const or = (value: number | undefined) => value ?? '–'
  const lines = groups.flatMap(({ group, count, correlations }) => [
    `Over ${count} ${group}:`,
    ...correlations.map(
      ({ told, result, pearson, spearman }) =>
        `  ${told} against ${result}: Pearson ${or(pearson)}, Spearman ${or(spearman)}`,
    ),
  ])
  const fitted = fits.map(
    ({ result, weights: [even, shading, resemblance], fitted, leftOut, ...across }) =>
      `${result} = ${even} + ${shading} x shading + ${resemblance} x resemblance: Pearson ${or(fitted)}, each pair left out ${or(leftOut)}; other people by a fit to the first ${or(across.othersByFirst)}, the first by one to others ${or(across.firstByOthers)}`,
  )
  return {
    text: [
      describe(results),
      '',
      ...lines,
      '',
      'Weights that tell all pairs best:',
      ...fitted,
      '',
      'By face: excess error of the faces that lie so far from SRC, in standard deviations',
      describeFindings(findings),
      '',
      'Named of the faces that SRC truly lacks, and of those that it has',
      describeNamed(named),
      '',
      `Kept in ${out}`,
    ].join('\n'),
    data: { out, effort, ...summary(results), findings, named },
  }
}

const hundredths = (value: number | undefined) => (value === undefined ? undefined : round(value, 2))

const KNOWN: readonly KnownAxis[] = ['yaw', 'pitch', 'lightSide']
const toleranceOf = (axis: string) => AXES.find((spec) => spec.axis === axis)!.tolerance

/** The distances that are tried, with the tolerance among them, each once. */
const triedOf = (axis: KnownAxis) => [...new Set([toleranceOf(axis), ...TRIED[axis]])].sort((a, b) => a - b)

/** Of each axis the ring that tells its tolerance, or the furthest one of each error where none does. */
function describeFindings(findings: readonly AxisFinding[]): string {
  const rows = findings.flatMap(({ axis, rings, told }) => {
    const furthest = rings.filter((ring, i) => ring.error !== rings[i + 1]?.error)
    const shown = told ? [told] : furthest
    return shown.map((ring) => [
      axis,
      ring.error,
      `${ring.distance} to ${round(2 * ring.distance)}`,
      `${ring.faces} of ${ring.pairs}`,
      ring.excess.toFixed(2),
      `${ring.low.toFixed(2)} to ${ring.high.toFixed(2)}`,
      told ? told.distance : 'not told',
      toleranceOf(axis),
    ])
  })
  return table(['axis', 'error', 'distance', 'faces, pairs', 'excess', '95 %', 'told from', 'tolerance'], rows)
}

const describeNamed = (named: readonly Named[]) =>
  table(
    ['axis', 'tolerance', 'of those it lacks', 'of those it has'],
    named.map(({ axis, tolerance, lacking, having, faces }) => [
      axis,
      tolerance,
      `${Math.round(100 * lacking)} % of ${faces.lacking}`,
      `${Math.round(100 * having)} % of ${faces.having}`,
    ]),
  )

/** The pairs, how well what was told goes with what came out, and the weights that would tell it best. */
function summary(all: readonly PairResult[]) {
  // Matched pairs show one DST twice: they are for the study by face.
  const pairs = all.filter(({ pair }) => !MATCHED_PAIRS.some(({ name }) => name === pair))
  const among = (specs: readonly { name: string }[]) =>
    pairs.filter(({ pair }) => specs.some(({ name }) => name === pair))
  const [first, others] = [among(QUALITY_PAIRS), among(OTHER_PAIRS)]
  const groups = [
    { group: 'first pairs', of: first },
    { group: 'pairs of other people', of: others },
    { group: 'pairs in all', of: pairs },
  ].map(({ group, of }) => ({ group, count: of.length, correlations: correlationsOf(of) }))
  const fits = RESULTS.map(({ name, of }) => {
    const observe = (some: readonly PairResult[]) =>
      some.map((pair) => ({ told: [pair.shading, pair.resemblance], came: of(pair) }))
    const { weights, fitted, leftOut } = fitWeights(observe(pairs))
    /** How well a fit to some people tells others. */
    const across = (from: readonly PairResult[], to: readonly PairResult[]) => {
      const byOthers = fitWeights(observe(from)).weights
      const unseen = observe(to)
      return correlation(
        unseen.map((one) => tellBy(byOthers, one)),
        unseen.map(({ came }) => came),
      )
    }
    return {
      ...{
        result: name,
        weights: weights.map((w) => round(w, 4)),
        fitted: hundredths(fitted),
        leftOut: hundredths(leftOut),
      },
      ...{ othersByFirst: hundredths(across(first, others)), firstByOthers: hundredths(across(others, first)) },
    }
  })
  return { pairs: all, groups, fits }
}

const correlationsOf = (pairs: readonly PairResult[]) =>
  TOLD.flatMap((told) =>
    RESULTS.map((result) => {
      const [a, b] = [pairs.map(told.of), pairs.map(result.of)]
      return {
        ...{ told: told.name, result: result.name },
        ...{ pearson: hundredths(correlation(a, b)), spearman: hundredths(rankCorrelation(a, b)) },
      }
    }),
  )
