import { rm } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { type DflError, resolveOptions } from '@dfl/core'
import { exists } from '@dfl/core/files'
import { chooseDevice } from '@dfl/engine'
import { collectReport, type FrameSpan, type MergeProgress, mergeOptions, mergeVideo } from '@dfl/merge'
import { type Provenance, SYNTHETIC_METADATA } from '@dfl/provenance'
import { openModel } from '@dfl/trainer'
import { faceArchitectures } from '../architectures.js'
import { type ProgressEvent, type Stage, type StageContext, sayDuration } from '../events.js'
import { footageNotices } from '../footage-notices.js'
import { parseSpans } from '../frame-spans.js'
import { comparisonPath, wantedStills, writeComparison, writeStills } from '../merge-extras.js'
import { dstClipOf, type MergeJob, missingFaces, settingsFor, stateOf } from '../merge-job.js'
import { writeMergeReport } from '../merge-report.js'
import {
  bytesOf,
  defaultResult,
  expectComparisonPath,
  expectResultPath,
  expectWritable,
  finishedResult,
  rarePlayedSound,
} from '../merge-result.js'
import { noticesOf, openSealer } from '../provenance.js'
import { sameFootage } from '../same-footage.js'
import { openSwapper, paintedBy, sayControls } from '../swapper.js'
import type { Merged, Workspace } from '../workspace.js'
import { maskerOf, xsegFor } from '../xseg-masker.js'

/** What a merge made. */
export interface MergeResult extends Pick<Merged, 'result' | 'frames' | 'framesWithFace'> {
  /** Whether it was stopped before its end. */
  stopped: boolean
  /** Whether the result was there and up to date. */
  skipped: boolean
  /** Iterations of the model that painted it. */
  iterations: number
  /** Where it stands what was done, and what to look at. */
  report?: { html: string; json: string }
  /** Stills and comparison, where they were asked for. */
  extras: string[]
  /** What the result says about itself, read back from it; nothing where it was made without, or was there. */
  provenance?: Provenance
}

/** Faces that go through the model at once. */
const BATCH = 4

/**
 * Puts the swap into every frame of DST's clip. Stopped or killed, it goes on after the last finished part when it is
 * called again.
 *
 * The result says that it is synthetic: see `openSealer`.
 *
 * @throws DflError `NO_SUCH_FILE` without a model or a clip, `BAD_STATE` for another clip than DST's faces were found in,
 * `UNKNOWN_NAME` for a control that the model does not have, and all of `mergeVideo`.
 */
export async function* mergeStage(
  workspace: Workspace,
  job: MergeJob = {},
  { signal, config }: StageContext = {},
): Stage<MergeResult> {
  const { only, out, frames, clip, stills, options, sealer, settings, xseg } = await plannedMerge(workspace, job)
  const run = await openModel(workspace.model, faceArchitectures(config))
  const { iteration: iterations } = run.progress
  const madeFrom = JSON.stringify({
    ...{ clip: [clip.path, clip.bytes, clip.modifiedMs], ...paintedBy(run, job.controls), options },
    ...{ settings, only, package: job.package, faces: await stateOf(workspace.faceset.dst) },
    ...(xseg ? { xseg: paintedBy(xseg) } : {}),
    provenance: sealer.fingerprint,
  })
  const marked = { from: frames, run }
  const seal = (path: string) => sealer.seal(path, { ...marked, name: path })
  const there = await finishedResult(workspace, { madeFrom, out })
  if (there && !job.again) {
    yield { event: 'stage', stage: 'merge', state: 'skipped', text: `${out} is up to date` }
    const extras = await extrasOf(job, { out, clip: frames, only, stills, seal })
    return { ...there, result: out, stopped: false, skipped: true, iterations, extras }
  }
  yield* sameFootage(workspace, clip, job)
  const keepIn = join(workspace.folder, `merged${clip.suffix}`)
  if (job.again) await rm(keepIn, { recursive: true, force: true })

  const device = await chooseDevice(job.device ?? 'cpu')
  const began = performance.now()
  const seconds = () => (performance.now() - began) / 1000
  yield {
    event: 'stage',
    stage: 'merge',
    state: 'started',
    text: `${basename(frames)} with iteration ${iterations}${sayControls(run.model, job.controls)} → ${out}${device === 'cpu' ? '' : `, on ${device}`}`,
  }
  yield* noticesOf(sealer)
  yield* footageNotices(frames)
  yield* rarePlayedSound(out, frames)
  await expectWritable(out, frames, options)
  await using swapper = await openSwapper(run, { freeze: true, batchSize: BATCH, device, controls: job.controls })
  await using masker = await maskerOf(xseg)
  const damaged: DflError[] = []
  let provenance: Provenance | undefined
  const progress = mergeVideo({
    frames,
    faces: workspace.faceset.dst,
    ...(clip.known?.name === undefined ? {} : { source: clip.known.name }),
    swapper,
    out,
    options,
    settings,
    keepIn,
    ...(only ? { only } : {}),
    ...(job.package === undefined ? {} : { package: job.package }),
    ...(masker ? { masker } : {}),
    fingerprint: JSON.stringify([paintedBy(run, job.controls), ...(xseg ? [paintedBy(xseg)] : [])]),
    metadata: job.provenance?.provenance === false ? {} : SYNTHETIC_METADATA,
    seal: async (path) => {
      provenance = await sealer.seal(path, { ...marked, name: out })
    },
    onDamaged: (error) => damaged.push(error),
  })
  let last: MergeProgress | undefined
  const collected = collectReport()
  for await (const report of progress) {
    last = report
    collected.add(report.frame)
    yield progressOf(report)
    for (const { message } of damaged.splice(0)) yield { event: 'warning', text: message }
    if (signal?.aborted && report.done < report.frames) {
      yield {
        event: 'stage',
        stage: 'merge',
        state: 'stopped',
        seconds: seconds(),
        text: `${report.done} of ${report.frames} frames`,
      }
      return {
        result: out,
        frames: report.done,
        framesWithFace: report.framesWithFaces,
        stopped: true,
        skipped: false,
        iterations,
        extras: [],
      }
    }
  }
  if (!provenance) await sealer.logged(resolve(out))
  const missing = last && !only ? await missingFaces(workspace, { clip, frames: last.frames }) : []
  for (const text of missing) yield { event: 'warning', text }
  const found = collected.report()
  const report = await writeMergeReport(out, found)
  const extras = await extrasOf(job, { out, clip: frames, only, stills, seal })
  const counts = { frames: found.frames, framesWithFace: found.framesWithFaces }
  // A piece of the clip is not what later commands mean by the result.
  if (!only)
    await workspace.update({
      merged: [
        ...workspace.record.merged.filter(({ dst }) => dst !== clip.path),
        { dst: clip.path, madeFrom, result: resolve(out), bytes: await bytesOf(out), ...counts },
      ],
    })
  const kept = last?.framesKept ? `, ${last.framesKept} of them kept from before` : ''
  const rate = last && last.framesKept < last.done ? `, ${last.fps.toFixed(1)} frames/s` : ''
  const text = `${counts.framesWithFace} of ${counts.frames} frames swapped${kept} in ${sayDuration(seconds())}${rate}`
  yield { event: 'stage', stage: 'merge', state: 'finished', seconds: seconds(), text }
  const result = { ...counts, result: out, stopped: false, skipped: false, iterations, report, extras }
  return { ...result, ...(provenance ? { provenance } : {}) }
}

