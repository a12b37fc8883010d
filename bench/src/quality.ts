import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  checkStage,
  evaluateStage,
  exactLandmarks,
  extractStage,
  mergeStage,
  openWorkspace,
  parseDuration,
  presetFor,
  type Stage,
  trainStage,
} from '@dfl/cli'
import { DflError } from '@dfl/core'
import { exists } from '@dfl/core/files'
import type { Evaluation } from '@dfl/evaluate'
import { loadHeadPack, PACK_VARIABLE, RENDERED_PAIRS, writePair } from '@dfl/synth'
import { benchArguments } from './bench-arguments.js'
import { KEPT_FACES } from './by-face.js'
import { demoClip, ROOT } from './footage.js'
import { type BenchContext, type Outcome, round, table } from './report.js'

/** What one pair gave. */
export interface PairResult {
  pair: string
  about: string
  /** Told before training, by `dfl check`. */
  forecast: number
  covered: number
  /** Mean distance of DST's faces to their nearest SRC faces, and difference in shading. */
  distance: number
  shading: number
  resemblance: number
  /** Stops of light, where eyes are seen. */
  exposure?: number
  shapePercent?: number
  shapeSpread?: number
  gaps: readonly string[]
  /** Measured after merging. */
  iterations: number
  likeness: number
  leak: number
  yaw?: number
  mouth?: number
  ssim: number
  gmsd: number
  /** The same with the truth's face laid on DST's: without the size and the place of SRC's head, which no swap can have. */
  faceSsim: number
  faceGmsd: number
  color: number
  /** Mean absolute error inside the face, and as a share of DST's own. */
  mae: number
  border: number
  grain: number
  flicker: number
  uncovered: number
}

/** How long each pair is trained. */
export interface Effort {
  seconds?: number
  iterations?: number
  seed: number
  /** Of the merged clip every so many frames are evaluated, of SRC's every so many extracted. */
  everyNth: number
  srcEveryNth: number
}

/** Clips of one pair. */
export interface PairClips {
  name: string
  about: string
  src: string
  dst: string
  truth: string
}

const USUAL_PAIRS = ['shape-near', 'shape-other', 'no-left', 'no-open-mouth', 'dark-dst']

/**
 * The whole pipeline on pairs whose true swap is known, from clips to merged frames: extract, check, train, merge, evaluate.
 * Without a pack of heads, or with `--ci`, on the demo's pair alone.
 */
export async function run(args: string[], context: BenchContext): Promise<Outcome> {
  const { values } = benchArguments(args, {
    ci: { type: 'boolean', about: "the demo's footage, 200 iterations" },
    pairs: { type: 'string', about: 'names of rendered pairs, with commas between them' },
    time: { type: 'string', about: 'training time, such as 90s or 10m' },
    iterations: { type: 'string', about: 'iterations of each training' },
    seed: { type: 'string', default: '1', about: 'seed of the training' },
    out: { type: 'string', about: 'output folder' },
  })
  const small = values.ci || (!process.env[PACK_VARIABLE] && !values.pairs)
  const effort: Effort = {
    ...(values.time ? { seconds: secondsOf(values.time) } : {}),
    ...(values.iterations ? { iterations: Number(values.iterations) } : {}),
    ...(values.time || values.iterations ? {} : small ? { iterations: 200 } : { seconds: 300 }),
    seed: Number(values.seed),
    everyNth: values.ci ? 8 : small ? 2 : 1,
    srcEveryNth: values.ci ? 4 : 1,
  }
  const out = resolve(values.out ?? join(ROOT, 'workspace', `quality${values.ci ? '-ci' : ''}`))
  const clips = small ? [demoPair()] : await renderedPairs(values.pairs?.split(',') ?? USUAL_PAIRS, out, context)
  const results: PairResult[] = []
  for (const pair of clips) {
    results.push(await measurePair(pair, { folder: join(out, pair.name), effort }, context))
    context.tell(describe(results.slice(-1)))
  }
  const note = small && !values.ci ? `Set ${PACK_VARIABLE} to a pack of heads to measure more pairs.` : ''
  return {
    text: [describe(results), '', `Reports of each pair: ${out}`, note].join('\n'),
    data: { effort, out, pairs: results },
  }
}

/** The demo's footage: in every checkout. */
export const demoPair = (): PairClips => ({
  name: 'demo',
  about: "the demo's footage",
  src: demoClip('src'),
  dst: demoClip('dst'),
  truth: demoClip('truth'),
})

/** The clips of named pairs, rendered where they are not there yet. */
export async function renderedPairs(
  names: readonly string[],
  out: string,
  { say }: BenchContext,
): Promise<PairClips[]> {
  const unknown = names.filter((name) => !RENDERED_PAIRS.some((pair) => pair.name === name))
  if (unknown.length > 0)
    throw new DflError(
      'BAD_OPTION',
      `Expected some of ${RENDERED_PAIRS.map(({ name }) => name).join(', ')} for \`--pairs\`, but got ${unknown.join(', ')}. Correct them.`,
    )
  const model = await loadHeadPack()
  const folder = join(out, 'clips')
  await mkdir(folder, { recursive: true })
  const clips: PairClips[] = []
  for (const pair of RENDERED_PAIRS.filter(({ name }) => names.includes(name))) {
    for await (const { clip, done, total } of writePair(model, pair, folder))
      say(`rendering ${pair.name}-${clip}: frame ${done} of ${total}`)
    const clip = (which: string) => join(folder, `${pair.name}-${which}.mp4`)
    clips.push({ name: pair.name, about: pair.about, src: clip('src'), dst: clip('dst'), truth: clip('truth') })
  }
  return clips
}

