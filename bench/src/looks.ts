import { copyFile, mkdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import {
  exactLandmarks,
  extractStage,
  measureSwap,
  mergeStage,
  openWorkspace,
  parseDuration,
  type Stage,
  type StageContext,
  type SwapMeasures,
  sayDuration,
  type TrainJob,
  type TrainResult,
  trainStage,
  type Workspace,
} from '@dfl/cli'
import { DflError, type FaceType, type Landmarks } from '@dfl/core'
import { exists } from '@dfl/core/files'
import { demoClip } from './footage.js'
import { type BenchContext, round } from './report.js'
import { writeSwapSheet } from './swap-sheet.js'

/** A pair of clips that is trained on and looked at, with its facesets. */
export interface LookedAt {
  name: string
  /** A truth where it is known what a perfect swap shows. */
  clips: { src: string; dst: string; truth?: string }
  /** DST's landmarks as they were rendered, where they are known. */
  dstLandmarks?: readonly Landmarks[]
  workspace: Workspace
  /** Where clips and pictures of the looks go. */
  out: string
  everyNth: number
}

/** What a swap was like after a time of training. */
export interface Look {
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

/**
 * The pair of `--pair`, or the demo's without one: `<pair>-src.mp4`, `-dst.mp4` and, where it is there, `-truth.mp4`.
 *
 * Its facesets are made where they are not in the workspace yet.
 *
 * @param out  What the output folder is for a pair of this name.
 */
export async function openPair(
  pair: string | undefined,
  { faceType, everyNth, out: folderOf }: { faceType: FaceType; everyNth: number; out: (name: string) => string },
  context: BenchContext,
): Promise<LookedAt> {
  const truth = `${pair}-truth.mp4`
  const clips =
    pair === undefined
      ? { src: demoClip('src'), dst: demoClip('dst'), truth: demoClip('truth') }
      : { src: `${pair}-src.mp4`, dst: `${pair}-dst.mp4`, ...((await exists(truth)) ? { truth } : {}) }
  const name = basename(clips.dst).replace(/-dst\.mp4$/, '')
  const out = resolve(folderOf(name))
  await mkdir(out, { recursive: true })
  const workspace = await openWorkspace(join(out, 'workspace'))
  for (const side of ['src', 'dst'] as const)
    if (!workspace.record.clips[side][0]?.extracted)
      await walk(extractStage(workspace, { side, input: clips[side], options: { faceType } }), context)
  const dstLandmarks = await exactLandmarks(clips.dst)
  return { name, clips, ...(dstLandmarks ? { dstLandmarks } : {}), workspace, out, everyNth }
}

/** For `--processor-time`: seconds of work on one thread, the samples' among them. What else runs on the machine changes them little. */
export const PROCESSOR_TIME = {
  threads: 1,
  clock: () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  },
} as const satisfies Partial<TrainJob>

/** Goes on with the training until it has taken so many seconds in all, and stops with everything saved. */
export async function trainUntil(
  workspace: Workspace,
  job: TrainJob & { seconds: number },
  until: number,
  { say, ...stageContext }: Pick<BenchContext, 'say'> & Pick<StageContext, 'config'>,
): Promise<TrainResult & { stageSeconds: number }> {
  const stop = new AbortController()
  const began = performance.now()
  const stage = trainStage(workspace, job, { ...stageContext, signal: stop.signal })
  for (;;) {
    const { value, done } = await stage.next()
    if (done) return { ...value, stageSeconds: (performance.now() - began) / 1000 }
    if (value.event !== 'progress') continue
    say(`training: ${value.done} iterations, ${value.note}`)
    if (until < job.seconds && Number(value.detail.seconds) >= until) stop.abort()
  }
}

/**
 * Merges the pair's whole clip with the model as it is and measures the merged frames. Clip, sheet and preview stay in the
 * output folder.
 *
 * @param label  What their names begin with.
 */
export async function lookAt(
  { clips, dstLandmarks, workspace, out, everyNth }: LookedAt,
  label: string,
  trained: TrainResult & { stageSeconds: number },
  { say, ...stageContext }: Pick<BenchContext, 'say'> & Pick<StageContext, 'config'>,
): Promise<Look> {
  const path = join(out, label)
  const merge = mergeStage(workspace, { input: clips.dst, out: `${path}.mp4`, again: true }, stageContext)
  const { result } = await walk(merge, { say })
  say(`measuring what ${sayDuration(trained.seconds)} of training gave`)
  const measures = await measureSwap({
    ...{ result, dst: clips.dst, everyNth },
    ...(clips.truth ? { truth: clips.truth } : {}),
    ...{ srcFaceset: workspace.faceset.src, dstFaceset: workspace.faceset.dst },
    ...(dstLandmarks ? { dstLandmarks } : {}),
  })
  await writeSwapSheet(`${path}.png`, { ...clips, result, faces: workspace.faceset.dst })
  if (trained.preview) await copyFile(trained.preview, `${path}-preview.png`)
  return lookOf(trained, measures)
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

/** Columns of a table of looks that say what a swap was like. */
export const LOOK_COLUMNS = [
  ...['identity', 'nearer to SRC', 'yaw', 'mouth', 'eyes', 'error in face', 'of doing nothing', 'faces'],
  ...['iterations', 'ms/iteration', 'stage took'],
] as const

/** A look's cells of those columns. */
export function cellsOf(look: Look): (string | number)[] {
  const or = (value: number | undefined, digits = 2) => value?.toFixed(digits) ?? '–'
  const percent = (value: number) => `${Math.round(100 * value)} %`
  return [
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
  ]
}

/** Walks a stage to its end and gives back what it made. */
async function walk<R>(stage: Stage<R>, { say }: Pick<BenchContext, 'say'>): Promise<R> {
  for (;;) {
    const { value, done } = await stage.next()
    if (done) return value
    if (value.event === 'progress') say(`${value.stage}: ${value.done} of ${value.total}, ${value.note}`)
  }
}

/** @throws DflError `BAD_OPTION` for what is no time. */
export function secondsOf(flag: string, text: string): number {
  const seconds = parseDuration(text)
  if (seconds !== undefined) return seconds
  throw new DflError('BAD_OPTION', `Expected a time such as 90s or 5m for \`${flag}\`, but got '${text}'. Correct it.`)
}
