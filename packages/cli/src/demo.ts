import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Bitmap, DflError } from '@dfl/core'
import { exists } from '@dfl/core/files'
import { compareSheet } from '@dfl/evaluate'
import { createPixels, paste } from '@dfl/image'
import { bitmapFrame, createVideo, drawText, openFrames, writeImage } from '@dfl/media'
import { SYNTHETIC_METADATA } from '@dfl/provenance'
import { counted, type Stage, type StageContext } from './events.js'
import { exactLandmarks } from './exact-landmarks.js'
import { type MeasureJob, measuring, type SwapMeasures, together } from './measure.js'
import { type RunResult, runStages } from './run.js'
import type { Workspace } from './workspace.js'

/** Training time of the demo: with install, extraction and merge it stays under ten minutes on two cores. */
export const DEMO_SECONDS = 300

/** What a demo can be told. */
export interface DemoJob {
  seconds?: number
  iterations?: number
  preset?: string
  /** Start from random weights instead of those that come with the program. */
  fromScratch?: boolean
}

/** What a demo made. */
export interface DemoResult extends RunResult {
  /** DST, result and truth of a few frames beside each other. */
  compare?: string
  compareVideo?: string
  measures?: SwapMeasures
}

const TITLES = ['DST', 'result', 'truth: a perfect swap']
const COMPARED_FRAMES = 5

/** The main job on the checkout's own footage, and how close the result comes to the true swap. */
export async function* demoStages(workspace: Workspace, job: DemoJob, context: StageContext = {}): Stage<DemoResult> {
  const clips = await footage()
  const seconds = job.iterations === undefined ? (job.seconds ?? DEMO_SECONDS) : job.seconds
  const run = yield* runStages(
    workspace,
    {
      src: clips.src,
      dst: clips.dst,
      train: {
        seconds,
        iterations: job.iterations,
        preset: job.preset,
        fromScratch: job.fromScratch,
      },
    },
    context,
  )
  if (run.stopped) return run
  const began = performance.now()
  yield {
    event: 'stage',
    stage: 'measure',
    state: 'started',
    text: 'how close it is to the true swap, which is known here',
  }
  const measures = yield* measureStage(
    {
      result: run.result,
      dst: clips.dst,
      truth: clips.truth,
      srcFaceset: workspace.faceset.src,
      dstFaceset: workspace.faceset.dst,
      dstLandmarks: await exactLandmarks(clips.dst),
      everyNth: 2,
    },
    context,
  )
  if (!measures) return { ...run, stopped: true }
  const three = [clips.dst, run.result, clips.truth]
  const compare = join(workspace.folder, 'compare.png')
  await writeImage(compare, await comparePicture(three))
  const compareVideo = join(workspace.folder, 'compare.mp4')
  await writeCompareVideo(three, compareVideo)
  yield {
    event: 'stage',
    stage: 'measure',
    state: 'finished',
    text: `${measures.frames} frames`,
    seconds: (performance.now() - began) / 1000,
  }
  const preview = run.preview ?? join(workspace.preview, 'latest.png')
  return { ...run, preview, compare, compareVideo, measures }
}

/** Measures with a progress line; gives nothing where it was stopped. */
async function* measureStage(job: MeasureJob, { signal }: StageContext): Stage<SwapMeasures | undefined> {
  const began = performance.now()
  const frames = measuring(job)
  for (;;) {
    const next = await frames.next()
    if (next.done) return next.value
    yield counted({ ...next.value, began }, { stage: 'measure', unit: 'frames' })
    if (!signal?.aborted) continue
    await frames.return(undefined as never)
    return undefined
  }
}

/** What a finished demo says to people. */
export function describeDemo({
  result,
  compare,
  compareVideo,
  preview,
  measures,
  iterations,
  startedFrom,
}: DemoResult): string {
  const lines = [
    `Result           ${result}`,
    `Beside the truth ${compare}`,
    `                 ${compareVideo}`,
    `Preview          ${preview}`,
  ]
  if (measures) lines.push('', describeMeasures(measures))
  lines.push(
    '',
    `${iterations} iterations, started from ${startedFrom ? 'weights that learned other rendered heads (compare: --from-scratch)' : 'zero'}. More time makes it sharper: npm run dfl -- demo --time 30m`,
  )
  return lines.join('\n')
}

