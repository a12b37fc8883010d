import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import {
  exactLandmarks,
  extractStage,
  measureSwap,
  mergeStage,
  openWorkspace,
  parseDuration,
  presetFor,
  presetNamed,
  type Stage,
  type SwapMeasures,
  sayDuration,
  type TrainResult,
  trainStage,
  type Workspace,
} from '@dfl/cli'
import { DflError } from '@dfl/core'
import { exists } from '@dfl/core/files'
import { demoClip, ROOT } from './footage.js'
import { type BenchContext, type Outcome, round, table } from './report.js'
import { writeSwapSheet } from './swap-sheet.js'

/** When a run of a length is looked at, in minutes; the end is always. */
const LOOKS: readonly { upTo: number; minutes: readonly number[] }[] = [
  { upTo: 6, minutes: [1, 2, 3, 5] },
  { upTo: 12, minutes: [1, 2, 5, 10] },
  { upTo: Number.POSITIVE_INFINITY, minutes: [5, 10, 20, 30, 60, 120] },
]

/**
 * How soon a swap looks like SRC: the stages of `dfl run`, with the training stopped at given times to merge the clip with
 * the model as it is then and to measure the merged frames. The training then goes on as if nothing had happened.
 */
export async function run(args: string[], context: BenchContext): Promise<Outcome> {
  const { values } = parseArgs({
    args,
    options: {
      pair: { type: 'string' },
      time: { type: 'string', default: '5m' },
      at: { type: 'string' },
      preset: { type: 'string' },
      seed: { type: 'string' },
      weights: { type: 'string' },
      'from-scratch': { type: 'boolean', default: false },
      'every-nth': { type: 'string', default: '1' },
      out: { type: 'string' },
    },
  })
  const seconds = secondsOf('--time', values.time)
  const everyNth = Number(values['every-nth'])
  const looks = values.at ? values.at.split(',').map((at) => secondsOf('--at', at)) : usualLooks(seconds)
  const preset = values.preset ? presetNamed(values.preset) : presetFor({ seconds })
  const clips = await clipsOf(values.pair)
  const dstLandmarks = await exactLandmarks(clips.dst)
  const name = basename(clips.dst).replace(/-dst\.mp4$/, '')
  const out = resolve(values.out ?? join(ROOT, 'workspace', `likeness-${name}-${preset.name}-${values.time}`))
  await mkdir(out, { recursive: true })
  const workspace = await openWorkspace(join(out, 'workspace'))

  for (const side of ['src', 'dst'] as const)
    if (!workspace.record.extracted[side])
      await walk(extractStage(workspace, { side, input: clips[side], options: { faceType: preset.faceType } }), context)
  // Facesets are kept from run to run, a model is not: its way is what is measured.
  await rm(workspace.model, { recursive: true, force: true })
  const train = {
    seconds,
    preset: preset.name,
    seed: values.seed === undefined ? undefined : Number(values.seed),
    weights: values.weights,
    fromScratch: values['from-scratch'],
  }
  const data = { pair: name, preset: preset.name, fromScratch: train.fromScratch, seconds, everyNth, out }
  const found: Look[] = []
  let stageSeconds = 0
  for (const at of looks) {
    const trained = await trainUntil(workspace, train, at, context)
    const path = join(out, `${Math.round(at)}s`)
    stageSeconds += trained.stageSeconds
    const merged = await walk(mergeStage(workspace, { input: clips.dst, out: `${path}.mp4`, again: true }), context)
    context.say(`measuring what ${sayDuration(at)} of training gave`)
    const measures = await measureSwap({
      result: merged.result,
      dst: clips.dst,
      ...(clips.truth ? { truth: clips.truth } : {}),
      srcFaceset: workspace.faceset.src,
      dstFaceset: workspace.faceset.dst,
      ...(dstLandmarks ? { dstLandmarks } : {}),
      everyNth,
    })
    await writeSwapSheet(`${path}.png`, { ...clips, result: merged.result, faces: workspace.faceset.dst })
    if (trained.preview) await copyFile(trained.preview, `${path}-preview.png`)
    found.push(lookOf({ ...trained, stageSeconds }, measures))
    // Runs are long: what is known is kept and shown at once.
    await writeFile(join(out, 'likeness.json'), `${JSON.stringify({ ...data, looks: found }, null, 2)}\n`)
    context.tell(describe(found.slice(-1)))
  }
  const text = [describe(found), '', `${name}, preset ${preset.name}. Merged clips, sheets and previews: ${out}`]
  return { text: text.join('\n'), data: { ...data, looks: found } }
}

