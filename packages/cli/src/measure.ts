import { estimatePose, hullMask } from '@dfl/align'
import { type Bitmap, clipOf, type FaceMeta, type Landmarks, type Pixels, type Rect } from '@dfl/core'
import {
  type FaceAnalysis,
  type FaceTrack,
  type ImageError,
  imageError,
  type Jitter,
  jitter,
  type Likeness,
  likeness,
} from '@dfl/evaluate'
import { dlibEmbedder, type Embedder, faceLandmarker, type Landmarker, regionOfLandmarks } from '@dfl/extract'
import { openFaceset } from '@dfl/faceset'
import { crop, toPixels } from '@dfl/image'
import { type Frame, openFrames } from '@dfl/media'

/** What is measured. */
export interface MeasureJob {
  /** The merged clip. */
  result: string
  /** DST's clip, frame for frame what was merged into. */
  dst: string
  /** What a perfect swap shows, frame for frame, where that is known. */
  truth?: string
  /** Folder of SRC's faceset, with embeddings. */
  srcFaceset: string
  /** Folder of DST's faceset: says where to look for the face. */
  dstFaceset: string
  /** DST's exact landmarks in each frame, where they are known: what DST does is taken from them. */
  dstLandmarks?: readonly Landmarks[]
  /** Measure every so many frames; 1 for all. */
  everyNth?: number
}

/** How good a swap is. */
export interface SwapMeasures {
  likeness: Likeness
  /** Only where every frame was measured: trembling shows between neighbours. */
  jitter?: Jitter
  /** Error inside the face against the truth, of the result and of DST as it was; means over the frames. */
  error?: { result: ImageError; nothing: ImageError }
  /** Frames looked at. */
  frames: number
}

type Clip = 'result' | 'dst' | 'truth'

/**
 * How much a merged clip looks like SRC, how well it does what DST does, and how far it is from the truth.
 *
 * Landmarks and identities of all clips are read anew by the same networks, at the place where DST's face was found.
 */
export async function measureSwap(job: MeasureJob): Promise<SwapMeasures> {
  const frames = measuring(job)
  for (;;) {
    const next = await frames.next()
    if (next.done) return next.value
  }
}

/** `measureSwap` frame by frame: walk it to make it work; the measures come back at the end. */
export async function* measuring(job: MeasureJob): AsyncGenerator<{ done: number; total: number }, SwapMeasures> {
  const { everyNth = 1 } = job
  const places = await placesOf(job.dstFaceset)
  await using landmarker = await faceLandmarker()
  await using embedder = await dlibEmbedder()
  const networks = { landmarker, embedder }
  const names: Clip[] = job.truth ? ['result', 'dst', 'truth'] : ['result', 'dst']
  const tracks: Record<Clip, (FaceAnalysis | undefined)[]> = { result: [], dst: [], truth: [] }
  const errors: { result: ImageError; nothing: ImageError }[] = []
  for await (const { frames, total } of together(
    names.map((name) => job[name]!),
    everyNth,
  )) {
    const place = places.get(frames[0]!.index)
    for (const [i, name] of names.entries())
      tracks[name].push(place ? await analyse(frames[i]!.bitmap, place, networks) : undefined)
    const truth = tracks.truth.at(-1)
    if (job.truth && truth)
      errors.push(
        errorsInFace(
          frames.map((frame) => frame.bitmap),
          truth.landmarks,
        ),
      )
    yield { done: tracks.result.length, total }
  }
  return {
    likeness: likeness({
      swap: tracks.result,
      dst: job.dstLandmarks ? withLandmarks(tracks.dst, job.dstLandmarks, everyNth) : tracks.dst,
      src: await embeddingsOf(job.srcFaceset),
      ...(job.truth ? { truth: tracks.truth } : {}),
    }),
    ...(everyNth === 1 ? { jitter: jitter(tracks.result, tracks.dst) } : {}),
    ...(errors.length > 0
      ? { error: { result: meanError(errors.map((e) => e.result)), nothing: meanError(errors.map((e) => e.nothing)) } }
      : {}),
    frames: tracks.result.length,
  }
}

