import { attentionMesh } from './attention-mesh.js'
import { blazeFace } from './blaze-face.js'
import { dlibEmbedder } from './dlib-embedder.js'
import type { ProgressMeter } from './progress.js'
import type { Embedder, FaceDetector, Landmarker } from './types.js'

/** What looks at frames during an extraction. */
export interface Networks extends AsyncDisposable {
  detector: FaceDetector
  landmarker: Landmarker
  embedder: Embedder
}

/** The given networks, the built-in ones where none is given, with their time counted. Disposes of the built-in ones. */
export async function loadNetworks(given: Partial<Networks>, meter: ProgressMeter): Promise<Networks> {
  const owned: AsyncDisposable[] = []
  const own = async <T extends AsyncDisposable>(made: Promise<T>): Promise<T> => {
    const value = await made
    owned.push(value)
    return value
  }
  const detector = given.detector ?? (await own(blazeFace()))
  const landmarker = given.landmarker ?? (await own(attentionMesh()))
  const embedder = given.embedder ?? (await own(dlibEmbedder()))
  return {
    detector: { name: detector.name, detect: (image) => meter.timed('detect', () => detector.detect(image)) },
    landmarker: {
      name: landmarker.name,
      landmarks: (image, region) => meter.timed('landmarks', () => landmarker.landmarks(image, region)),
    },
    embedder: {
      name: embedder.name,
      embed: (image, landmarks) => meter.timed('embed', () => embedder.embed(image, landmarks)),
    },
    async [Symbol.asyncDispose]() {
      for (const item of owned) await item[Symbol.asyncDispose]()
    },
  }
}
