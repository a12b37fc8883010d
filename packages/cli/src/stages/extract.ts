import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { clipOf, DflError, type FaceType, isDflError, resolveOptions, type Side } from '@dfl/core'
import { exists } from '@dfl/core/files'
import { type ExtractOptions, type ExtractProgress, extractFaceset, extractOptions } from '@dfl/extract'
import { openFaceset } from '@dfl/faceset'
import { openFrames, probeVideo } from '@dfl/media'
import { type Clips, type GivenClip, givenClips, listOf } from '../clips.js'
import { type Stage, type StageContext, type StageName, sayDuration } from '../events.js'
import { footageNotices } from '../footage-notices.js'
import { knownPersons } from '../persons.js'
import { unreadFilesNotice } from '../unread-files-notice.js'
import { type ClipIdentity, type Extracted, isSameClip, type KnownClip, type Workspace } from '../workspace.js'

/** What an extraction is asked for. */
export interface ExtractJob {
  side: Side
  /** A video, a folder of images, or an image; or several. */
  input: Clips
  /** What messages call the input: '--input'. */
  flag?: string
  /** Options of `extractFaceset`; those left out are as they were when the extraction was begun. */
  options?: Partial<Omit<ExtractOptions, 'side'>>
}

/** What an extraction found, in all clips together. */
export interface ExtractResult extends Extracted {
  faceType: FaceType
  /** Whether it was stopped before its end. */
  stopped: boolean
}

/** Options that cannot change while faces of another value are there: of the side, and of the clip. */
const FIXED_FOR_SIDE = ['faceType', 'size'] as const
const FIXED = [
  ...FIXED_FOR_SIDE,
  'maxFaces',
  'minSize',
  'minScore',
  'everyNth',
  'firstFrame',
  'lastFrame',
  'person',
] as const

/**
 * Extracts one side's faces into a workspace, of one clip after the other. Stopped or killed, it goes on at the same frame when it
 * is called again; clips that are named besides those of before are added to them.
 *
 * @throws DflError `BAD_STATE` when the workspace holds faces of other clips, `FACE_TYPE_MISMATCH` when the other side
 * has another face type, `OPTION_IS_FIXED`, and all of `extractFaceset`.
 */
export async function* extractStage(
  workspace: Workspace,
  job: ExtractJob,
  context: StageContext = {},
): Stage<ExtractResult> {
  const { side, flag = '--input' } = job
  const inputs = listOf(job.input)
  const clips = await givenClips(workspace, side, { inputs, flag })
  for (const { path } of clips) await expectFrames(path)
  const isDone = (clip: GivenClip) => clip.known?.extracted !== undefined && isSameClip(clip.known, clip)
  // Where a clip is added, options are for that one.
  const isAdding = clips.some(({ known }) => !known)
  const faces = { src: await countFaces(workspace.faceset.src), dst: await countFaces(workspace.faceset.dst) }
  const settled = clips.map((clip) =>
    settledOptions(workspace, isAdding && isDone(clip) ? { ...job, options: {} } : job, { known: clip.known, faces }),
  )
  const { faceType } = settled[0]!
  if (clips.every(({ known }) => !known) && faces[side] === 0) await forget(workspace, side)
  const found: Extracted[] = []
  let stopped = false
  for (const [i, clip] of clips.entries()) {
    if (context.signal?.aborted) stopped = true
    if (stopped) break
    if (clips.length > 1 && isDone(clip)) {
      const one = clip.known!.extracted!
      const text = `${basename(clip.path)}: ${sayFound(one)}, extracted before`
      yield { event: 'stage', stage: `extract-${side}`, state: 'skipped', text }
      found.push(one)
      continue
    }
    const one = yield* extractClip(workspace, { side, clip, options: settled[i]! }, context)
    found.push(one)
    stopped = one.stopped
  }
  const result = { ...together(found), faceType: faceType as FaceType, stopped }
  if (!stopped) for (const text of adviceOn(side, result)) yield { event: 'warning', text }
  return result
}

