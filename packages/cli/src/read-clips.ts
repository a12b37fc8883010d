import { estimatePose } from '@dfl/align'
import type { Bitmap, Landmarks, Rect } from '@dfl/core'
import { type FaceAnalysis, type FrameMetrics, frameMetrics } from '@dfl/evaluate'
import { dlibEmbedder, faceLandmarker } from '@dfl/extract'
import { crop, toPixels } from '@dfl/image'
import { analyse, placesOf, together } from './measure.js'

/** One frame of the clips that are compared, as it was read. */
export interface ReadFrame {
  index: number
  swap?: FaceAnalysis
  dst?: FaceAnalysis
  truth?: FaceAnalysis
  /** Nothing where DST has no face. */
  metrics?: FrameMetrics
}

/** The clips that are compared, frame for frame. */
export interface ReadClipsJob {
  result: string
  dst: string
  truth?: string
  /** Folder of DST's faceset: says where to look for the face; and what it calls the clip, where it has faces of several. */
  dstFaceset: string
  dstSource?: string
  /** DST's exact landmarks in each frame, where they are known; and those of the truth. */
  dstLandmarks?: readonly Landmarks[]
  truthLandmarks?: readonly Landmarks[]
  everyNth: number
}

/**
 * Result, DST and, where it is known, truth read frame by frame, in that order: whom each shows, what it does, and what their pictures say. Landmarks and
 * identities of all clips are read anew by the same networks, at the place where DST's face was found.
 */
export async function* readClips(
  job: ReadClipsJob,
): AsyncGenerator<{ frame: ReadFrame; bitmaps: readonly Bitmap[]; total: number }> {
  const places = await placesOf(job.dstFaceset, job.dstSource)
  await using landmarker = await faceLandmarker()
  await using embedder = await dlibEmbedder()
  const networks = { landmarker, embedder }
  const clips = [job.result, job.dst, ...(job.truth ? [job.truth] : [])]
  for await (const { frames, total } of together(clips, job.everyNth)) {
    const { index } = frames[0]!
    const place = places.get(index)
    const bitmaps = frames.map((frame) => frame.bitmap)
    if (!place) {
      yield { frame: { index }, bitmaps, total }
      continue
    }
    const [swap, found, truth] = await Promise.all(bitmaps.map((bitmap) => analyse(bitmap, place, networks)))
    const exact = job.dstLandmarks?.[index]
    const dst = found && exact ? { ...found, landmarks: exact, pose: estimatePose(exact) } : found
    // Found and exact landmarks differ by a bias: the truth's are of the kind that DST's are.
    const truthLandmarks = exact ? job.truthLandmarks?.[index] : truth?.landmarks
    const metrics = dst ? metricsOf(bitmaps, dst.landmarks, truthLandmarks) : undefined
    yield {
      frame: { index, ...named({ swap, dst, truth }), ...(metrics ? { metrics } : {}) },
      bitmaps,
      total,
    }
  }
}

/** Without those that were not found. */
const named = (faces: Pick<ReadFrame, 'swap' | 'dst' | 'truth'>) =>
  Object.fromEntries(Object.entries(faces).filter(([, face]) => face !== undefined)) as typeof faces

/** Only what lies around the face is converted: pictures of films are large. */
function metricsOf(bitmaps: readonly Bitmap[], landmarks: Landmarks, truthLandmarks?: Landmarks): FrameMetrics {
  const rect = around([...landmarks, ...(truthLandmarks ?? [])])
  const [result, dst, truth] = bitmaps.map((bitmap) => toPixels(crop(bitmap, within(rect, bitmap))))
  const { x: left, y: top } = within(rect, bitmaps[0]!)
  const here = (points: Landmarks) => points.map(([x, y]) => [x - left, y - top] as const)
  return frameMetrics(
    { result: result!, dst: dst!, ...(truth ? { truth } : {}) },
    here(landmarks),
    truthLandmarks && here(truthLandmarks),
  )
}

function around(landmarks: Landmarks): Rect {
  const xs = landmarks.map(([x]) => x)
  const ys = landmarks.map(([, y]) => y)
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  const room = 0.8 * Math.max(right - left, bottom - top)
  return { x: left - room, y: top - room, width: right - left + 2 * room, height: bottom - top + 2 * room }
}

function within(rect: Rect, { width, height }: Bitmap): Rect {
  const x = Math.max(0, Math.floor(rect.x))
  const y = Math.max(0, Math.floor(rect.y))
  return {
    x,
    y,
    width: Math.max(1, Math.min(width, Math.ceil(rect.x + rect.width)) - x),
    height: Math.max(1, Math.min(height, Math.ceil(rect.y + rect.height)) - y),
  }
}
