import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type DflError, prefetch } from '@dfl/core'
import {
  createFrames,
  createVideo,
  type FrameSink,
  type FrameSource,
  imageNameOf,
  isVideoPath,
  openFrames,
  type Shots,
  shotOf,
  type VideoInfo,
} from '@dfl/media'
import { packageFrame } from './compositor-package.js'
import type { ClipFaces } from './faces-of-frames.js'
import type { FinishedPart, FinishedParts } from './finished-parts.js'
import { framePicture } from './frame-picture.js'
import { type FrameReport, issuesOf } from './frame-report.js'
import type { FaceNotes, Swapper } from './merge-face.js'
import type { MergeOptions } from './merge-options.js'
import type { PlannedPart } from './merge-plan.js'
import { encodingOf, settingsOfFaces } from './merge-settings.js'
import { type MergedClipFrame, mergedFrames, type StageSeconds, timer } from './merged-frames.js'
import type { Paster } from './paster.js'

/** All that the parts of a clip are made of. */
export interface PartsJob {
  /** DST's clip. */
  clip: string
  info: VideoInfo
  faces: ClipFaces
  swapper: Swapper
  shots: Shots
  plan: readonly PlannedPart[]
  parts: FinishedParts
  optionsOf: (frame: number) => MergeOptions
  paster: Paster
  /** What all parts depend on besides: model, clip and the like. */
  madeFrom: string
  out: string
  /** Folder of the compositor's package, if one is wanted. */
  package: string | undefined
  batchFrames: number
  signal: AbortSignal | undefined
  onDamaged: ((error: DflError) => void) | undefined
  /** Added to as time is spent. */
  seconds: StageSeconds
}

/** A frame that is finished. */
export interface FinishedFrame {
  report: FrameReport
  /** Whether an earlier merge had made it. */
  kept: boolean
}

/**
 * Makes the parts that are not there yet, and gives every frame's report in order. What it returns are all parts, in
 * order, under their keys.
 */
export async function* mergeParts(job: PartsJob): AsyncGenerator<FinishedFrame, { key: string; part: FinishedPart }[]> {
  const done: { key: string; part: FinishedPart }[] = []
  const notesAt = (index: number) => (job.plan[index]!.fresh ? [] : (done.at(-1)?.part.notes ?? []))
  while (done.length < job.plan.length) {
    const next = done.length
    const key = await keyOf(job, job.plan[next]!, notesAt(next))
    const part = await job.parts.find(key)
    if (part) {
      done.push({ key, part })
      for (const report of part.reports) yield { report, kept: true }
      continue
    }
    for await (const made of renderFrom(job, next, notesAt(next))) {
      if ('part' in made) done.push(made)
      else yield { report: made, kept: false }
    }
  }
  return done
}

/** Renders parts from one on, until one comes that is there already or the plan has a gap: reports, and finished parts. */
async function* renderFrom(
  job: PartsJob,
  first: number,
  past: readonly FaceNotes[],
): AsyncGenerator<FrameReport | { key: string; part: FinishedPart }> {
  const { plan, seconds, signal, onDamaged } = job
  const last = endOfRun(plan, first)
  const [start, end] = [plan[first]!.start, plan[last]!.end]
  const fresh = new Set(plan.filter((part) => part.fresh).map((part) => part.start))
  const damaged = new Set<number>()
  await using clip: FrameSource = await openFrames(job.clip, {
    ...{ start, end, seek: job.shots.frames },
    ...(signal ? { signal } : {}),
    ...(onDamaged
      ? {
          onDamaged: (error) => {
            damaged.add(Number(error.data.frameIndex))
            onDamaged(error)
          },
        }
      : {}),
  })
  const { faces, swapper, paster, batchFrames } = job
  const isFresh = (frame: number) => fresh.has(frame)
  const work = { faces, swapper, paster, isFresh, batchFrames, past, seconds }
  let open: OpenPart | undefined
  let index = first
  let notes = past
  try {
    // One frame ahead: while the encoder takes a frame, the next is merged.
    for await (const one of prefetch(mergedFrames(clip.frames(), work), 1)) {
      using frame = one.frame
      using _merged = one.merged
      if (!open && !isVideoPath(job.out)) await job.parts.displace(job.out, plan[index]!)
      open ??= await openPart(job, plan[index]!, { key: await keyOf(job, plan[index]!, notes), startPts: frame.pts })
      yield await addFrame(job, open, { one, damaged })
      if (open.part.frames < plan[index]!.end - plan[index]!.start) continue
      const finished = await finishPart(job, open)
      open = undefined
      yield finished
      index++
      if (index > last) return
      notes = plan[index]!.fresh ? [] : finished.part.notes
      if (await job.parts.find(await keyOf(job, plan[index]!, notes))) return
    }
    // The clip ended before its plan, as a damaged one may.
    if (open) yield await finishPart(job, open)
  } finally {
    await open?.sink.abort()
  }
}

