import { mkdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { type Bitmap, clipOf, DflError, type Landmarks } from '@dfl/core'
import { exists, writeFileAtomic } from '@dfl/core/files'
import { compareSheet, type Evaluation, evaluation, evaluationAdvice, evaluationReport } from '@dfl/evaluate'
import { openFaceset } from '@dfl/faceset'
import { crop } from '@dfl/image'
import { encodeImage, findShots } from '@dfl/media'
import { peopleOf } from './check.js'
import { counted, type Stage, type StageContext } from './events.js'
import { embeddingsOf } from './measure.js'
import { type DstClip, dstClipOf } from './merge-job.js'
import { type ReadFrame, readClips } from './read-clips.js'
import type { Merged, Workspace } from './workspace.js'

/** What is evaluated. */
export interface EvaluateJob {
  /** The merged clip; the workspace's own if not given. */
  result?: string
  /** DST's clip; if not given that of the last merge, or the one that was extracted. */
  dst?: string
  /** What a perfect swap shows, frame for frame, where that is known. */
  truth?: string
  /** Evaluate every so many frames; 1 for all. Flicker, jitter and delay need all. */
  everyNth?: number
  /** DST's exact landmarks in each frame, where they are known; and those of the truth. */
  dstLandmarks?: readonly Landmarks[]
  truthLandmarks?: readonly Landmarks[]
  /** The report, ending in .html; `evaluation.html` in the workspace if not given. JSON lies beside it. */
  out?: string
}

/** What an evaluation found, and where its report is. */
export interface EvaluateResult {
  evaluation?: Evaluation
  report: string
  json: string
  stopped: boolean
}

const SHOWN_FRAMES = 4

/**
 * How good a merged clip is: whom it looks like, what it does, how it fits and how steady it is.
 *
 * @throws DflError `NO_SUCH_FILE` without a result, a clip of DST or faces; `NO_FACES` when there is nothing to compare.
 */
export async function* evaluateStage(
  workspace: Workspace,
  job: EvaluateJob,
  { signal }: StageContext = {},
): Stage<EvaluateResult> {
  const report = resolve(job.out ?? join(workspace.folder, 'evaluation.html'))
  const json = report.replace(/(\.html?)?$/i, '.json')
  const { clip, result } = await comparedClips(workspace, job)
  const { path: dst } = clip
  for (const side of ['src', 'dst'] as const)
    await expectFile(
      '--workspace',
      workspace.faceset[side],
      `Extract ${side.toUpperCase()} first: its faces are compared with.`,
    )
  const began = performance.now()
  yield { event: 'stage', stage: 'evaluate', state: 'started', text: `${basename(result)} against ${basename(dst)}` }
  const frames: ReadFrame[] = []
  const shown: { index: number; pictures: ReturnType<typeof cellsOf> }[] = []
  const reading = readClips({
    result,
    dst,
    ...(job.truth ? { truth: job.truth } : {}),
    dstFaceset: workspace.faceset.dst,
    ...(clip.known && workspace.record.clips.dst.length > 1 ? { dstSource: clip.known.name ?? '' } : {}),
    ...(job.dstLandmarks ? { dstLandmarks: job.dstLandmarks } : {}),
    ...(job.truthLandmarks ? { truthLandmarks: job.truthLandmarks } : {}),
    everyNth: job.everyNth ?? 1,
  })
  for await (const { frame, bitmaps, total } of reading) {
    frames.push(frame)
    const due = ((shown.length + 0.5) * total) / SHOWN_FRAMES
    if (frame.dst && frames.length > due && shown.length < SHOWN_FRAMES)
      shown.push({ index: frame.index, pictures: cellsOf(bitmaps, frame.dst.landmarks) })
    yield counted({ done: frames.length, total, began }, { stage: 'evaluate', unit: 'frames' })
    if (signal?.aborted) return { report, json, stopped: true }
  }
  const found = evaluation({
    swap: frames.map((frame) => frame.swap),
    dst: frames.map((frame) => frame.dst),
    ...(job.truth ? { truth: frames.map((frame) => frame.truth) } : {}),
    src: await embeddingsOf(workspace.faceset.src),
    frames: frames.map((frame) => frame.metrics),
    shotStarts: startsAmong(frames, (await findShots(dst, { signal })).starts),
    ...(await personOfFrames(frames, workspace.faceset.dst, clip)),
  })
  await mkdir(dirname(report), { recursive: true })
  const pictures = await Promise.all(
    shown.map(async ({ index, pictures }) => {
      const sheet = compareSheet([pictures], { cellWidth: 300 })
      const bytes = await encodeImage(sheet, 'jpg', { quality: 82 })
      return {
        source: `data:image/jpeg;base64,${Buffer.from(bytes).toString('base64')}`,
        caption: `Frame ${index}: result, DST${job.truth ? ', truth' : ''}`,
      }
    }),
  )
  await writeFileAtomic(report, evaluationReport({ evaluation: found, name: basename(result), pictures }))
  await writeFileAtomic(json, `${JSON.stringify({ format: 1, result, dst, ...found }, null, 2)}\n`)
  const seconds = (performance.now() - began) / 1000
  yield { event: 'stage', stage: 'evaluate', state: 'finished', seconds, text: `${frames.length} frames` }
  return { evaluation: found, report, json, stopped: false }
}

/** DST's clip and the merged one: those that are given, else those of the last merge. @throws DflError `NO_SUCH_FILE`. */
async function comparedClips(workspace: Workspace, job: EvaluateJob): Promise<{ clip: DstClip; result: string }> {
  const isMeant = ({ dst, result }: Merged) =>
    (job.dst === undefined || dst === resolve(job.dst)) && (job.result === undefined || result === resolve(job.result))
  const merged = workspace.record.merged.findLast(isMeant)
  // The workspace may have been moved since, with the result in it.
  const own = merged && (await exists(merged.result)) ? merged.result : workspace.defaultResult
  const result = job.result ?? own
  await expectFile('--result', result, 'Run dfl merge first, or give the merged clip.')
  return { clip: await dstClipOf(workspace, { input: job.dst ?? merged?.dst, flag: '--dst' }), result }
}

async function expectFile(flag: string, path: string | undefined, advice: string): Promise<void> {
  if (path !== undefined && (await exists(path))) return
  const got = path === undefined ? 'it was not given and is not known' : `there is nothing at \`${path}\``
  throw new DflError('NO_SUCH_FILE', `Expected a file for \`${flag}\`, but ${got}. ${advice}`, { data: { flag, path } })
}

/** The heads of one frame. */
function cellsOf(bitmaps: readonly Bitmap[], landmarks: Landmarks) {
  const xs = landmarks.map(([x]) => x)
  const ys = landmarks.map(([, y]) => y)
  const side = 1.6 * Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys))
  const [x, y] = [(Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2]
  return bitmaps.map((bitmap) => crop(bitmap, { x: x - side / 2, y: y - 0.56 * side, width: side, height: side }))
}

