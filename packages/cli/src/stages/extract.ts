import { rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { DflError, type FaceType, isDflError, resolveOptions, type Side } from '@dfl/core'
import { exists } from '@dfl/core/files'
import { type ExtractOptions, type ExtractProgress, extractFaceset, extractOptions } from '@dfl/extract'
import { openFaceset } from '@dfl/faceset'
import { footageStamp, frameNames, openFrames, probeVideo } from '@dfl/media'
import { type Stage, type StageContext, type StageName, sayDuration } from '../events.js'
import { footageNotices } from '../footage-notices.js'
import { knownPersons } from '../persons.js'
import { unreadFilesNotice } from '../unread-files-notice.js'
import { type ClipIdentity, type Extracted, identifyClip, isSameClip, type Workspace } from '../workspace.js'

/** What an extraction is asked for. */
export interface ExtractJob {
  side: Side
  /** A video, a folder of images, or an image. */
  input: string
  /** What messages call the input: '--input'. */
  flag?: string
  /** Options of `extractFaceset`; those left out are as they were when the extraction was begun. */
  options?: Partial<Omit<ExtractOptions, 'side'>>
}

/** What an extraction found. */
export interface ExtractResult extends Extracted {
  faceType: FaceType
  /** Whether it was stopped before its end. */
  stopped: boolean
}

/** Options that cannot change while faces of another value are there. */
const FIXED = ['faceType', 'size', 'maxFaces', 'minSize', 'minScore', 'everyNth', 'person'] as const

/**
 * Extracts one side's faces into a workspace. Stopped or killed, it goes on at the same frame when it is called again.
 *
 * @throws DflError `BAD_STATE` when the workspace holds faces of another clip, `FACE_TYPE_MISMATCH` when the other side
 * has another face type, `OPTION_IS_FIXED`, and all of `extractFaceset`.
 */
export async function* extractStage(
  workspace: Workspace,
  job: ExtractJob,
  { signal }: StageContext = {},
): Stage<ExtractResult> {
  const { side, input, flag = '--input' } = job
  const stage: StageName = `extract-${side}`
  const clip = await identifyClip(input, flag)
  await expectFrames(input)
  await expectClip(workspace, side, clip, flag)
  const options = await settledOptions(workspace, job)
  const identities = await identitiesFor(workspace, options.person)
  const folder = workspace.faceset[side]
  const { record } = workspace
  await workspace.update({
    clips: { ...record.clips, [side]: clip },
    asked: { ...record.asked, [side]: options },
    faceType: options.faceType,
  })

  const began = performance.now()
  yield { event: 'stage', stage, state: 'started', text: `faces of ${basename(input)} as ${options.faceType}` }
  yield* footageNotices(input)
  yield* unreadFilesNotice(input)
  let last: ExtractProgress | undefined
  let stopped = false
  let firstDamage: DflError | undefined
  const damaged: DflError[] = []
  try {
    const onDamaged = (error: DflError) => {
      firstDamage ??= error
      damaged.push(error)
    }
    for await (const progress of extractFaceset(input, folder, { ...options, side, ...identities, onDamaged })) {
      for (const { message } of damaged.splice(0)) yield { event: 'warning', text: message }
      last = progress
      const { framesDone, frameCount, framesSkipped, faces, framesWithFaces, fps, secondsLeft } = progress
      yield {
        event: 'progress',
        stage,
        unit: 'frames',
        done: framesDone,
        total: frameCount,
        share: framesDone / Math.max(1, frameCount),
        perSecond: fps,
        secondsLeft: framesDone > framesSkipped ? secondsLeft : undefined,
        note: framesDone > framesSkipped ? `${faces} faces` : 'done before',
        detail: { faces, framesWithFaces, framesSkipped },
      }
      if (signal?.aborted) {
        stopped = true
        break
      }
    }
    if (firstDamage && !stopped && (await isCutShort(input, (last?.framesDone ?? 0) * options.everyNth)))
      throw firstDamage
  } catch (error) {
    // So that other options can be tried on the same clip, nothing is kept of a search that found nothing.
    if (isDflError(error, 'NO_FACES')) await forget(workspace, side)
    throw error
  }
  const seconds = (performance.now() - began) / 1000
  const result = { ...(await count(folder, clip)), faceType: options.faceType as FaceType, stopped }
  const numbers = `${result.faces} faces in ${result.framesWithFace} of ${result.frames} frames`
  if (stopped) {
    yield { event: 'stage', stage, state: 'stopped', seconds, text: `${numbers} so far` }
    return result
  }
  const { faceType: _, stopped: __, ...extracted } = result
  await workspace.update({ extracted: { ...workspace.record.extracted, [side]: extracted } })
  const rate = last && last.framesDone > last.framesSkipped ? `, ${last.fps.toFixed(1)} frames/s` : ''
  const text = `${numbers} in ${sayDuration(seconds)}${rate}${last ? aboutTracks(last) : ''}`
  yield { event: 'stage', stage, state: 'finished', seconds, text }
  for (const text of adviceOn(side, result)) yield { event: 'warning', text }
  return result
}

/** Whether less than half of what a damaged file promises was in it: then it is no clip with a damaged frame, but the rest of one. */
async function isCutShort(input: string, frames: number): Promise<boolean> {
  const { frameCount } = await probeVideo(input)
  return frames < frameCount / 2
}

/** How steady this run's faces are, as the end of a line. */
function aboutTracks({ jitterPx, facesFilled }: ExtractProgress): string {
  const px = (value: number) => value.toFixed(2)
  const filled = facesFilled > 0 ? `, ${facesFilled} of them put into gaps` : ''
  if (!jitterPx) return filled
  const { before, after } = jitterPx
  return `${filled}, jitter ${after < before ? `${px(before)} px, smoothed to ${px(after)} px` : `${px(before)} px`}`
}

/** Who is wanted, and who is not, if `person` is one whom `faceset persons` named and not the path of a picture. */
async function identitiesFor(workspace: Workspace, person: string) {
  if (person === '') return undefined
  const known = await knownPersons(workspace.folder)
  const identity = known.find((one) => one.person === person)?.embedding
  if (identity) return { identity, others: known.filter((one) => one.person !== person).map((one) => one.embedding) }
  if (await exists(person)) return undefined
  const names = known.map((one) => one.person).join(', ')
  const are = names === '' ? 'Run `dfl faceset persons` to name them' : `Known are ${names}`
  throw new DflError(
    'BAD_OPTION',
    `Expected the path of a picture or a person of this workspace for \`--person\`, but got ${person}. ${are}, or give a picture with the face.`,
    { data: { person } },
  )
}

/** Nothing if there is footage at a path. @throws DflError `UNSUPPORTED_MEDIA`, `NO_SUCH_FILE`. */
export async function expectFrames(path: string): Promise<void> {
  const clip = await openFrames(path)
  await clip[Symbol.asyncDispose]()
}

/** What was extracted of this clip, if nothing is left to do. */
export async function finishedExtraction(workspace: Workspace, side: Side, clip: ClipIdentity) {
  const extracted = workspace.record.extracted[side]
  if (!extracted || !isSameClip(extracted.clip, clip)) return undefined
  const info = await openFaceset(workspace.faceset[side]).then(
    (faceset) => faceset.info,
    () => undefined,
  )
  return info && info.count > 0 && info.missingImages === 0 ? { ...extracted, faceType: info.faceType } : undefined
}

/** @throws DflError `BAD_STATE` when the faces there are of another clip. */
async function expectClip(workspace: Workspace, side: Side, clip: ClipIdentity, flag: string): Promise<void> {
  const known = workspace.record.clips[side]
  if (!known || isSameClip(known, clip)) return
  const faces = await countFaces(workspace.faceset[side])
  if (faces === 0) return forget(workspace, side)
  if (clip.path === known.path && (await keepsImages(workspace.faceset[side], known))) return
  const got = clip.path === known.path ? 'footage that has changed since' : `\`${clip.path}\``
  throw new DflError(
    'BAD_STATE',
    `Expected \`${known.path}\` for \`${flag}\`, as before in this workspace, but got ${got}. Use another --workspace, or remove \`${join(workspace.folder, side)}\` to extract the new clip here.`,
    { data: { known: known.path, got: clip.path } },
  )
}

/**
 * Whether a folder's images that were looked at stand where they did, and none of them was written since. Broken ones may
 * so be mended or taken away, and a sequence may grow.
 */
async function keepsImages(folder: string, { path, modifiedMs = 0 }: ClipIdentity): Promise<boolean> {
  if (!(await stat(path)).isDirectory()) return false
  const names = await frameNames(path)
  const faceset = await openFaceset(folder)
  const done = [...(faceset.framesDone().get(basename(path)) ?? [])].map((index) => names[index])
  for (const name of done)
    if (name === undefined || (await footageStamp(join(path, name))).modifiedMs > modifiedMs) return false
  for await (const { frameIndex, sourceFilename } of faceset.faces())
    if (names[frameIndex] !== sourceFilename) return false
  return true
}

/** The options of this extraction: what is given, else what it was begun with, else what the other side has. */
async function settledOptions(
  workspace: Workspace,
  { side, options: given = {} }: ExtractJob,
): Promise<ExtractOptions> {
  const { record } = workspace
  const there = (await countFaces(workspace.faceset[side])) > 0
  const before = (there ? (record.asked[side] ?? {}) : {}) as Partial<ExtractOptions>
  const changed = FIXED.filter((name) => name in given && name in before && given[name] !== before[name])
  if (changed.length > 0) {
    const of = (values: Partial<ExtractOptions>) =>
      changed.map((name) => (values[name] === '' ? `no ${name}` : `${name} ${values[name]}`)).join(', ')
    throw new DflError(
      'OPTION_IS_FIXED',
      `Expected ${of(before)}, with which the faces in \`${workspace.faceset[side]}\` were extracted, but got ${of(given)}. Remove \`${join(workspace.folder, side)}\` to extract them again.`,
      { data: { options: changed } },
    )
  }
  const other = side === 'src' ? 'dst' : 'src'
  const otherFaces = await countFaces(workspace.faceset[other])
  const faceType = otherFaces > 0 ? record.faceType : undefined
  if (faceType && given.faceType && given.faceType !== faceType)
    throw new DflError(
      'FACE_TYPE_MISMATCH',
      `Expected ${faceType}, the face type of ${other.toUpperCase()} in this workspace, for \`--face-type\`, but got ${given.faceType}. Both sides need the same one: use ${faceType}, or remove \`${join(workspace.folder, other)}\`.`,
      { data: { expected: faceType, got: given.faceType } },
    )
  return resolveOptions(extractOptions, { ...(faceType ? { faceType } : {}), ...before, ...given, side })
}

const countFaces = (folder: string) =>
  openFaceset(folder).then(
    ({ info }) => info.count,
    () => 0,
  )

/** Removes a side's faces and what the record says of them. */
async function forget(workspace: Workspace, side: Side): Promise<void> {
  await rm(workspace.faceset[side], { recursive: true, force: true })
  const without = <T>(of: Partial<Record<Side, T>>) => ({ ...of, [side]: undefined })
  const { clips, asked, extracted } = workspace.record
  await workspace.update({ clips: without(clips), asked: without(asked), extracted: without(extracted) })
}

async function count(folder: string, clip: ClipIdentity): Promise<Extracted> {
  const faceset = await openFaceset(folder)
  const frames = new Set<number>()
  for await (const { frameIndex } of faceset.faces()) frames.add(frameIndex)
  const { sources, count: faces } = faceset.info
  return {
    clip,
    frames: sources.reduce((sum, { framesDone }) => sum + framesDone, 0),
    framesWithFace: frames.size,
    faces,
  }
}

/** What people should know before they train on these faces. */
function adviceOn(side: Side, { frames, framesWithFace, faces }: Extracted): string[] {
  const out: string[] = []
  const name = side.toUpperCase()
  if (framesWithFace < 0.5 * frames)
    out.push(
      `${name} shows a face in ${framesWithFace} of ${frames} frames only. If more frames show one, try --tiles on or a smaller --min-size.`,
    )
  if (side === 'src' && faces > 1.05 * framesWithFace)
    out.push(
      'Some frames of SRC show more than one face, and all of them would be learnt. dfl faceset persons tells who they are, dfl faceset filter --side src --person p1 keeps one.',
    )
  if (side === 'src' && faces < 100)
    out.push(`SRC has ${faces} faces only. Likeness needs a few hundred, in all poses and expressions that DST shows.`)
  return out
}
