import type { FaceMeta, Landmarks, Pixels, Point, Raster } from '@dfl/core'
import { alignedPng } from '@dfl/faceset'
import type { FrameSamples } from '@dfl/media'
import { alignedImage, outlinedMask } from './align-faces.js'
import { attentionMesh } from './attention-mesh.js'
import { blazeFace } from './blaze-face.js'
import { dlibEmbedder } from './dlib-embedder.js'
import type { FaceRegion } from './types.js'

/** Cuts a face out of a frame. */
export interface CutJob {
  samples: FrameSamples
  face: Pick<FaceMeta, 'landmarks' | 'imageToFaceMat' | 'size'>
  /** In pixels of the frame. */
  outline: readonly Point[] | undefined
}

/** The file of a face's aligned image, and its mask if it has one of its own. */
export interface CutFace {
  /** A PNG file. */
  image: Uint8Array
  mask: Pixels | undefined
}

/** What can be done in a thread of its own: each takes and gives plain data. Networks are loaded when first needed. */
export function threadJobs() {
  const detector = once(() => blazeFace())
  const landmarker = once(() => attentionMesh())
  const embedder = once(() => dlibEmbedder())
  return {
    detect: async (image: Raster) => (await detector()).detect(image),
    detectIn: async (samples: FrameSamples, size: { width: number; height: number }) =>
      (await detector()).detectIn!(samples, size),
    landmarks: async (image: Raster, region: FaceRegion) => (await landmarker()).landmarks(image, region),
    landmarksIn: async (samples: FrameSamples, region: FaceRegion) =>
      (await landmarker()).landmarksIn!(samples, region),
    embed: async (image: Raster, landmarks: Landmarks) => (await embedder()).embed(image, landmarks),
    embedIn: async (samples: FrameSamples, landmarks: Landmarks) => (await embedder()).embedIn!(samples, landmarks),
    cut: async ({ samples, face, outline }: CutJob): Promise<CutFace> => ({
      image: await alignedPng(alignedImage(samples, face)),
      mask: outlinedMask(outline, face),
    }),
    async [Symbol.asyncDispose]() {
      for (const network of [detector, landmarker, embedder])
        if (network.made) await (await network())[Symbol.asyncDispose]()
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
