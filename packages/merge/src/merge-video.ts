import { rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { DflError, resolveOptions } from '@dfl/core'
import {
  concatVideos,
  createFrames,
  createVideo,
  type FrameSink,
  type FrameSource,
  isVideoPath,
  openFrames,
  type VideoInfo,
} from '@dfl/media'
import { type FacesOf, facesOfClip } from './faces-of-frames.js'
import type { FaceNotes, Masker, MergeStage, Swapper } from './merge-face.js'
import { type MergeOptions, mergeOptions, mergeStages } from './merge-options.js'
import { mergedFrames, type StageSeconds, timer } from './merged-frames.js'
import { type MergeState, openState, partFile, saveState } from './progress-file.js'

/** What `mergeVideo` takes. */
export interface MergeVideoOptions {
  /** DST's clip: a video file or a folder of images. */
  frames: string
  /** Folder of the faceset that was extracted from the clip, or a function that gives a frame's faces. */
  faces: string | FacesOf
  swapper: Swapper
  /** A trained XSeg, for the masks that name it. */
  masker?: Masker
  /** A video file, or a folder for images where the path does not end like a video. */
  out: string
  options?: Partial<MergeOptions>
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
  /** Title, comment and the like of the resulting video, over those of the clip. */
  metadata?: Readonly<Record<string, string>>
  signal?: AbortSignal
  /** Called for each damaged frame of the clip, which is then merged as well as it can be; without it the merge ends. */
  onDamaged?: (error: DflError) => void
}

/** How far a merge is. */
export interface MergeProgress {
  /** Frames done, those of an earlier start included. */
  done: number
  /** Frames of the clip; an estimate for containers that do not say. */
  frames: number
  framesWithFaces: number
  /** Frames that an earlier start had finished. */
  resumedFrom: number
  /** Frames per second since this start. */
  fps: number
  secondsLeft: number
  seconds: StageSeconds
}

/**
 * Merges a whole clip, frame by frame in constant memory, and says how far it is after each frame.
 *
 * The result has the clip's own length, size, time stamps and sound; frames without a face go to the encoder as the
 * decoder gave them. It is made in parts of a few seconds in the folder `<out>.parts`; when all are finished they
 * are joined without encoding again, and the folder is removed. A merge that was killed at any moment goes on after the
 * last finished part when it is started again with the same inputs, and gives the same result as if it had not been.
 *
 * Leaving the loop early keeps what is finished.
 *
 * @throws DflError `BAD_OPTION`, `NO_SUCH_FILE`, `NO_FACES`, `UNSUPPORTED_MEDIA`, `DISK_FULL`.
 */
export async function* mergeVideo(job: MergeVideoOptions): AsyncGenerator<MergeProgress> {
  const { frames, out, metadata, signal, partSeconds = 4, batchFrames = 4 } = job
  const options = resolveOptions(mergeOptions, job.options)
  const stages = job.stages ?? mergeStages(job.options, { masker: job.masker })
  checkAtLeast('partSeconds', partSeconds, 0)
  checkAtLeast('batchFrames', batchFrames, 1)
  const facesOf = typeof job.faces === 'string' ? await facesOfClip(job.faces, frames) : job.faces
  await using clip = await openFrames(frames, { signal })
  const { info } = clip
  const work = `${out}.parts`
  const state = await openState(work, await madeFrom(job, options))
  if (!state.complete)
    yield* mergeParts({ ...job, partSeconds, batchFrames }, { options, stages, facesOf, info, work, state })
  if (isVideoPath(out)) {
    const parts = state.parts.map(({ file, ...part }) => ({ ...part, path: join(work, file!) }))
    const audioFrom = info.audio.length > 0 ? { audioFrom: frames } : {}
    await concatVideos(parts, out, { like: info, ...audioFrom, metadata, signal })
  }
  await rm(work, { recursive: true, force: true })
}

interface Prepared {
  options: MergeOptions
  stages: readonly MergeStage[]
  facesOf: FacesOf
  info: VideoInfo
  work: string
  state: MergeState
}

/** Makes the parts that are not finished yet. */
async function* mergeParts(
  job: MergeVideoOptions & { partSeconds: number; batchFrames: number },
  { options, stages, facesOf, info, work, state }: Prepared,
): AsyncGenerator<MergeProgress> {
  const { signal, onDamaged, swapper, batchFrames } = job
  const start = state.parts.reduce((sum, part) => sum + part.frames, 0)
  const perPart = Math.max(1, Math.round((job.partSeconds * info.frameRate.num) / info.frameRate.den))
  const progress = progressOf(info, state, start)
  const { seconds } = progress
  const timed = timer(seconds)
  await using clip: FrameSource = await openFrames(job.frames, { start, signal, ...(onDamaged ? { onDamaged } : {}) })
  const past: readonly FaceNotes[] = state.parts.at(-1)?.notes ?? []
  const merged = mergedFrames(clip.frames(), { facesOf, swapper, stages, batchFrames, past, seconds })
  let part: OpenPart | undefined
  try {
    for await (const { frame, merged: change } of merged) {
      using _ = frame
      // A full part is finished when there is a frame after it, so that the last part is always known to be the last.
      if (part && part.frames >= perPart) {
        await finishPart(part, work, state, false)
        part = undefined
      }
      part ??= await openPart(job.out, work, state, { options, info, startPts: frame.index === 0 ? 0 : frame.pts })
      const { sink } = part
      await timed('encode', () => (change ? sink.write(frame, change) : sink.write(frame)))
      part.frames++
      part.framesWithFaces += change ? 1 : 0
      part.notes = change?.notes ?? part.notes
      yield progress.next(change !== undefined)
    }
    if (part) await finishPart(part, work, state, true)
    part = undefined
  } finally {
    await part?.sink.abort()
  }
}

interface OpenPart {
  sink: FrameSink
  file?: string
  startPts: number
  frames: number
  framesWithFaces: number
  notes: FaceNotes[]
}

async function openPart(
  out: string,
  work: string,
  state: MergeState,
  { options, info, startPts }: { options: MergeOptions; info: VideoInfo; startPts: number },
): Promise<OpenPart> {
  const { codec, crf, preset, format } = options
  const blank = { startPts, frames: 0, framesWithFaces: 0, notes: state.parts.at(-1)?.notes ?? [] }
  if (!isVideoPath(out)) return { ...blank, sink: await createFrames(out, { like: info, format }) }
  const file = partFile(state.parts.length)
  return { ...blank, file, sink: await createVideo(join(work, file), { like: info, codec, crf, preset }) }
}

/** Makes a part count: from here on a new start goes on behind it. */
async function finishPart(part: OpenPart, work: string, state: MergeState, complete: boolean): Promise<void> {
  const { sink, ...finished } = part
  await sink.finish()
  const bytes = finished.file === undefined ? {} : { bytes: (await stat(join(work, finished.file))).size }
  state.parts.push({ ...finished, ...bytes })
  state.complete = complete
  await saveState(work, state)
}

/** Everything that the result depends on, as a text. */
async function madeFrom(job: MergeVideoOptions, options: MergeOptions): Promise<string> {
  const { frames, faces, swapper, stages, fingerprint = '', partSeconds = 4 } = job
  const identity = async (path: string) => {
    const { size, mtimeMs } = await stat(path)
    return [basename(path), size, mtimeMs]
  }
  return JSON.stringify({
    frames: await identity(frames),
    faces: typeof faces === 'string' ? await identity(join(faces, 'faces.jsonl')) : 'function',
    model: [swapper.faceType, swapper.resolution],
    stages: stages ? 'own' : 'usual',
    options,
    partSeconds,
    fingerprint,
  })
}

/** Counts frames and time. */
function progressOf(info: VideoInfo, state: MergeState, start: number) {
  const seconds: StageSeconds = { decode: 0, swap: 0, merge: 0, encode: 0 }
  const startedAt = performance.now()
  let done = start
  let framesWithFaces = state.parts.reduce((sum, part) => sum + part.framesWithFaces, 0)
  return {
    seconds,
    next(hasFace: boolean): MergeProgress {
      done++
      if (hasFace) framesWithFaces++
      const frames = Math.max(done, info.frameCount)
      const fps = (done - start) / Math.max(1e-9, (performance.now() - startedAt) / 1000)
      const secondsLeft = (frames - done) / fps
      return { done, frames, framesWithFaces, resumedFrom: start, fps, secondsLeft, seconds: { ...seconds } }
    },
  }
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
