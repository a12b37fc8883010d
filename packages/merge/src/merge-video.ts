import { rm, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { DflError, resolveOptions } from '@dfl/core'
import { concatVideos, footageStamp, isVideoPath, openFrames, type VideoInfo } from '@dfl/media'
import { describePackage } from './compositor-package.js'
import { type FacesOf, facesOfClip, facesOfFunction } from './faces-of-frames.js'
import { type FinishedPart, type FinishedParts, openParts } from './finished-parts.js'
import type { FrameReport } from './frame-report.js'
import { knownShots } from './known-shots.js'
import type { Masker, MergeStage, Swapper } from './merge-face.js'
import { type MergeOptions, mergeOptions, mergeStages } from './merge-options.js'
import { type FinishedFrame, mergeParts } from './merge-parts.js'
import { type FrameSpan, planParts } from './merge-plan.js'
import { type SettingsEntry, settingsOf } from './merge-settings.js'
import type { StageSeconds } from './merged-frames.js'
import { stagesByOptions } from './paste-jobs.js'
import { pasterHere, pasterInThreads } from './paster.js'

/** What `mergeVideo` takes. */
export interface MergeVideoOptions {
  /** DST's clip: a video file or a folder of images. */
  frames: string
  /** Folder of the faceset that was extracted from the clip, or a function that gives a frame's faces. */
  faces: string | FacesOf
  /** What the faceset calls the clip, where that is not its file name: see `facesOfClip`. */
  source?: string
  swapper: Swapper
  /** A trained XSeg, for the masks that name it. */
  masker?: Masker
  /** A video file, or a folder for images where the path does not end like a video. */
  out: string
  options?: Partial<MergeOptions>
  /** Options of single shots and frames, over those of the whole clip: see `settingsOf`. */
  settings?: readonly SettingsEntry[]
  /** Stretches of frames that are wanted, in order and apart; a video is of one stretch. All frames if not given. */
  only?: readonly FrameSpan[]
  /** Folder for a compositor's package, see `packageFrame`; none if not given. */
  package?: string
  /**
   * Folder that keeps finished parts, so that the next merge renders only what has changed. If not given they are in
   * `<out>.parts`, which is removed at the end.
   */
  keepIn?: string
  /** In place of the usual chain that `options` describes. */
  stages?: readonly MergeStage[]
  /**
   * A text that changes when the model, the masker, the faces given as a function, or `stages` do. A merge that was interrupted goes
   * on only where nothing that the result depends on has changed.
   */
  fingerprint?: string
  /** Frames whose faces go to the model at once. */
  batchFrames?: number
  /** Length of the pieces that are finished one by one: what a crash costs at most. */
  partSeconds?: number
  /**
   * Threads that lay faces over frames: as many as half the cores if not given, at most four. The result is the same with any
   * number. Own `stages`, a `masker` and a `package` are worked on in the calling thread.
   */
  threads?: number
  /** Title, comment and the like of the resulting video, over those of the clip. */
  metadata?: Readonly<Record<string, string>>
  /**
   * Called with the path of the whole result before it counts as finished, to add to it: of a video before it has its
   * name, so that none stands there where this throws; of images with their folder.
   */
  seal?: (path: string) => Promise<void>
  signal?: AbortSignal
  /** Called for each damaged frame of the clip, which is then merged as well as it can be; without it the merge ends. */
  onDamaged?: (error: DflError) => void
}

/** How far a merge is. */
export interface MergeProgress {
  /** Frames done, those of earlier merges included. */
  done: number
  /** Frames that the result will have. */
  frames: number
  framesWithFaces: number
  /** Frames that an earlier merge had made. */
  framesKept: number
  /** Frames per second since this start, without those that were there. */
  fps: number
  secondsLeft: number
  seconds: StageSeconds
  /** What was done to the last one. */
  frame: FrameReport
}

/**
 * Merges a clip, frame by frame in constant memory, and says how far it is and what was done after each frame.
 *
 * The result has the clip's own length, size, time stamps and sound; frames without a face go to the encoder as the
 * decoder gave them. It is made in parts of a few seconds, none of which reaches over a cut; when all are finished they
 * are joined without encoding again. A part that an earlier merge finished, killed or not, is taken as it is where nothing
 * has changed that shows in it: so a merge that was killed goes on, and one that was called again with other settings for
 * one shot renders that shot. The result is the same as if it had been made at once.
 *
 * Leaving the loop early keeps what is finished.
 *
 * @throws DflError `BAD_OPTION`, `NO_SUCH_FILE`, `NO_FACES`, `UNSUPPORTED_MEDIA`, `DISK_FULL`.
 */
export async function* mergeVideo(job: MergeVideoOptions): AsyncGenerator<MergeProgress> {
  const { frames: path, out, metadata, signal, onDamaged, masker, keepIn, partSeconds = 4, batchFrames = 4 } = job
  const options = resolveOptions(mergeOptions, job.options)
  checkAtLeast('partSeconds', partSeconds, 0)
  checkAtLeast('batchFrames', batchFrames, 1)
  if (job.threads !== undefined) checkAtLeast('threads', job.threads, 1)
  checkOwnStages(job)
  // Wrong options are told before any work.
  const { stages } = job
  const stagesOf = stagesByOptions((of) => stages ?? mergeStages(of, { masker }))
  stagesOf(options)
  const faces =
    typeof job.faces === 'string' ? await facesOfClip(job.faces, path, job.source) : facesOfFunction(job.faces)
  await using clip = await openFrames(path, { signal })
  const { info } = clip
  const parts = await openParts(keepIn ?? `${out}.parts`, options.codec)
  const shots = await knownShots(path, { folder: parts.folder, signal, onDamaged })
  const optionsOf = settingsOf(job.settings ?? [], { shots, options })
  const spans = job.only && spansWithin(job.only, shots.frames, out)
  const longest = Math.max(1, Math.round((partSeconds * info.frameRate.num) / info.frameRate.den))
  const plan = planParts(shots, { spans, longest })
  const seconds: StageSeconds = { decode: 0, swap: 0, merge: 0, encode: 0 }
  const progress = progressOf(
    plan.reduce((sum, { start, end }) => sum + end - start, 0),
    seconds,
  )
  // Own stages and networks stay in this thread, and a compositor's package needs the layers.
  const inThreads = !stages && !masker && job.package === undefined
  await using paster =
    (inThreads ? pasterInThreads(optionsOf, { threads: job.threads }) : undefined) ??
    pasterHere((frame) => stagesOf(optionsOf(frame)))
  const making = mergeParts({
    ...{ clip: path, info, faces, swapper: job.swapper, shots, plan, parts, optionsOf, paster, out },
    ...{ batchFrames, signal, onDamaged, seconds, package: job.package },
    madeFrom: await madeFrom(job),
  })
  let made: { key: string; part: FinishedPart }[]
  try {
    for (;;) {
      const next = await making.next()
      if (next.done) {
        made = next.value
        break
      }
      yield progress.next(next.value)
    }
  } finally {
    await making.return([])
  }
  const { seal } = job
  if (isVideoPath(out)) await join(made, { parts, info, path, out, metadata, signal, seal, whole: spans === undefined })
  else await seal?.(out)
  if (job.package !== undefined) {
    const { width, height, frameRate } = info
    const frames = made.flatMap(({ part }) => part.packaged ?? [])
    await describePackage(job.package, { clip: { name: basename(path), width, height, frameRate }, frames })
  }
  if (keepIn === undefined) await rm(parts.folder, { recursive: true, force: true })
  else if (spans === undefined) await parts.keepOnly(made.map(({ key }) => key))
}

/** Makes the result of finished parts. */
async function join(
  made: readonly { key: string; part: FinishedPart }[],
  to: {
    parts: FinishedParts
    info: VideoInfo
    path: string
    out: string
    metadata: Readonly<Record<string, string>> | undefined
    signal: AbortSignal | undefined
    seal: MergeVideoOptions['seal']
    whole: boolean
  },
): Promise<void> {
  const { parts, info, path, out, metadata, signal, seal, whole } = to
  const files = made.map(({ key, part: { startPts, frames } }) => ({ path: parts.videoOf(key), startPts, frames }))
  const stretch = { startPts: made[0]!.part.startPts, endPts: made.at(-1)!.part.endPts }
  await concatVideos(files, out, {
    like: info,
    ...(info.audio.length > 0 ? { audioFrom: path } : {}),
    ...(whole ? {} : { stretch }),
    ...{ metadata, signal, seal },
  })
}

/** What all parts of the result depend on, as a text. */
async function madeFrom(job: MergeVideoOptions): Promise<string> {
  const { frames, faces, swapper, stages, fingerprint = '', out } = job
  const folderState = async (path: string) => {
    const found = await stat(path)
    return found.isDirectory() ? resolve(path) : [basename(path), found.size, found.mtimeMs]
  }
  return JSON.stringify({
    frames: [basename(frames), await footageStamp(frames)],
    faces: typeof faces === 'string' ? await folderState(faces) : 'function',
    model: [swapper.faceType, swapper.resolution],
    stages: stages ? 'own' : 'usual',
    fingerprint,
    ...(isVideoPath(out) ? {} : { images: resolve(out) }),
    ...(job.package === undefined ? {} : { package: resolve(job.package) }),
  })
}

/** Stretches as they were given, cut off at the clip's end. */
function spansWithin(spans: readonly FrameSpan[], frames: number, out: string): FrameSpan[] {
  const wrong = spans.find(({ start, end }, i) => start >= end || start < (spans[i - 1]?.end ?? 0))
  const late = spans.find(({ start }) => start >= frames)
  if (spans.length === 0 || wrong)
    throw new DflError(
      'BAD_OPTION',
      'Expected stretches in order and apart for `only`, but got others. Sort them first.',
    )
  if (late)
    throw new DflError(
      'BAD_OPTION',
      `Expected frames below ${frames} for \`only\`, but got ${late.start}. The clip ends there.`,
    )
  if (spans.length > 1 && isVideoPath(out))
    throw new DflError(
      'BAD_OPTION',
      `Expected one stretch of frames for a video, but got ${spans.length}. Give one, or write a folder of images.`,
    )
  return spans.map(({ start, end }) => ({ start, end: Math.min(end, frames) }))
}

/** Counts frames and time. */
function progressOf(frames: number, seconds: StageSeconds) {
  const startedAt = performance.now()
  let [done, framesWithFaces, framesKept] = [0, 0, 0]
  return {
    next({ report, kept }: FinishedFrame): MergeProgress {
      done++
      if (kept) framesKept++
      if (report.faces.length > 0) framesWithFaces++
      const fps = (done - framesKept) / Math.max(1e-9, (performance.now() - startedAt) / 1000)
      const secondsLeft = fps > 0 ? (frames - done) / fps : 0
      return { done, frames, framesWithFaces, framesKept, fps, secondsLeft, seconds: { ...seconds }, frame: report }
    },
  }
}

function checkOwnStages({ stages, settings }: MergeVideoOptions): void {
  if (!stages || !settings?.length) return
  throw new DflError(
    'BAD_OPTION',
    'Expected `stages` or `settings`, but got both: settings change the usual stages only. Leave one out.',
  )
}

function checkAtLeast(name: string, value: number, least: number): void {
  const ok = Number.isFinite(value) && (least === 0 ? value > 0 : Number.isInteger(value) && value >= least)
  if (ok) return
  const expected = least === 0 ? 'a number of seconds above 0' : `a whole number of at least ${least}`
  throw new DflError(
    'BAD_OPTION',
    `Expected ${expected} for \`${name}\`, but got ${value}. Leave it out for the default.`,
    { data: { [name]: value } },
  )
}