/**
 * One pair from clips to numbers. What is finished is kept in `folder`: facesets, and the result for the same effort, so
 * that a stopped benchmark goes on where it was.
 */
export async function measurePair(
  pair: PairClips,
  { folder, effort }: { folder: string; effort: Effort },
  context: BenchContext,
): Promise<PairResult> {
  const kept = join(folder, 'result.json')
  const key = JSON.stringify({ ...effort, format: 3 })
  if (await exists(kept)) {
    const known = JSON.parse(await readFile(kept, 'utf8')) as { key: string; result: PairResult }
    if (known.key === key) return known.result
  }
  await mkdir(folder, { recursive: true })
  const workspace = await openWorkspace(join(folder, 'workspace'))
  const { seconds, iterations, seed, everyNth, srcEveryNth } = effort
  const preset = presetFor({ seconds, iterations })
  for (const side of ['src', 'dst'] as const) {
    const options = { faceType: preset.faceType, ...(side === 'src' ? { everyNth: srcEveryNth } : {}) }
    if (!workspace.record.clips[side][0]?.extracted)
      await walk(extractStage(workspace, { side, input: pair[side], options }), pair, context)
  }
  const { check } = await walk(checkStage(workspace, { out: join(folder, 'check.html') }), pair, context)
  // Facesets are kept, a model and what came of it are not: another effort, or other code, is what is measured.
  for (const old of [workspace.model, join(folder, KEPT_FACES)]) await rm(old, { recursive: true, force: true })
  const trained = await walk(trainStage(workspace, { seconds, iterations, seed, preset: preset.name }), pair, context)
  await walk(mergeStage(workspace, { input: pair.dst, again: true }), pair, context)
  const [dstLandmarks, truthLandmarks] = [await exactLandmarks(pair.dst), await exactLandmarks(pair.truth)]
  const { evaluation } = await walk(
    evaluateStage(workspace, {
      dst: pair.dst,
      truth: pair.truth,
      everyNth,
      out: join(folder, 'evaluation.html'),
      ...(dstLandmarks ? { dstLandmarks } : {}),
      ...(truthLandmarks ? { truthLandmarks } : {}),
    }),
    pair,
    context,
  )
  const { coverage, shape, exposure, shading, resemblance, forecast } = check!
  const result: PairResult = {
    pair: pair.name,
    about: pair.about,
    forecast: round(forecast),
    covered: round(coverage.covered),
    distance: round(coverage.distance),
    shading: round(shading),
    resemblance: round(resemblance),
    ...(exposure === undefined ? {} : { exposure: round(exposure, 2) }),
    ...(shape ? { shapePercent: round(shape.percent), shapeSpread: round(shape.spread) } : {}),
    gaps: coverage.gaps.map(({ axis, direction, share }) => `${axis} ${direction} ${Math.round(100 * share)} %`),
    iterations: trained.iterations,
    ...numbersOf(evaluation!),
  }
  await writeFile(kept, `${JSON.stringify({ key, result }, null, 2)}\n`)
  return result
}

function numbersOf({ likeness, identity, picture, steadiness }: Evaluation) {
  const { truth, truthFace } = picture as Required<typeof picture>
  const { yaw, mouth } = likeness.performance
  return {
    likeness: round(likeness.identity),
    leak: round(identity.leak),
    ...(yaw === undefined ? {} : { yaw: round(yaw) }),
    ...(mouth === undefined ? {} : { mouth: round(mouth) }),
    ssim: round(truth.ssim),
    gmsd: round(truth.gmsd, 4),
    faceSsim: round(truthFace.ssim),
    faceGmsd: round(truthFace.gmsd, 4),
    color: round(truth.color, 2),
    mae: round(truth.mae, 4),
    border: round(picture.borderColor, 2),
    grain: round(picture.grain, 2),
    flicker: round(steadiness.flicker, 2),
    uncovered: round(picture.uncovered),
  }
}

/** Walks a stage to its end and gives back what it made. */
async function walk<R>(stage: Stage<R>, { name }: PairClips, { say }: BenchContext): Promise<R> {
  for (;;) {
    const { value, done } = await stage.next()
    if (done) return value
    if (value.event === 'progress') say(`${name}, ${value.stage}: ${value.done} of ${value.total}, ${value.note}`)
  }
}

/** Numbers of pairs as a table. */
export function describe(results: readonly PairResult[]): string {
  const or = (value: number | undefined, digits = 2) => value?.toFixed(digits) ?? '–'
  return table(
    [
      'pair',
      'forecast',
      'covered',
      'distance',
      'shading',
      'alike',
      'shape %',
      'likeness',
      'leak',
      'mouth',
      'face SSIM',
      'face GMSD',
      'SSIM',
      'GMSD',
      'ΔE',
      'error',
      'border ΔE',
      'grain',
      'flicker %',
      'uncovered',
    ],
    results.map((one) => [
      one.pair,
      or(one.forecast),
      or(one.covered),
      or(one.distance),
      or(one.shading),
      or(one.resemblance),
      or(one.shapePercent, 1),
      or(one.likeness),
      or(one.leak),
      or(one.mouth),
      or(one.faceSsim, 3),
      or(one.faceGmsd, 3),
      or(one.ssim, 3),
      or(one.gmsd, 3),
      or(one.color, 1),
      or(one.mae, 4),
      or(one.border, 1),
      or(one.grain),
      or(one.flicker),
      or(one.uncovered),
    ]),
  )
}

/** A length of time such as '90s'. */
export function secondsOf(text: string): number {
  const seconds = parseDuration(text)
  if (seconds !== undefined) return seconds
  throw new DflError('BAD_OPTION', `Expected a time such as 90s or 5m for \`--time\`, but got '${text}'. Correct it.`)
}