/** Extracts the faces of one clip. */
async function* extractClip(
  workspace: Workspace,
  { side, clip, options }: { side: Side; clip: GivenClip; options: ExtractOptions },
  { signal }: StageContext,
): Stage<Extracted & { stopped: boolean }> {
  const stage: StageName = `extract-${side}`
  const { known, ...identity } = clip
  const { path: input, name } = identity
  const identities = await identitiesFor(workspace, options.person)
  const folder = workspace.faceset[side]
  const asked: KnownClip = { ...identity, asked: options }
  await workspace.update({ clips: withClip(workspace, side, asked), faceType: options.faceType })

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
    const named = name === undefined ? {} : { sourceName: name }
    for await (const progress of extractFaceset(input, folder, {
      ...options,
      side,
      ...named,
      ...identities,
      onDamaged,
    })) {
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
    if (firstDamage && !stopped && (await isCutShort(input, last?.framesDone ?? 0, options))) throw firstDamage
  } catch (error) {
    // So that other options can be tried on the same clip, nothing is kept of a search that found nothing.
    if (isDflError(error, 'NO_FACES')) await forget(workspace, side, clip)
    throw error
  }
  const seconds = (performance.now() - began) / 1000
  const result = await count(folder, identity)
  const numbers = sayFound(result)
  if (stopped) {
    yield { event: 'stage', stage, state: 'stopped', seconds, text: `${numbers} so far` }
    return { ...result, stopped }
  }
  await workspace.update({ clips: withClip(workspace, side, { ...asked, extracted: result }) })
  const rate = last && last.framesDone > last.framesSkipped ? `, ${last.fps.toFixed(1)} frames/s` : ''
  const text = `${numbers} in ${sayDuration(seconds)}${rate}${last ? aboutTracks(last) : ''}`
  yield { event: 'stage', stage, state: 'finished', seconds, text }
  return { ...result, stopped }
}

const sayFound = ({ faces, framesWithFace, frames }: Extracted) =>
  `${faces} faces in ${framesWithFace} of ${frames} frames`

/** The record's clips with one in the place of what was known of it, or added. */
function withClip({ record: { clips } }: Workspace, side: Side, clip: KnownClip) {
  const at = clips[side].findIndex((one) => one.name === clip.name)
  return { ...clips, [side]: at < 0 ? [...clips[side], clip] : clips[side].with(at, clip) }
}

const together = (found: readonly Extracted[]): Extracted => ({
  frames: found.reduce((sum, one) => sum + one.frames, 0),
  framesWithFace: found.reduce((sum, one) => sum + one.framesWithFace, 0),
  faces: found.reduce((sum, one) => sum + one.faces, 0),
})

/** Whether less than half of what a damaged file promises, or of what is asked of it, was in it: then it is no clip with a damaged frame, but the rest of one. */
async function isCutShort(
  input: string,
  done: number,
  { everyNth, firstFrame, lastFrame }: Pick<ExtractOptions, 'everyNth' | 'firstFrame' | 'lastFrame'>,
): Promise<boolean> {
  const { frameCount } = await probeVideo(input)
  const end = lastFrame === 0 ? frameCount : Math.min(frameCount, lastFrame + 1)
  return done * everyNth < (end - firstFrame) / 2
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

/** What was extracted of these clips, if nothing is left to do. */
export async function finishedExtraction(workspace: Workspace, side: Side, clips: readonly ClipIdentity[]) {
  const known = clips.map((clip) => workspace.record.clips[side].find((one) => isSameClip(one, clip))?.extracted)
  const extracted = known.filter((one) => one !== undefined)
  if (extracted.length < clips.length) return undefined
  const info = await openFaceset(workspace.faceset[side]).then(
    (faceset) => faceset.info,
    () => undefined,
  )
  if (!info || info.count === 0 || info.missingImages > 0) return undefined
  return { ...together(extracted), faceType: info.faceType }
}

/** The options of this extraction: what is given, else what it was begun with, else what the other clips and the other side have. */
function settledOptions(
  workspace: Workspace,
  { side, options: given = {} }: ExtractJob,
  { known, faces }: { known: KnownClip | undefined; faces: Readonly<Record<Side, number>> },
): ExtractOptions {
  const { record } = workspace
  // A piece of one clip is none of another.
  const { firstFrame: _, lastFrame: __, ...likeOthers } = record.clips[side][0]?.asked ?? {}
  const before = (faces[side] > 0 ? (known?.asked ?? likeOthers) : {}) as Partial<ExtractOptions>
  const changed = (known ? FIXED : FIXED_FOR_SIDE).filter(
    (name) => name in given && name in before && given[name] !== before[name],
  )
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
  const faceType = faces[other] > 0 ? record.faceType : undefined
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

/** Removes a side's faces and what the record says of them; where it has other clips, what it says of this one. */
async function forget(workspace: Workspace, side: Side, clip?: GivenClip): Promise<void> {
  const { clips } = workspace.record
  const others = clip ? clips[side].filter(({ name }) => name !== clip.name) : []
  if (others.length === 0) await rm(workspace.faceset[side], { recursive: true, force: true })
  await workspace.update({ clips: { ...clips, [side]: others } })
}

/** What a faceset has of a clip. */
async function count(folder: string, { path, name }: Pick<GivenClip, 'path' | 'name'>): Promise<Extracted> {
  const faceset = await openFaceset(folder)
  const frames = new Set<number>()
  let faces = 0
  for await (const face of faceset.faces()) {
    if (clipOf(face) !== (name ?? '')) continue
    frames.add(face.frameIndex)
    faces++
  }
  const done = faceset.framesDone().get(name ?? basename(path))
  return { frames: done?.size ?? 0, framesWithFace: frames.size, faces }
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
