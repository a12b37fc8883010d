import type { Pixels } from '@dfl/core'
import { tf } from '@dfl/engine'
import { createSampler } from '@dfl/faceset'
import type { Loss } from '@dfl/nn'
import { createPainter, type ModelFolder } from '@dfl/trainer'
import type { Sides } from './option-run.js'
import { colourDistance, mean } from './option-samples.js'

/** Not learnt, only looked at: how much the targets vary from pixel to pixel around the face. */
export const aroundTheFace: Loss = {
  name: 'around',
  weight: 0,
  of({ target, mask }) {
    const [n, h, w] = target.shape
    const right = tf.slice(target, [0, 0, 1, 0], [n, h, w - 1, 3])
    const left = tf.slice(target, [0, 0, 0, 0], [n, h, w - 1, 3])
    const outside = tf.sub(1, tf.slice(mask, [0, 0, 0, 0], [n, h, w - 1, 1]))
    return tf.mean(tf.mul(tf.abs(tf.sub(right, left)), outside), [1, 2, 3])
  },
}

/** Faces of each side that are painted, spread over the clip. */
const FACES = 8

/** What a model paints of the same faces, beside the faces. */
export async function paintedMeasures(
  { model, state, description: { faceType } }: ModelFolder,
  sides: Sides,
): Promise<Record<string, number>> {
  const R = model.resolution
  await using sampler = await createSampler({
    ...{ ...sides, faceType, resolution: R, workers: 0, eyesMouth: true, randomWarp: false },
  })
  const batch = await sampler.previewBatch(FACES)
  await using painter = await createPainter(model, state, { batchSize: FACES, threads: 1 })
  const sums: Record<string, number[]> = {}
  const add = (name: string, value: number) => (sums[name] ??= []).push(value)
  for (const side of ['src', 'dst'] as const) {
    const { target, mask, eyesMouth } = batch[side]
    const cut = (data: Float32Array, i: number, channels: number) =>
      data.subarray(i * R * R * channels, (i + 1) * R * R * channels)
    const faces = Array.from(
      { length: FACES },
      (_, i): Pixels => ({ data: cut(target, i, 3), width: R, height: R, channels: 3 }),
    )
    const painted = await painter.paint(faces)
    painted.forEach((one, i) => {
      const face = faces[i]!.data
      const inside = cut(mask, i, 1)
      const outside = inside.map((value) => 1 - value)
      const [own, ownMask] = [one.face[side].data, one.mask[side].data]
      const parts = cut(eyesMouth!, i, 1)
      add('error inside', error(own, face, inside))
      add('error outside', error(own, face, outside))
      add('error of eyes and mouth', error(own, face, parts))
      add('error of the mask', mean(ownMask.map((value, k) => Math.abs(value - inside[k]!))))
      add('detail', detail(own, inside, R) / detail(face, inside, R))
      add('eyes and mouth, share', mean(parts))
      if (side === 'src') return
      const swap = one.face.src.data
      add("swap's colour from DST's", colourDistance(swap, face, inside))
      add("swap's surroundings from DST's", error(swap, face, outside))
      add('people differ', error(swap, own, inside))
    })
  }
  return Object.fromEntries(Object.entries(sums).map(([name, values]) => [name, mean(values)]))
}

/** Mean absolute difference of two [R, R, 3] pictures, weighed by [R, R]. */
function error(a: ArrayLike<number>, b: ArrayLike<number>, weights: ArrayLike<number>): number {
  let [sum, all] = [0, 0]
  for (let i = 0; i < weights.length; i++) {
    all += weights[i]!
    for (let c = 0; c < 3; c++) sum += (weights[i]! * Math.abs(a[3 * i + c]! - b[3 * i + c]!)) / 3
  }
  return sum / all
}

/** How much a [R, R, 3] picture varies from pixel to pixel against its neighbours, weighed by [R, R]. */
function detail(a: ArrayLike<number>, weights: ArrayLike<number>, R: number): number {
  let sum = 0
  for (let y = 1; y < R - 1; y++)
    for (let x = 1; x < R - 1; x++) {
      const i = y * R + x
      for (let c = 0; c < 3; c++) {
        const at = (k: number) => a[3 * k + c]!
        sum += weights[i]! * Math.abs(4 * at(i) - at(i - 1) - at(i + 1) - at(i - R) - at(i + R))
      }
    }
  return sum
}
