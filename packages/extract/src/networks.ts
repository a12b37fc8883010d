import type { FaceMeta } from '@dfl/core'
import type { JobThread } from '@dfl/core/threads'
import type { Frame, FrameSamples } from '@dfl/media'
import { samplesOfFace } from './align-faces.js'
import { BLAZE_FACE } from './blaze-face.js'
import { type CutFace, type CutJob, cutFace } from './cut-face.js'
import { DLIB_EMBEDDER } from './dlib-embedder.js'
import { FACE_LANDMARKER } from './face-landmarker.js'
import type { ExtractPart, ProgressMeter } from './progress.js'
import type { ThreadJobs } from './thread-jobs.js'
import { faceThread } from './threads.js'
import type { Embedder, Face, FaceDetector, Landmarker, Segmenter } from './types.js'

/** What looks at frames during an extraction. */
export interface Networks {
  detector: FaceDetector
  landmarker: Landmarker
  embedder: Embedder
  segmenter: Segmenter
}

/** What looks at frames, and cuts faces out of them. */
export interface Workers extends Omit<Networks, 'segmenter'>, AsyncDisposable {
  /** The file of a described face's aligned image, and its mask if it has one of its own. */
  cut(frame: Frame, meta: FaceMeta, face: Face): Promise<CutFace>
}

/**
 * The given networks, the built-in ones where none is given, with their time counted.
 *
 * The built-in ones work in two threads, so that a video is decoded, faces are looked for, and those that were found are
 * cut out at the same time: one thread finds, the other tells people apart and cuts. When there is nothing to be found just
 * then, at the end of a clip above all, the first cuts, too.
 *
 * @param needed  Networks that will surely be asked: they are loaded at once, while frames are decoded.
 */
export function startWorkers(
  given: Partial<Networks>,
  meter: ProgressMeter,
  needed: readonly (keyof Networks)[],
): Workers {
  const finding = faceThread()
  const cutting = faceThread()
  const forFinding = () => finding
  const forTelling = () => cutting
  const forCutting = () => (finding.open === 0 && cutting.open > 0 ? finding : cutting)
  const load = (thread: JobThread<ThreadJobs>, names: readonly (keyof Networks)[]) => {
    const missing = names.filter((name) => needed.includes(name) && !given[name])
    if (missing.length > 0) void thread.ask('load', [missing]).catch(() => {}) // Whoever needs the thread hears of it.
  }
  load(finding, ['detector', 'landmarker'])
  load(cutting, ['embedder', 'segmenter'])
  const job =
    <K extends keyof ThreadJobs & string>(thread: () => JobThread<ThreadJobs>, name: K, part: ExtractPart) =>
    async (...args: Parameters<ThreadJobs[K]>): Promise<Awaited<ReturnType<ThreadJobs[K]>>> => {
      const { result, seconds } = await thread().ask(name, args, arraysIn(args))
      meter.took(part, seconds)
      return result
    }
  const { segmenter } = given
  const cut = segmenter
    ? (task: CutJob) => meter.timed('warp', () => cutFace(task, async () => segmenter))
    : job(forCutting, 'cut', 'warp')
  return {
    detector: given.detector
      ? timed(given.detector, ['detect', 'detectIn'], 'detect', meter)
      : { ...BLAZE_FACE, detect: job(forFinding, 'detect', 'detect'), detectIn: job(forFinding, 'detectIn', 'detect') },
    landmarker: given.landmarker
      ? timed(given.landmarker, ['landmarks', 'landmarksIn'], 'landmarks', meter)
      : {
          ...FACE_LANDMARKER,
          landmarks: job(forFinding, 'landmarks', 'landmarks'),
          landmarksIn: job(forFinding, 'landmarksIn', 'landmarks'),
        },
    embedder: given.embedder
      ? timed(given.embedder, ['embed', 'embedIn'], 'embed', meter)
      : { ...DLIB_EMBEDDER, embed: job(forTelling, 'embed', 'embed'), embedIn: job(forTelling, 'embedIn', 'embed') },
    cut: (frame, meta, { outline }) => {
      const { faceType, landmarks, imageToFaceMat, size, frameSize } = meta
      const described = { faceType, landmarks, imageToFaceMat, size, ...(frameSize ? { frameSize } : {}) }
      return cut({ samples: samplesOfFace(frame, meta), face: described, outline })
    },
    async [Symbol.asyncDispose]() {
      await finding[Symbol.asyncDispose]()
      await cutting[Symbol.asyncDispose]()
    },
  }
}

/** The memory of samples among the arguments of a job: they were copied for it, so they can move to its thread. */
function arraysIn(args: readonly unknown[]): ArrayBufferLike[] {
  return args.flatMap((arg) => {
    const { samples = arg } = arg as { samples?: unknown }
    const { planes = [] } = samples as Partial<FrameSamples>
    return planes.map(({ raster }) => raster.data.buffer)
  })
}

/** A network of the caller's own with the time of its looks counted. */
function timed<T extends object>(network: T, looks: readonly (keyof T)[], part: ExtractPart, meter: ProgressMeter): T {
  const out = Object.create(network) as T
  for (const name of looks) {
    const look = network[name] as ((...args: unknown[]) => unknown) | undefined
    if (look) out[name] = ((...args: unknown[]) => meter.timed(part, () => look.apply(network, args))) as T[keyof T]
  }
  return out
}