/** Index of the last part that follows `first` without a gap. */
function endOfRun(plan: readonly PlannedPart[], first: number): number {
  let last = first
  while (plan[last + 1]?.start === plan[last]!.end) last++
  return last
}

/** Everything that a part depends on, as a text. */
async function keyOf(job: PartsJob, { start, end }: PlannedPart, past: readonly FaceNotes[]): Promise<string> {
  const { madeFrom, faces, optionsOf } = job
  const frames = await Promise.all(
    Array.from({ length: end - start }, async (_, i) => {
      const frame = { index: start + i, name: nameOf(job, start + i) }
      const options = optionsOf(frame.index)
      const stamp = await faces.stamp(frame)
      // Frames without a face are the same whatever is set for faces.
      if (stamp === '') return [encodingOf(options), faces.putAside(frame), faces.lookedAt(frame.index)]
      return [options, faces.putAside(frame), stamp]
    }),
  )
  return JSON.stringify({ madeFrom, start, frames, past })
}

/** Name of a frame, as the clip gives it. */
const nameOf = ({ clip, shots }: PartsJob, index: number) => shots.names?.[index] ?? `${basename(clip)}#${index}`

interface OpenPart {
  key: string
  sink: FrameSink
  planned: PlannedPart
  part: FinishedPart
}

async function openPart(
  { out, info, parts, optionsOf }: PartsJob,
  planned: PlannedPart,
  { key, startPts }: { key: string; startPts: number },
): Promise<OpenPart> {
  const { start } = planned
  const { video, format } = encodingOf(optionsOf(start))
  const part: FinishedPart = {
    start,
    frames: 0,
    startPts: start === 0 ? 0 : startPts,
    endPts: 0,
    notes: [],
    reports: [],
  }
  const sink = isVideoPath(out)
    ? await createVideo(parts.videoOf(key), { like: info, ...video })
    : await createFrames(out, { like: info, format })
  return { key, sink, planned, part }
}

/** Writes a frame, and says what was done to it. */
async function addFrame(
  job: PartsJob,
  { sink, part, planned }: OpenPart,
  { one: { frame, merged }, damaged }: { one: MergedClipFrame; damaged: ReadonlySet<number> },
): Promise<FrameReport> {
  const { out, seconds, info, shots, faces, optionsOf } = job
  const options = optionsOf(frame.index)
  await timer(seconds)('encode', () => (merged ? sink.write(frame, merged) : sink.write(frame)))
  if (!isVideoPath(out)) (part.images ??= []).push(join(out, imageNameOf(frame, encodingOf(options).format)))
  if (job.package !== undefined) {
    const settings = settingsOfFaces(options)
    const packaged = await packageFrame(job.package, { frame, info, settings, ...(merged ? { merged } : {}) })
    part.packaged = [...(part.packaged ?? []), packaged]
  }
  const issues = issuesOf(frame, { merged: merged?.faces ?? [], faces })
  if (damaged.has(frame.index)) issues.push({ kind: 'damaged', detail: '' })
  const { index, timestampSeconds } = frame
  const report: FrameReport = {
    frame: index,
    timestampSeconds,
    shot: shotOf(shots, index),
    faces: merged?.faces ?? [],
    issues,
  }
  const before = part.reports.at(-1)
  if (worthPicturing(before, report, planned)) report.picture = await framePicture(frame, merged)
  part.reports.push(report)
  part.notes = merged?.notes ?? part.notes
  part.frames++
  part.endPts = frame.pts + stepOf(info)
  return report
}

/** Whether a frame is the first with its issues, or the first of its part with a face. */
function worthPicturing(before: FrameReport | undefined, now: FrameReport, { fresh }: PlannedPart): boolean {
  const kinds = ({ issues }: FrameReport) => issues.map(({ kind }) => kind).join()
  if (now.issues.length > 0) return before === undefined || kinds(before) !== kinds(now)
  return fresh && now.faces.length > 0 && (before === undefined || before.faces.length === 0)
}

/** Makes a part count: from here on it need not be made again. */
async function finishPart({ out, parts }: PartsJob, { key, sink, part }: OpenPart) {
  await sink.finish()
  if (isVideoPath(out)) part.bytes = (await stat(parts.videoOf(key))).size
  await parts.save(key, part)
  return { key, part }
}

/** How long a frame lasts, in ticks of the clip's clock. */
const stepOf = ({ frameRate, timeBase }: VideoInfo): number =>
  frameRate.num > 0 ? Math.round((frameRate.den * timeBase.den) / (frameRate.num * timeBase.num)) : 1