/**
 * What a merge will do, with all that can be wrong with it told before any work, but for faces and model.
 *
 * @throws DflError `NO_SUCH_FILE` for a clip, a file of settings, an XSeg or a certificate; `BAD_OPTION`.
 */
async function plannedMerge(workspace: Workspace, job: MergeJob) {
  const only = job.frames === undefined ? undefined : parseSpans(job.frames, '--frames')
  const clip = await dstClipOf(workspace, job)
  const { path: frames } = clip
  const out = job.out ?? defaultResult(workspace, clip, job.frames)
  const { src, dst } = workspace.record.clips
  await expectResultPath(out, [frames, ...[...src, ...dst].map(({ path }) => path)], workspace.record)
  if (job.compare) await expectComparisonPath(comparisonPath(out, job.compare), out, workspace.record)
  const stills = job.stills === undefined ? undefined : await wantedStills(job.stills, { clip: frames, only })
  const options = resolveOptions(mergeOptions, job.options)
  const sealer = await openSealer(workspace, job.provenance)
  const settings = await settingsFor(workspace, clip, job.settings)
  const xseg = await xsegFor(workspace, job.xseg, [options.mask, settings])
  return { only, out, frames, clip, stills, options, sealer, settings, xseg }
}

/** Nothing if a merge can be begun once there are faces and a model. @throws DflError as `plannedMerge`; `UNSUPPORTED_MEDIA`. */
export async function expectMergeable(workspace: Workspace, job: MergeJob): Promise<void> {
  const { out, frames, options } = await plannedMerge(workspace, job)
  await expectWritable(out, frames, options)
}

/** Writes what was asked for beside the result, marked as the result is: the paths. */
async function extrasOf(
  { compare, package: comp }: MergeJob,
  made: {
    out: string
    clip: string
    only: readonly FrameSpan[] | undefined
    stills: readonly number[] | undefined
    seal: (path: string) => Promise<unknown>
  },
): Promise<string[]> {
  const { out, clip, only, stills, seal } = made
  const paths: string[] = []
  if (stills !== undefined) paths.push(await writeStills(out, stills, only))
  if (compare !== undefined) paths.push(await writeComparison(out, compare, { clip, only }))
  // Of a package, the folders that show the new face.
  const pictures = comp === undefined ? [] : ['face', 'painted'].map((kind) => join(comp, kind))
  for (const path of [...paths, ...pictures]) if (await exists(path)) await seal(path)
  return comp === undefined ? paths : [...paths, comp]
}

function progressOf(report: MergeProgress): ProgressEvent {
  const { done, frames, framesWithFaces, framesKept, fps, secondsLeft } = report
  const seconds = Object.entries(report.seconds).map(([step, value]) => [`${step}Seconds`, value])
  return {
    event: 'progress',
    stage: 'merge',
    unit: 'frames',
    done,
    total: frames,
    share: done / Math.max(1, frames),
    perSecond: fps,
    secondsLeft,
    note: `${framesWithFaces} swapped`,
    detail: { framesWithFaces, framesKept, ...Object.fromEntries(seconds) },
  }
}
