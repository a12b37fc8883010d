import { DflError, type Pixels } from '@dfl/core'
import { compile, type State, type tf } from '@dfl/engine'
import type { FaceModel } from '@dfl/nn'

/** A trained XSeg at work. */
export interface Masker extends AsyncDisposable {
  readonly resolution: number
  /**
   * Masks of faces: [R, R, 1] float32 0..1 each, soft; what the model hardly believes in, less than 0.1, is 0.
   *
   * @param faces  [R, R, 3] float32 0..1 each.
   */
  find(faces: readonly Pixels[]): Promise<Pixels[]>
}

/** Below this a pixel is no face. As in DeepFaceLab. */
const DOUBT = 0.1

/** A masker with the present weights of a state. */
export async function createMasker(
  model: FaceModel,
  state: State,
  { batchSize = 4, threads }: { batchSize?: number; threads?: number } = {},
): Promise<Masker> {
  const R = model.resolution
  const shapes = Object.fromEntries(Object.entries(model.params).map(([path, { shape }]) => [path, shape]))
  const compiled = await compile(
    (params, { x }) => ({
      outputs: { mask: model.decode(params, model.encode(params, x as tf.Tensor4D), 'dst').mask },
    }),
    { state: shapes, inputs: { x: [batchSize, R, R, 3] } },
    { threads, freeze: state },
  )
  const findBatch = async (faces: readonly Pixels[]): Promise<Pixels[]> => {
    const x = new Float32Array(batchSize * R * R * 3)
    faces.forEach((face, i) => {
      if (face.width !== R || face.height !== R || face.channels !== 3)
        throw new DflError(
          'BAD_SHAPE',
          `Expected [${R}, ${R}, 3] for \`faces\`, but got [${face.height}, ${face.width}, ${face.channels}]. Cut faces at the model's resolution.`,
        )
      x.set(face.data, i * R * R * 3)
    })
    const data = (await compiled.run(undefined, { x })).mask!.data as Float32Array
    return faces.map((_, i) => ({
      data: data.slice(i * R * R, (i + 1) * R * R).map((v) => (v < DOUBT ? 0 : v)),
      width: R,
      height: R,
      channels: 1,
    }))
  }
  return {
    resolution: R,
    async find(faces) {
      const out: Pixels[] = []
      for (let i = 0; i < faces.length; i += batchSize) out.push(...(await findBatch(faces.slice(i, i + batchSize))))
      return out
    },
    [Symbol.asyncDispose]: () => compiled[Symbol.asyncDispose](),
  }
}