/** Which of the frames that were read are the first of a shot. */
function startsAmong(frames: readonly ReadFrame[], starts: readonly number[]): number[] {
  const first = starts.map((start) => frames.findIndex(({ index }) => index >= start))
  return [...new Set(first)].filter((i) => i >= 0)
}

/** DST's people by frame, where there are several: of the face that is looked at. */
async function personOfFrames(
  frames: readonly ReadFrame[],
  folder: string,
  { known }: DstClip,
): Promise<{ personOfFrame?: (number | undefined)[] }> {
  const people = await peopleOf([folder])
  const byIndex = new Map<number, string | undefined>()
  for await (const face of (await openFaceset(folder)).faces())
    if (face.faceIndex === 0 && (!known || clipOf(face) === (known.name ?? '')))
      byIndex.set(face.frameIndex, people.personOf(folder, face))
  const names = frames.map(({ index, dst }) => (dst ? byIndex.get(index) : undefined))
  const isSeen = (name: string) => names.filter((one) => one === name).length >= Math.max(3, 0.03 * frames.length)
  const seen = [...new Set(names)].filter((name) => name !== undefined).filter(isSeen)
  if (seen.length < 2) return {}
  return { personOfFrame: names.map((name) => (seen.includes(name!) ? seen.indexOf(name!) : undefined)) }
}

/** What an evaluation says to people: what to do, a few numbers, and where the report is. */
export function describeEvaluation({ evaluation: found, report, json }: EvaluateResult): string {
  if (!found) return ''
  const { likeness, identity, picture, steadiness } = found
  const marks = { do: '!', consider: '-', fine: '+' } as const
  return [
    `Likeness ${likeness.identity.toFixed(2)} of 1, leak of DST ${identity.leak.toFixed(2)}, colour step ${picture.borderColor.toFixed(1)} ΔE, flicker ${steadiness.flicker.toFixed(2)} %`,
    ...evaluationAdvice(found).map(({ urgency, text }) => `${marks[urgency]} ${text}`),
    '',
    `Report   ${report}`,
    `         ${json}`,
  ].join('\n')
}
