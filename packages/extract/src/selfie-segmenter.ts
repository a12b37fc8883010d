import type { Pixels, Raster } from '@dfl/core'
import { loadNetwork, tfliteToOnnx } from '@dfl/engine/networks'
import { resize } from '@dfl/image'
import { readPackageFile } from './package-files.js'
import type { Segmenter } from './types.js'

/** Side of the network's input and output. */
const SIDE = 256

/** What it tells of itself. */
export const SELFIE_SEGMENTER = { name: 'selfie-segmenter' }

/**
 * MediaPipe's selfie segmentation: people, with hair and what they wear, and not what is behind them. What people hold
 * before their faces, and their hands, are people too.
 *
 * Source: https://developers.google.com/ml-kit/vision/selfie-segmentation; weights Apache-2.0 out of
 * @mediapipe/selfie_segmentation.
 */
export async function selfieSegmenter(options: { threads?: number } = {}): Promise<Segmenter & AsyncDisposable> {
  const file = await readPackageFile('@mediapipe/selfie_segmentation', 'selfie_segmentation.tflite')
  const network = await loadNetwork(tfliteToOnnx(file), { threads: options.threads ?? 1 })
  const [input, output] = [network.inputNames[0]!, network.outputNames[0]!]
  return {
    ...SELFIE_SEGMENTER,
    async segment(image: Raster): Promise<Pixels> {
      const { data } = resize(image, { width: SIDE, height: SIDE })
      // Enlarging overshoots at edges.
      const inRange = data.map((value) => Math.min(1, Math.max(0, value)))
      const outputs = await network.run({ [input]: { data: inRange, shape: [1, SIDE, SIDE, 3] } })
      return { data: outputs[output]!.data as Float32Array, width: SIDE, height: SIDE, channels: 1 }
    },
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  }
}
