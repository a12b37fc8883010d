import type { FaceMeta } from '@dfl/core'
import type { JobThread } from '@dfl/core/threads'
import type { Frame, FrameSamples } from '@dfl/media'
import { samplesOfFace } from './align-faces.js'
import { ATTENTION_MESH } from './attention-mesh.js'
import { BLAZE_FACE } from './blaze-face.js'
import { type CutFace, type CutJob, cutFace } from './cut-face.js'
import { DLIB_EMBEDDER } from './dlib-embedder.js'
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
 * cut out at the same time: one thread finds, the other tells people apart and cuts.
 */
export function startWorkers(given: Partial<Networks>, meter: ProgressMeter): Workers {
  const finding = faceThread()
  const cutting = faceThread()
  const job =
    <K extends keyof ThreadJobs & string>(thread: JobThread<ThreadJobs>, name: K, part: ExtractPart) =>
    async (...args: Parameters<ThreadJobs[K]>): Promise<Awaited<ReturnType<ThreadJobs[K]>>> => {
      const { result, seconds } = await thread.ask(name, args, arraysIn(args))
      meter.took(part, seconds)
      return result
    }
  const { segmenter } = given
  const cut = segmenter
    ? (task: CutJob) => meter.timed('warp', () => cutFace(task, async () => segmenter))
    : job(cutting, 'cut', 'warp')
  return {
    detector: given.detector
      ? timed(given.detector, ['detect', 'detectIn'], 'detect', meter)
      : { ...BLAZE_FACE, detect: job(finding, 'detect', 'detect'), detectIn: job(finding, 'detectIn', 'detect') },
    landmarker: given.landmarker
      ? timed(given.landmarker, ['landmarks', 'landmarksIn'], 'landmarks', meter)
      : {
          ...ATTENTION_MESH,
          landmarks: job(finding, 'landmarks', 'landmarks'),
          landmarksIn: job(finding, 'landmarksIn', 'landmarks'),
        },
    embedder: given.embedder
      ? timed(given.embedder, ['embed', 'embedIn'], 'embed', meter)
      : { ...DLIB_EMBEDDER, embed: job(cutting, 'embed', 'embed'), embedIn: job(cutting, 'embedIn', 'embed') },
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