/** What a swap was like after a time of training. */
interface Look {
  /** Training: computing and waiting for data. */
  trainedSeconds: number
  /** What the training stage took, from its start on: with compiling, previews and checkpoints. */
  stageSeconds: number
  iterations: number
  msPerIteration: number
  /** 0: as far from SRC as DST is, 1: as near as the true swap. */
  identity: number
  nearerToSrc: number
  yaw?: number
  mouth?: number
  eyes?: number
  found: number
  /** Trembling of the landmarks against DST's. */
  jitter?: SwapMeasures['jitter']
  /** Mean absolute error inside the truth's face, 0..1, and its ratio to that of DST as it was. */
  mae?: number
  ofDoingNothing?: number
}

/** Goes on with the training until it has taken so many seconds in all, and stops with everything saved. */
async function trainUntil(
  workspace: Workspace,
  job: { seconds: number; preset: string; seed?: number; weights?: string; fromScratch?: boolean },
  until: number,
  { say }: BenchContext,
) {
  const stop = new AbortController()
  const began = performance.now()
  const stage = trainStage(workspace, job, { signal: stop.signal })
  for (;;) {
    const { value, done } = await stage.next()
    if (done) return { ...value, stageSeconds: (performance.now() - began) / 1000 }
    if (value.event !== 'progress') continue
    say(`training: ${value.done} iterations, ${value.note}`)
    if (until < job.seconds && Number(value.detail.seconds) >= until) stop.abort()
  }
}

/** Walks a stage to its end and gives back what it made. */
async function walk<R>(stage: Stage<R>, { say }: BenchContext): Promise<R> {
  for (;;) {
    const { value, done } = await stage.next()
    if (done) return value
    if (value.event === 'progress') say(`${value.stage}: ${value.done} of ${value.total}, ${value.note}`)
  }
}

function lookOf(trained: TrainResult & { stageSeconds: number }, { likeness, jitter, error }: SwapMeasures): Look {
  const { identity, nearerToSrc, performance, found } = likeness
  const follows = Object.entries(performance).map(([name, value]) => [name, value === undefined ? value : round(value)])
  return {
    trainedSeconds: round(trained.seconds, 1),
    stageSeconds: round(trained.stageSeconds, 1),
    iterations: trained.iterations,
    msPerIteration: round((1000 * trained.seconds) / trained.iterations, 1),
    identity: round(identity),
    nearerToSrc: round(nearerToSrc),
    ...Object.fromEntries(follows),
    found: round(found),
    ...(jitter ? { jitter } : {}),
    ...(error ? { mae: round(error.result.mae, 4), ofDoingNothing: round(error.result.mae / error.nothing.mae) } : {}),
  }
}

function describe(looks: readonly Look[]): string {
  const or = (value: number | undefined, digits = 2) => value?.toFixed(digits) ?? '–'
  const percent = (value: number) => `${Math.round(100 * value)} %`
  return table(
    [
      ...['trained', 'identity', 'nearer to SRC', 'yaw', 'mouth', 'eyes', 'error in face', 'of doing nothing', 'faces'],
      ...['iterations', 'ms/iteration', 'stage took'],
    ],
    looks.map((look) => [
      sayDuration(look.trainedSeconds),
      or(look.identity),
      percent(look.nearerToSrc),
      or(look.yaw),
      or(look.mouth),
      or(look.eyes),
      or(look.mae, 4),
      or(look.ofDoingNothing),
      percent(look.found),
      look.iterations,
      look.msPerIteration.toFixed(0),
      sayDuration(look.stageSeconds),
    ]),
  )
}

/** The usual times to look at a run of so many seconds, its end among them. */
function usualLooks(seconds: number): number[] {
  const { minutes } = LOOKS.find(({ upTo }) => seconds <= 60 * upTo)!
  return [...minutes.map((minute) => 60 * minute).filter((at) => at < seconds), seconds]
}

/** `<pair>-src.mp4`, `-dst.mp4` and, where it is there, `-truth.mp4`; the demo's footage without a pair. */
async function clipsOf(pair: string | undefined): Promise<{ src: string; dst: string; truth?: string }> {
  if (pair === undefined) return { src: demoClip('src'), dst: demoClip('dst'), truth: demoClip('truth') }
  const truth = `${pair}-truth.mp4`
  return { src: `${pair}-src.mp4`, dst: `${pair}-dst.mp4`, ...((await exists(truth)) ? { truth } : {}) }
}

function secondsOf(flag: string, text: string): number {
  const seconds = parseDuration(text)
  if (seconds === undefined)
    throw new DflError(
      'BAD_OPTION',
      `Expected a time such as 90s or 5m for \`${flag}\`, but got '${text}'. Correct it.`,
    )
  return seconds
}
