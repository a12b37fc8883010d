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
    detector: { ...named(detector), detect: (image) => meter.timed('detect', () => detector.detect(image)) },
    landmarker: {
      ...named(landmarker),
      landmarks: (image, region) => meter.timed('landmarks', () => landmarker.landmarks(image, region)),
    },
    embedder: {
      ...named(embedder),
      embed: (image, landmarks) => meter.timed('embed', () => embedder.embed(image, landmarks)),
    },
    async [Symbol.asyncDispose]() {
      for (const item of owned) await item[Symbol.asyncDispose]()
    },
  }
}

/** What a network tells of itself. */
const named = ({ name, inputPx }: { name: string; inputPx?: number }) =>
  inputPx === undefined ? { name } : { name, inputPx }
