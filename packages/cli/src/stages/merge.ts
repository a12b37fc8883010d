import { mkdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, resolve } from 'node:path'
import { DflError, resolveOptions } from '@dfl/core'
import { chooseDevice, type DeviceChoice } from '@dfl/engine'
import { openFaceset } from '@dfl/faceset'
import { createVideo, isVideoPath, openFrames, VIDEO_EXTENSIONS } from '@dfl/media'
import { type MergeOptions, type MergeProgress, mergeOptions, mergeVideo, type Swapper } from '@dfl/merge'
import { createPainter, type ModelFolder, openModel, type Painter } from '@dfl/trainer'
import { FACE_ARCHITECTURES } from '../architectures.js'
import { type Stage, type StageContext, sayDuration } from '../events.js'
import { markAsSynthetic, SYNTHETIC_METADATA } from '../mark.js'
import { identifyClip, type Merged, type Workspace } from '../workspace.js'

/** What a merge is asked for. */
export interface MergeJob {
  /** DST's clip; the one that was extracted if not given. */
  input?: string
  /** What messages call the input: '--input'. */
  flag?: string
  /** A video, or a folder for images; `result.mp4` in the workspace if not given. */
  out?: string
  options?: Partial<MergeOptions>
  /** Where the model paints: `cpu` by default. */
  device?: DeviceChoice
  /** Makes the result again though nothing has changed. */
  again?: boolean
}

/** What a merge made. */
export interface MergeResult extends Pick<Merged, 'result' | 'frames' | 'framesWithFace'> {
  /** Whether it was stopped before its end. */
  stopped: boolean
  /** Whether the result was there and up to date. */
  skipped: boolean
  /** Iterations of the model that painted it. */
  iterations: number
}

/** Faces that go through the model at once. */
const BATCH = 4

/**
 * Puts the swap into every frame of DST's clip. Stopped or killed, it goes on after the last finished part when it is
 * called again.
 *
 * The result says that it is synthetic: see `markAsSynthetic`.
 *
 * @throws DflError `NO_SUCH_FILE` without a model or a clip, and all of `mergeVideo`.
 */
export async function* mergeStage(
  workspace: Workspace,
  job: MergeJob = {},
  { signal }: StageContext = {},
): Stage<MergeResult> {
  const { out = workspace.defaultResult, flag = '--input' } = job
  const frames = job.input ?? workspace.record.clips.dst?.path
  if (frames === undefined)
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected DST's clip for \`${flag}\`, but it was not given, and no faces of DST were extracted in \`${workspace.folder}\` yet. Run first: dfl extract --side dst --input <clip> --workspace ${workspace.folder}`,
    )
  const clip = await identifyClip(frames, flag)
  expectResultPath(out, [frames, workspace.record.clips.src?.path])
  const options = resolveOptions(mergeOptions, job.options)
  const run = await openModel(workspace.model, FACE_ARCHITECTURES)
  const { iteration: iterations } = run.progress
  const madeFrom = JSON.stringify({ clip: [clip.path, clip.bytes, clip.modifiedMs], ...paintedBy(run), options })
  const there = await finished(workspace, { madeFrom, out })
  if (there && !job.again) {
    yield { event: 'stage', stage: 'merge', state: 'skipped', text: `${out} is up to date` }
    return { ...there, result: out, stopped: false, skipped: true, iterations }
  }

  const device = await chooseDevice(job.device ?? 'cpu')
  const began = performance.now()
  const seconds = () => (performance.now() - began) / 1000
  yield {
    event: 'stage',
    stage: 'merge',
    state: 'started',
    text: `${basename(frames)} with iteration ${iterations} → ${out}${device === 'cpu' ? '' : `, on ${device}`}`,
  }
  await mkdir(dirname(resolve(out)), { recursive: true })
  await expectWritable(out, frames, options)
  await using painter = await createPainter(run.model, run.state, { freeze: true, batchSize: BATCH, device })
  const damaged: DflError[] = []
  const progress = mergeVideo({
    frames,
    faces: workspace.faceset.dst,
    swapper: swapperOf(run, painter),
    out,
    options,
    fingerprint: JSON.stringify(paintedBy(run)),
    metadata: SYNTHETIC_METADATA,
    onDamaged: (error) => damaged.push(error),
  })
  let last: MergeProgress | undefined
  for await (const report of progress) {
    last = report
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
      }
    }
  }
  await markAsSynthetic(out)
  const unfinished = last && (await unfinishedExtraction(workspace, { clip: frames, frames: last.frames }))
  if (unfinished) yield { event: 'warning', text: unfinished }
  const counts = last ? { frames: last.done, framesWithFace: last.framesWithFaces } : await countsOf(workspace)
  const merged: Merged = { madeFrom, result: resolve(out), bytes: await bytesOf(out), ...counts }
  await workspace.update({ merged })
  const rate = last ? `, ${last.fps.toFixed(1)} frames/s` : ''
  const text = `${counts.framesWithFace} of ${counts.frames} frames swapped in ${sayDuration(seconds())}${rate}`
  yield { event: 'stage', stage: 'merge', state: 'finished', seconds: seconds(), text }
  return { ...counts, result: out, stopped: false, skipped: false, iterations }
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

function progressOf({ done, frames, framesWithFaces, resumedFrom, fps, secondsLeft, seconds }: MergeProgress) {
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
      resumedFrom,
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

/** Counts where a merge had only its last step left to do. */
async function countsOf({ record }: Workspace): Promise<{ frames: number; framesWithFace: number }> {
  const { frames = 0, framesWithFace = 0 } = record.extracted.dst ?? {}
  return { frames, framesWithFace }
}

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
async function expectWritable(out: string, frames: string, { codec, crf, preset }: MergeOptions): Promise<void> {
  if (!isVideoPath(out)) return
  await using clip = await openFrames(frames)
  const audioFrom = clip.info.audio.length > 0 ? { audioFrom: frames } : {}
  const trial = await createVideo(out, { like: clip.info, codec, crf, preset, ...audioFrom })
  await trial.abort()
}
