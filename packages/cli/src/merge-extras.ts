import { extname, join } from 'node:path'
import { type Bitmap, DflError } from '@dfl/core'
import { bitmapFrame, createVideo, type Frame, isVideoPath, openFrames, writeImage } from '@dfl/media'
import type { FrameSpan } from '@dfl/merge'
import { parseFrames } from './frame-spans.js'

/** How the result is shown beside DST's clip. */
export const COMPARISONS = ['side-by-side', 'before-after'] as const

/** One of `COMPARISONS`. */
export type Comparison = (typeof COMPARISONS)[number]

/** 'result' of 'result.mp4' and of the folder 'result/'. */
const stemOf = (out: string) => {
  const path = out.replace(/[\\/]+$/, '')
  return isVideoPath(path) ? path.slice(0, -extname(path).length) : path
}

/** Where the video of DST and a result together goes: beside the result. */
export const comparisonPath = (out: string, comparison: Comparison): string => `${stemOf(out)}-${comparison}.mp4`

/** What was merged: stretches of DST's clip, all of it if not given. */
type Stretches = readonly FrameSpan[] | undefined

/** Index in DST's clip of a frame of the result. */
function indexInClip(at: number, only: Stretches): number {
  if (!only) return at
  let left = at
  for (const { start, end } of only) {
    if (left < end - start) return start + left
    left -= end - start
  }
  return Number.POSITIVE_INFINITY
}

/** Index in the result of a frame of DST's clip; nothing where it is not merged. */
function indexInResult(index: number, only: Stretches): number | undefined {
  if (!only) return index
  let before = 0
  for (const { start, end } of only) {
    if (index >= start && index < end) return before + index - start
    before += end - start
  }
  return undefined
}

/**
 * Writes frames of a result as PNG into a folder beside it: its path.
 *
 * @param frames Indices in DST's clip.
 * @throws DflError `BAD_OPTION` for frames that the result does not have.
 */
export async function writeStills(out: string, frames: readonly number[], only?: Stretches): Promise<string> {
  const folder = `${stemOf(out)}-stills`
  const outside = frames.filter((index) => indexInResult(index, only) === undefined)
  if (outside.length > 0) throw noStills(outside)
  const wanted = new Map(frames.map((index) => [indexInResult(index, only)!, index]))
  const places = [...wanted.keys()].sort((a, b) => a - b).map((at) => ({ start: at, end: at + 1 }))
  for await (const frame of framesOf(out, joined(places))) {
    using _ = frame
    const index = wanted.get(frame.index)
    if (index === undefined) continue
    wanted.delete(frame.index)
    await writeImage(join(folder, `${String(index).padStart(6, '0')}.png`), frame.bitmap)
  }
  if (wanted.size > 0) throw noStills([...wanted.values()])
  return folder
}

/** Frames that are decoded on the way to the next ones rather than looking for their key frame. */
const AHEAD = 24

/** Stretches in order, those that lie near each other as one. */
function joined(spans: readonly FrameSpan[]): FrameSpan[] {
  const out: FrameSpan[] = []
  for (const { start, end } of spans) {
    const before = out.at(-1)
    if (before && start - before.end <= AHEAD) before.end = end
    else out.push({ start, end })
  }
  return out
}

/** The frames of some stretches of a clip, each decoded from the key frame before it on. */
async function* framesOf(path: string, spans: readonly FrameSpan[]): AsyncGenerator<Frame> {
  for (const { start, end } of spans) {
    await using source = await openFrames(path, { start, end, seek: true })
    yield* source.frames()
  }
}

/** The frames of `--stills`, checked before the work against those that are merged: all of the clip if `only` is not given. */
export async function wantedStills(text: string, { clip, only }: { clip: string; only: Stretches }): Promise<number[]> {
  const frames = parseFrames(text, '--stills')
  await using source = await openFrames(clip)
  const { frameCount, frameCountIsEstimate } = source.info
  const spans = only ?? [{ start: 0, end: frameCountIsEstimate ? Number.POSITIVE_INFINITY : frameCount }]
  const outside = frames.filter((index) => indexInResult(index, spans) === undefined)
  if (outside.length > 0) throw noStills(outside)
  return frames
}

const noStills = (frames: readonly number[]) =>
  new DflError(
    'BAD_OPTION',
    `Expected frames of the result for \`--stills\`, but got ${frames.join(', ')}. Name frames that are merged.`,
  )

/** Seconds in which the line between before and after goes over the picture and back. */
const WIPE_SECONDS = 6

/**
 * Writes a video that shows DST's clip and the result together: `side-by-side` with DST on the left, or `before-after` with
 * DST left and the result right of a line that wanders over the picture. Its path.
 */
export async function writeComparison(
  out: string,
  comparison: Comparison,
  { clip, only }: { clip: string; only: Stretches },
): Promise<string> {
  await using result = await openFrames(out)
  const { info } = result
  const path = comparisonPath(out, comparison)
  const width = comparison === 'side-by-side' ? 2 * info.width : info.width
  // Frames come upright.
  const { displayMatrix: _, ...upright } = info
  const like = { ...upright, width, rotationDegrees: 0 } as const
  const audioFrom = isVideoPath(out) && info.audio.length > 0 ? { audioFrom: out } : {}
  await using sink = await createVideo(path, { like, ...audioFrom })
  const before = framesOf(clip, joined(only ?? [{ start: 0, end: Number.POSITIVE_INFINITY }]))
  try {
    for await (const frame of result.frames()) {
      using after = frame
      const wanted = indexInClip(after.index, only)
      let next = await before.next()
      while (!next.done && next.value.index < wanted) {
        next.value.close()
        next = await before.next()
      }
      if (next.done) break
      using was = next.value
      const at = comparison === 'side-by-side' ? 'beside' : lineAt(after.timestampSeconds, after.width)
      const { index, pts, timeBase, name } = after
      await sink.write(bitmapFrame(together(was, after, at), { index, pts, timeBase, name }))
    }
  } finally {
    await before.return(undefined)
  }
  await sink.finish()
  return path
}

/** Column of the line at a time: it starts in the middle. */
const lineAt = (seconds: number, width: number) =>
  Math.round(width * (0.5 + 0.4 * Math.sin((2 * Math.PI * seconds) / WIPE_SECONDS)))

/** Two frames in one picture: beside each other, or left and right of a line. */
function together(before: Frame, after: Frame, at: number | 'beside'): Bitmap {
  const { width, height } = after
  const [left, right] = [before.bitmap.data, after.bitmap.data]
  const row = width * 3
  const wide = at === 'beside' ? 2 * row : row
  const data = new Uint8Array(wide * height)
  for (let y = 0; y < height; y++) {
    const source = y * row
    if (at === 'beside') {
      data.set(left.subarray(source, source + row), y * wide)
      data.set(right.subarray(source, source + row), y * wide + row)
      continue
    }
    data.set(left.subarray(source, source + at * 3), source)
    data.set(right.subarray(source + at * 3, source + row), source + at * 3)
    data.fill(255, source + at * 3, source + Math.min(width, at + 2) * 3)
  }
  return { data, width: wide / 3, height, channels: 3 }
}
