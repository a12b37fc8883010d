import type { FaceType } from '@dfl/core'
import type { ExtractOptions } from '@dfl/extract'
import type { Provenance } from '@dfl/provenance'
import { controlsOf, hasModel } from '@dfl/trainer'
import { type Clips, listOf } from './clips.js'
import { NO_CONFIG } from './config.js'
import { type Stage, type StageContext, sayDuration } from './events.js'
import type { MergeJob } from './merge-job.js'
import { expectResultPath } from './merge-result.js'
import { describeSeal, type ProvenanceJob } from './provenance.js'
import { type ExtractResult, expectFrames, extractStage, finishedExtraction } from './stages/extract.js'
import { expectMergeable, mergeStage } from './stages/merge.js'
import { type TrainResult, trainStage } from './stages/train.js'
import { expectRecipe, presetOf, type TrainJob } from './train-job.js'
import { identifyClip, type Workspace } from './workspace.js'
import { modelToBe } from './workspace-model.js'

/** Training time of a run that was not told any. */
export const USUAL_SECONDS = 600

/** What a run is asked for. */
export interface RunJob {
  /** Footage that gives the face: a clip, or several. */
  src: Clips
  /** Footage that gives the performance and the frames. */
  dst: string
  /** A video, or a folder for images; `result.mp4` in the workspace if not given. */
  out?: string
  extract?: Partial<Omit<ExtractOptions, 'side'>>
  train?: TrainJob
  merge?: Pick<MergeJob, 'options' | 'xseg' | 'controls'>
  provenance?: ProvenanceJob
}

/** Seconds that each stage took in this run; 0 where there was nothing to do. */
export interface StageTimes {
  extractSrc: number
  extractDst: number
  train: number
  merge: number
}

/** What a run made. */
export interface RunResult {
  /** The merged clip. */
  result: string
  frames: number
  framesWithFace: number
  /** Iterations of the model, all sittings together. */
  iterations: number
  /** Training time, all sittings together. */
  trainingSeconds: number
  preset: string
  /** The five-column preview. */
  preview?: string
  startedFrom?: string
  secondsPerStage: StageTimes
  stopped: boolean
  /** Whether everything was done before. */
  upToDate: boolean
  /** What the result says about itself: see `MergeResult`. */
  provenance?: Provenance
}

/**
 * The whole job in one workspace: extracts both sides, trains, merges. Stages that are done are passed over, a stage that
 * was stopped or killed goes on, so the same call again finishes the job.
 */
export async function* runStages(workspace: Workspace, job: RunJob, context: StageContext = {}): Stage<RunResult> {
  const { src, dst, out = workspace.defaultResult } = job
  const once = eachWarningOnce()
  const train = withLength(job.train)
  const times: StageTimes = { extractSrc: 0, extractDst: 0, train: 0, merge: 0 }
  const clips = {
    src: await Promise.all(listOf(src).map((path) => identifyClip(path, '--src'))),
    dst: [await identifyClip(dst, '--dst')],
  }
  await expectResultPath(out, [...listOf(src), dst], workspace.record)
  for (const path of [...listOf(src), dst]) await expectFrames(path)
  // Hours of training before a merge that cannot be would be lost time.
  const mergeJob = { ...job.merge, input: dst, flag: '--dst', out, device: train.device, provenance: job.provenance }
  await expectMergeable(workspace, mergeJob)
  const preset = presetOf(workspace, train, !(await hasModel(workspace.model)))
  const faceType: FaceType =
    (job.extract?.faceType as FaceType | undefined) ?? workspace.record.faceType ?? preset.faceType
  const { config = NO_CONFIG } = context
  await expectRecipe(train, config)
  controlsOf(await modelToBe(workspace, train, { preset, faceType, config }), job.merge?.controls)

  let dstFaces: Pick<ExtractResult, 'frames' | 'framesWithFace'> = { frames: 0, framesWithFace: 0 }
  const unfinished = (trained?: TrainResult): RunResult => ({
    result: out,
    ...{ frames: dstFaces.frames, framesWithFace: dstFaces.framesWithFace },
    iterations: trained?.iterations ?? 0,
    trainingSeconds: trained?.seconds ?? 0,
    preset: trained?.preset ?? preset.name,
    preview: trained?.preview,
    secondsPerStage: times,
    stopped: true,
    upToDate: false,
  })

  for (const side of ['src', 'dst'] as const) {
    const began = performance.now()
    const done = await finishedExtraction(workspace, side, clips[side])
    const same = done && (job.extract?.faceType === undefined || done.faceType === job.extract.faceType)
    if (same) {
      const text = `${done.faces} faces in ${done.framesWithFace} of ${done.frames} frames, extracted before`
      yield { event: 'stage', stage: `extract-${side}`, state: 'skipped', text }
    }
    const options = { ...job.extract, faceType }
    // Every frame of DST is needed: what is left out would stay without a swap.
    if (side === 'dst') delete options.everyNth
    const faces = same
      ? { ...done, stopped: false }
      : yield* once(extractStage(workspace, { side, input: job[side], flag: `--${side}`, options }, context))
    if (!same) times[side === 'src' ? 'extractSrc' : 'extractDst'] = (performance.now() - began) / 1000
    if (side === 'dst') dstFaces = faces
    if (faces.stopped) return unfinished()
  }

  const trainBegan = performance.now()
  const trained = yield* trainStage(workspace, train, context)
  if (!trained.skipped) times.train = (performance.now() - trainBegan) / 1000
  if (trained.stopped) return unfinished(trained)

  const mergeBegan = performance.now()
  const merged = yield* once(mergeStage(workspace, mergeJob, context))
  if (!merged.skipped) times.merge = (performance.now() - mergeBegan) / 1000
  return {
    ...unfinished(trained),
    frames: merged.frames,
    framesWithFace: merged.framesWithFace,
    startedFrom: trained.startedFrom,
    stopped: merged.stopped,
    ...(merged.provenance ? { provenance: merged.provenance } : {}),
    upToDate: trained.skipped && merged.skipped,
  }
}

/** Lets stages report, but what one of them warned of no other says again. */
function eachWarningOnce() {
  const said = new Set<string>()
  return async function* <Result>(stage: Stage<Result>): Stage<Result> {
    try {
      for (;;) {
        const next = await stage.next()
        if (next.done) return next.value
        const report = next.value
        if (report.event === 'warning' && said.has(report.text)) continue
        if (report.event === 'warning') said.add(report.text)
        yield report
      }
    } finally {
      await stage.return(undefined as never)
    }
  }
}

/** A training with an end: of the usual length if none was asked for. */
const withLength = (train: TrainJob = {}): TrainJob =>
  train.seconds === undefined && train.iterations === undefined ? { ...train, seconds: USUAL_SECONDS } : train

/** What a finished run says to people. */
export function describeRun({
  result,
  frames,
  framesWithFace,
  iterations,
  trainingSeconds,
  upToDate,
  preview,
  provenance,
}: RunResult): string {
  if (upToDate) return `Nothing to do: ${result} is up to date. Ask for more --time to train further.`
  return [
    `Result   ${result}`,
    `         ${framesWithFace} of ${frames} frames swapped, ${iterations} iterations in ${sayDuration(trainingSeconds)} of training`,
    ...(provenance ? [`         ${describeSeal(provenance)}`] : []),
    ...(preview ? [`Preview  ${preview}`] : []),
  ].join('\n')
}