/** How close a swap is, in two or three lines. */
export function describeMeasures({ likeness, error }: SwapMeasures): string {
  const { identity, nearerToSrc, performance } = likeness
  const share = (value: number) => `${Math.round(100 * value)} %`
  const follows = (['yaw', 'mouth', 'eyes'] as const)
    .filter((name) => performance[name] !== undefined)
    .map((name) => `${name} ${performance[name]!.toFixed(2)}`)
  const lines = [
    `Likeness ${identity.toFixed(2)} of 1 (0: still DST, 1: the true swap); nearer to SRC in ${share(nearerToSrc)} of the frames.`,
    `It follows DST's performance with a correlation of ${follows.join(', ')}.`,
  ]
  if (error)
    lines.push(
      `Inside the face it differs from the true swap by ${(100 * error.result.mae).toFixed(1)} % (DST as it was: ${(100 * error.nothing.mae).toFixed(1)} %).`,
    )
  return lines.join('\n')
}

/** The demo's clips in this checkout. */
async function footage() {
  const root = resolve(fileURLToPath(new URL('../../../examples', import.meta.url)))
  const clip = (name: string) => join(root, 'footage', `pair1-${name}.mp4`)
  const clips = { root, src: clip('src'), dst: clip('dst'), truth: clip('truth') }
  for (const path of [clips.src, clips.dst, clips.truth])
    if (!(await exists(path)))
      throw new DflError(
        'NO_SUCH_FILE',
        `Expected the demo's footage at \`${path}\`, but it is not there. The demo runs in a checkout of the repository; elsewhere use \`dfl run\` with two clips of your own.`,
        { data: { path } },
      )
  return clips
}

/** A few frames of the clips, one row each, with titles. */
async function comparePicture(clips: readonly string[]): Promise<Bitmap> {
  await using first = await openFrames(clips[0]!)
  const every = Math.max(1, Math.floor(first.info.frameCount / COMPARED_FRAMES))
  const rows: Bitmap[][] = []
  for await (const { frames } of together(clips, every)) {
    rows.push(frames.map((frame) => frame.bitmap))
    if (rows.length === COMPARED_FRAMES) break
  }
  const cellWidth = 420
  const gapPx = 4
  const header = 28
  const sheet = compareSheet(rows, { cellWidth, gapPx })
  const picture = createPixels(sheet.width, sheet.height + header, 3)
  picture.data.fill(0.1)
  paste(picture, sheet, 0, header)
  return drawText(
    picture,
    TITLES.map((text, i) => ({ text, x: i * (cellWidth + gapPx) + 6, y: header - 9, sizePx: 16 })),
  )
}

/** The clips beside each other as one video, with the first one's sound. */
async function writeCompareVideo(clips: readonly string[], path: string): Promise<void> {
  await using first = await openFrames(clips[0]!)
  const { width, height } = first.info
  const audioFrom = first.info.audio.length > 0 ? { audioFrom: clips[0]! } : {}
  await using sink = await createVideo(path, {
    like: { ...first.info, width: width * clips.length, rotationDegrees: 0, displayMatrix: undefined },
    crf: 20,
    metadata: SYNTHETIC_METADATA,
    ...audioFrom,
  })
  for await (const { frames } of together(clips)) {
    const wide: Bitmap = {
      data: new Uint8Array(width * clips.length * height * 3),
      width: width * clips.length,
      height,
      channels: 3,
    }
    frames.forEach((frame, i) => {
      paste(wide, frame.bitmap, i * width, 0)
    })
    const { index, pts, timeBase, name } = frames[0]!
    await sink.write(bitmapFrame(wide, { index, pts, timeBase, name }))
  }
  await sink.finish()
}
