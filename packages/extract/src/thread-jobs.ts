import type { Landmarks, Raster } from '@dfl/core'
import type { FrameSamples } from '@dfl/media'
import { blazeFace } from './blaze-face.js'
import { type CutFace, type CutJob, cutFace } from './cut-face.js'
import { dlibEmbedder } from './dlib-embedder.js'
import { faceLandmarker } from './face-landmarker.js'
import { selfieSegmenter } from './selfie-segmenter.js'
import type { FaceRegion } from './types.js'

/**
 * What can be done in a thread of its own: each takes and gives plain data. Networks are loaded when first needed, or ahead
 * of that with `load`; one that cannot be loaded says so to whoever needs it.
 */
export function threadJobs() {
  const networks = {
    detector: once(() => blazeFace()),
    landmarker: once(() => faceLandmarker()),
    embedder: once(() => dlibEmbedder()),
    segmenter: once(() => selfieSegmenter()),
  }
  const { detector, landmarker, embedder, segmenter } = networks
  return {
    load: async (names: readonly (keyof typeof networks)[]) => {
      // One is made ready in native code while the next is read.
      await Promise.allSettled(names.map((name) => networks[name]()))
    },
    detect: async (image: Raster) => (await detector()).detect(image),
    detectIn: async (samples: FrameSamples, size: { width: number; height: number }) =>
      (await detector()).detectIn!(samples, size),
    landmarks: async (image: Raster, region: FaceRegion) => (await landmarker()).landmarks(image, region),
    landmarksIn: async (samples: FrameSamples, region: FaceRegion) =>
      (await landmarker()).landmarksIn!(samples, region),
    embed: async (image: Raster, landmarks: Landmarks) => (await embedder()).embed(image, landmarks),
    embedIn: async (samples: FrameSamples, landmarks: Landmarks) => (await embedder()).embedIn!(samples, landmarks),
    cut: (job: CutJob): Promise<CutFace> => cutFace(job, segmenter),
    async [Symbol.asyncDispose]() {
      for (const network of Object.values(networks)) if (network.made) await (await network())[Symbol.asyncDispose]()
    },
  }
}

/** The jobs by name. */
export type ThreadJobs = ReturnType<typeof threadJobs>

/** The result of `make`, which is called the first time only. */
function once<T>(make: () => Promise<T>) {
  let promise: Promise<T> | undefined
  const get = () => {
    get.made = true
    return (promise ??= make())
  }
  get.made = false
  return get
}
