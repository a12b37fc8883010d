import { mkdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { DflError, resolveOptions } from '@dfl/core'
import { exists } from '@dfl/core/files'
import { chooseDevice, type DeviceChoice } from '@dfl/engine'
import { openFaceset } from '@dfl/faceset'
import { createVideo, isVideoPath, openFrames, VIDEO_EXTENSIONS } from '@dfl/media'
import {
  collectReport,
  type MergeOptions,
  type MergeProgress,
  mergeOptions,
  mergeVideo,
  readSettings,
  type SettingsEntry,
  type Swapper,
} from '@dfl/merge'
import { type Provenance, SYNTHETIC_METADATA } from '@dfl/provenance'
import { createPainter, type ModelFolder, openModel, type Painter } from '@dfl/trainer'
import { faceArchitectures } from '../architectures.js'
import { type Stage, type StageContext, sayDuration } from '../events.js'
import { parseFrames, parseSpans } from '../frame-spans.js'
import { type Comparison, writeComparison, writeStills } from '../merge-extras.js'
import { writeMergeReport } from '../merge-report.js'
import { noticesOf, openSealer, type ProvenanceJob } from '../provenance.js'
import { identifyClip, type Merged, type Workspace } from '../workspace.js'
import { maskerOf, xsegFor } from '../xseg-masker.js'

/** What a merge is asked for. */
export interface MergeJob {
  /** DST's clip; the one that was extracted if not given. */
  input?: string
  /** What messages call the input: '--input'. */
  flag?: string
  /** A video, or a folder for images; `result.mp4` in the workspace if not given. */
  out?: string
  options?: Partial<MergeOptions>
  /** Folder of a trained XSeg, for masks that name it; `xseg` in the workspace if not given. */
  xseg?: string
  /** Where the model paints: `cpu` by default. */
  device?: DeviceChoice
  provenance?: ProvenanceJob
  /** Makes the result again though nothing has changed. */
  again?: boolean
  /** File of settings for shots and frames; `merge.json` in the workspace, where there is one, if not given. */
  settings?: string
  /** Frames that are wanted, such as '120-240'; all if not given. */
  frames?: string
  /** Frames to write as PNG beside the result, such as '10,300'. */
  stills?: string
  /** A second video that shows DST's clip and the result together. */
  compare?: Comparison
  /** Folder for a compositor's package. */
  package?: string
}

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
 * @throws DflError `NO_SUCH_FILE` without a model or a clip, and all of `mergeVideo`.
 */
export async function* mergeStage(
  workspace: Workspace,
  job: MergeJob = {},
  { signal, config }: StageContext = {},
): Stage<MergeResult> {
  const { flag = '--input' } = job
  const only = job.frames === undefined ? undefined : parseSpans(job.frames, '--frames')
  const out = job.out ?? defaultResult(workspace, job.frames)
  const frames = dstClipOf(workspace, job)
  const clip = await identifyClip(frames, flag)
  expectResultPath(out, [frames, workspace.record.clips.src?.path])
  const options = resolveOptions(mergeOptions, job.options)
  const run = await openModel(workspace.model, faceArchitectures(config))
  const { iteration: iterations } = run.progress
  const sealer = await openSealer(workspace, job.provenance)
  const settings = await settingsFor(workspace, job.settings)
  const xseg = await xsegFor(workspace, job.xseg, [options.mask, settings])
  const madeFrom = JSON.stringify({
    ...{ clip: [clip.path, clip.bytes, clip.modifiedMs], ...paintedBy(run), options },
    ...{ settings, only, package: job.package, faces: await stateOf(workspace.faceset.dst) },
    ...(xseg ? { xseg: paintedBy(xseg) } : {}),
    provenance: sealer.fingerprint,
  })
  const marked = { from: frames, run }
  const there = await finished(workspace, { madeFrom, out })
  if (there && !job.again) {
    yield { event: 'stage', stage: 'merge', state: 'skipped', text: `${out} is up to date` }
    const extras = await extrasOf(job, {
      out,
      clip: frames,
      start: 0,
      seal: (path) => sealer.seal(path, { ...marked, name: path }),
    })
    return { ...there, result: out, stopped: false, skipped: true, iterations, extras }
  }
  const keepIn = join(workspace.folder, 'merged')
  if (job.again) await rm(keepIn, { recursive: true, force: true })

  const device = await chooseDevice(job.device ?? 'cpu')
  const began = performance.now()
  const seconds = () => (performance.now() - began) / 1000
  yield {
    event: 'stage',
    stage: 'merge',
    state: 'started',
    text: `${basename(frames)} with iteration ${iterations} → ${out}${device === 'cpu' ? '' : `, on ${device}`}`,
  }
  yield* noticesOf(sealer)
  await mkdir(dirname(resolve(out)), { recursive: true })
  await expectWritable(out, frames, options)
  await using painter = await createPainter(run.model, run.state, { freeze: true, batchSize: BATCH, device })
  await using masker = await maskerOf(xseg)
  const damaged: DflError[] = []
  let provenance: Provenance | undefined
  const progress = mergeVideo({
    frames,
    faces: workspace.faceset.dst,
    swapper: swapperOf(run, painter),
    out,
    options,
    settings,
    keepIn,
    ...(only ? { only } : {}),
    ...(job.package === undefined ? {} : { package: job.package }),
    ...(masker ? { masker } : {}),
    fingerprint: JSON.stringify([paintedBy(run), ...(xseg ? [paintedBy(xseg)] : [])]),
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
  const unfinished = last && !only && (await unfinishedExtraction(workspace, { clip: frames, frames: last.frames }))
  if (unfinished) yield { event: 'warning', text: unfinished }
  const found = collected.report()
  const report = await writeMergeReport(out, found)
  const extras = await extrasOf(job, {
    ...{ out, clip: frames, start: only?.[0]?.start ?? 0 },
    seal: (path) => sealer.seal(path, { ...marked, name: path }),
  })
  const counts = { frames: found.frames, framesWithFace: found.framesWithFaces }
  // A piece of the clip is not what later commands mean by the result.
  if (!only)
    await workspace.update({ merged: { madeFrom, result: resolve(out), bytes: await bytesOf(out), ...counts } })
  const kept = last?.framesKept ? `, ${last.framesKept} of them kept from before` : ''
  const rate = last && last.framesKept < last.done ? `, ${last.fps.toFixed(1)} frames/s` : ''
  const text = `${counts.framesWithFace} of ${counts.frames} frames swapped${kept} in ${sayDuration(seconds())}${rate}`
  yield { event: 'stage', stage: 'merge', state: 'finished', seconds: seconds(), text }
  const result = { ...counts, result: out, stopped: false, skipped: false, iterations, report, extras }
  return { ...result, ...(provenance ? { provenance } : {}) }
}

/** `result.mp4` in the workspace; for a piece of the clip a name of its own, so that the whole result stays. */
function defaultResult({ folder, defaultResult }: Workspace, frames: string | undefined): string {
  if (frames === undefined) return defaultResult
  const name = `result-${frames.replace(/[^\d-]+/g, '_')}`
  return join(folder, parseSpans(frames, '--frames').length === 1 ? `${name}.mp4` : name)
}

/**
 * DST's clip: the one that is given, or the one that was extracted.
 *
 * @throws DflError `NO_SUCH_FILE` when there is neither.
 */
export function dstClipOf({ folder, record }: Workspace, { input, flag = '--input' }: MergeJob): string {
  const clip = input ?? record.clips.dst?.path
  if (clip !== undefined) return clip
  throw new DflError(
    'NO_SUCH_FILE',
    `Expected DST's clip for \`${flag}\`, but it was not given, and no faces of DST were extracted in \`${folder}\` yet. Run first: dfl extract --side dst --input <clip> --workspace ${folder}`,
  )
}

/** Where settings of shots and frames are read from. */
export const settingsFile = ({ folder }: Workspace, file: string | undefined) => file ?? join(folder, 'merge.json')

/** The settings of a file; without one those in the workspace, if there are any. */
export async function settingsFor(workspace: Workspace, file: string | undefined): Promise<SettingsEntry[]> {
  const path = settingsFile(workspace, file)
  return file === undefined && !(await exists(path)) ? [] : readSettings(path)
}

/** What tells one state of a faceset and its masks from another. */
async function stateOf(faceset: string): Promise<readonly number[]> {
  const found = await Promise.all(
    [faceset, join(faceset, 'faces.jsonl'), join(faceset, 'masks')].map((path) => stat(path).catch(() => undefined)),
  )
  return found.flatMap((one) => (one ? [one.isDirectory() ? 0 : one.size, one.mtimeMs] : [0, 0]))
}

/** Writes what was asked for beside the result, marked as the result is: the paths. */
async function extrasOf(
  { stills, compare, package: comp }: MergeJob,
  made: { out: string; clip: string; start: number; seal: (path: string) => Promise<unknown> },
): Promise<string[]> {
  const { out, clip, start, seal } = made
  const paths: string[] = []
  if (stills !== undefined) paths.push(await writeStills(out, { frames: parseFrames(stills, '--stills'), start }))
  if (compare !== undefined) paths.push(await writeComparison(out, compare, { clip, start }))
  // Of a package, the folders that show the new face.
  const pictures = comp === undefined ? [] : ['face', 'painted'].map((kind) => join(comp, kind))
  for (const path of [...paths, ...pictures]) if (await exists(path)) await seal(path)
  return comp === undefined ? paths : [...paths, comp]
}

/** What to say where faces of DST were only looked for in a part of the clip. */
async function unfinishedExtraction(
  workspace: Workspace,
  merged: { clip: string; frames: number },
): Promise<string | undefined> {
  const { info } = await openFaceset(workspace.faceset.dst)
  const done = info.sources.reduce((sum, { framesDone }) => sum + framesDone, 0)
  if (done === 0 || done >= merged.frames) return undefined
  return `Faces of DST were looked for in ${done} of ${merged.frames} frames; the others stay as they are. Finish the extraction, then merge again: dfl extract --side dst --input ${merged.clip} --workspace ${workspace.folder}`
}

/** A trained model as `@dfl/merge` takes it. */
export function swapperOf({ description, model }: ModelFolder, painter: Painter): Swapper {
  return {
    faceType: description.faceType,
    resolution: model.resolution,
    async swap(faces) {
      const painted = await painter.paint(faces)
      return painted.map(({ face, mask }) => ({ face: face.src, mask: mask.src, dstMask: mask.dst }))
    },
  }
}

/** What tells one state of a model from every other. */
const paintedBy = ({ description, progress }: ModelFolder) => ({
  model: description,
  iteration: progress.iteration,
  trainedSeconds: progress.seconds,
})

function progressOf({ done, frames, framesWithFaces, framesKept, fps, secondsLeft, seconds }: MergeProgress) {
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
    detail: {
      framesWithFaces,
      framesKept,
      ...Object.fromEntries(Object.entries(seconds).map(([step, value]) => [`${step}Seconds`, value])),
    },
  } as const
}

/** The finished result of exactly this, if it stands there unchanged. */
async function finished(workspace: Workspace, { madeFrom, out }: { madeFrom: string; out: string }) {
  const { merged } = workspace.record
  if (!merged || merged.madeFrom !== madeFrom || merged.result !== resolve(out)) return undefined
  const found = await stat(out).catch(() => undefined)
  if (!found || (merged.bytes !== undefined && found.size !== merged.bytes)) return undefined
  return { frames: merged.frames, framesWithFace: merged.framesWithFace }
}

const bytesOf = async (path: string) => (isVideoPath(path) ? (await stat(path)).size : undefined)

/** @throws DflError `BAD_OPTION` when the result would overwrite footage, or its ending is none that can be written. */
export function expectResultPath(out: string, clips: readonly (string | undefined)[]): void {
  const ending = extname(out)
  if (ending !== '' && !isVideoPath(out))
    throw new DflError(
      'BAD_OPTION',
      `Expected a video (${VIDEO_EXTENSIONS.join(', ')}) or a folder for \`--out\`, but got \`${out}\`. Leave out '${ending}' to get a folder of images.`,
    )
  for (const clip of clips)
    if (clip !== undefined && resolve(clip) === resolve(out))
      throw new DflError(
        'BAD_OPTION',
        `Expected a new file for \`--out\`, but got \`${out}\`, which is the footage itself. Choose another name.`,
      )
}

/** Begins the result and gives up, so that a container that cannot hold it is known before the work and not after it. */
async function expectWritable(
  out: string,
  frames: string,
  { codec, crf, preset, hardware }: MergeOptions,
): Promise<void> {
  if (!isVideoPath(out)) return
  await using clip = await openFrames(frames)
  const audioFrom = clip.info.audio.length > 0 ? { audioFrom: frames } : {}
  const trial = await createVideo(out, { like: clip.info, codec, crf, preset, hardware, ...audioFrom })
  await trial.abort()
}