/** The track with other landmarks, and the poses that they tell. */
function withLandmarks(track: FaceTrack, landmarks: readonly Landmarks[], everyNth: number): FaceTrack {
  return track.map((face, i) => {
    const exact = landmarks[i * everyNth]
    return face && exact ? { ...face, landmarks: exact, pose: estimatePose(exact) } : face
  })
}

/** Frames of several clips that belong together, as long as all of them have one. They are closed after each turn. */
export async function* together(
  clips: readonly string[],
  everyNth = 1,
): AsyncGenerator<{ frames: Frame[]; total: number }> {
  const sources = await Promise.all(clips.map((clip) => openFrames(clip, { everyNth })))
  const total = Math.ceil(Math.min(...sources.map(({ info }) => info.frameCount)) / everyNth)
  const walks = sources.map((source) => source.frames())
  try {
    for (;;) {
      const next = await Promise.all(walks.map((walk) => walk.next()))
      const frames = next.flatMap(({ value, done }) => (done ? [] : [value]))
      try {
        if (frames.length < clips.length) return
        yield { frames, total }
      } finally {
        for (const frame of frames) frame.close()
      }
    }
  } finally {
    for (const walk of walks) await walk.return(undefined)
    for (const source of sources) await source[Symbol.asyncDispose]()
  }
}

/** Where the largest face of each frame is, by frame index; of a faceset of several clips, of the one that it calls `clip`. */
export async function placesOf(folder: string, clip?: string): Promise<Map<number, Landmarks>> {
  const places = new Map<number, Landmarks>()
  for await (const face of (await openFaceset(folder)).faces())
    if (face.faceIndex === 0 && (clip === undefined || clipOf(face) === clip))
      places.set(face.frameIndex, face.sourceLandmarks)
  return places
}

/** The identities of a faceset's faces. */
export async function embeddingsOf(folder: string): Promise<{ embedding: NonNullable<FaceMeta['embedding']> }[]> {
  const out: { embedding: NonNullable<FaceMeta['embedding']> }[] = []
  for await (const { embedding } of (await openFaceset(folder)).faces()) if (embedding) out.push({ embedding })
  return out
}

/** The face at a place of an image; nothing where there is none. */
export async function analyse(
  image: Bitmap,
  place: Landmarks,
  { landmarker, embedder }: { landmarker: Landmarker; embedder: Embedder },
): Promise<FaceAnalysis | undefined> {
  const { landmarks, score } = await landmarker.landmarks(image, regionOfLandmarks(place))
  if (score < 0.5) return undefined
  return { embedding: await embedder.embed(image, landmarks), landmarks, pose: estimatePose(landmarks) }
}

/** Errors of result and DST against the truth, where the truth's face is. Pictures in the order result, DST, truth. */
function errorsInFace(pictures: readonly Bitmap[], landmarks: Landmarks) {
  const rect = boundsOf(landmarks, pictures[0]!)
  const mask = hullMask(
    landmarks.map(([x, y]) => [x - rect.x, y - rect.y] as const),
    { width: rect.width, height: rect.height },
  )
  const [result, dst, truth] = pictures.map((picture) => toPixels(crop(picture, rect))) as [Pixels, Pixels, Pixels]
  return { result: imageError(result, truth, mask), nothing: imageError(dst, truth, mask) }
}

/** Whole pixels around the points, with some room for the brows that the mask raises. */
function boundsOf(points: Landmarks, { width, height }: Bitmap): Rect {
  const xs = points.map(([x]) => x)
  const ys = points.map(([, y]) => y)
  const room = 0.15 * (Math.max(...ys) - Math.min(...ys))
  const left = Math.max(0, Math.floor(Math.min(...xs) - room))
  const top = Math.max(0, Math.floor(Math.min(...ys) - room))
  return {
    x: left,
    y: top,
    width: Math.min(width, Math.ceil(Math.max(...xs) + room)) - left,
    height: Math.min(height, Math.ceil(Math.max(...ys) + room)) - top,
  }
}

function meanError(errors: readonly ImageError[]): ImageError {
  const mean = (of: (error: ImageError) => number) => errors.reduce((sum, error) => sum + of(error), 0) / errors.length
  return { mae: mean((e) => e.mae), psnr: mean((e) => e.psnr), ssim: mean((e) => e.ssim) }
}
