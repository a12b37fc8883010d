import { exportOnnx, type State, tf } from '@dfl/engine'
import type { Controls, FaceModel } from './architecture.js'
import { halfWeights } from './half-weights.js'

/** How a model is exported. */
export interface DfmOptions {
  /** Weights as float16: half the size. They are widened when the file is loaded; everything is computed in float32. */
  half?: boolean
}

/**
 * A trained model as a file that other programs run: DeepFaceLive's `.dfm`, or `XSeg_model.onnx` of one that finds masks.
 *
 * In: `in_face:0` [1, R, R, 3] float32 0..1, BGR, and `morph_value:0` [1] where the model has that control. Out:
 * `out_face_mask:0` [1, R, R, 1], DST's mask; `out_celeb_face:0` [1, R, R, 3], the swap, BGR; `out_celeb_face_mask:0`
 * [1, R, R, 1], its mask. A mask model gives `out_mask:0` alone. ONNX's operator set 12, as programs of 2021 know it.
 */
export function exportDfm(model: FaceModel, state: State, { half = false }: DfmOptions = {}): Uint8Array {
  const R = model.resolution
  const morph = model.controls?.morph
  const bytes = exportOnnx(
    (params, { 'in_face:0': bgr, 'morph_value:0': value }): { outputs: Record<string, tf.Tensor> } => {
      const x = tf.reverse(bgr as tf.Tensor4D, 3)
      const code = model.encode(params, x)
      if (model.paints === 'masks') return { outputs: { 'out_mask:0': model.decode(params, code, 'dst').mask } }
      const controls: Controls = morph ? { morph: morph.at(tf.reshape(value!, [])) } : {}
      const swap = model.decode(params, code, 'src', controls)
      return {
        outputs: {
          'out_face_mask:0': model.decode(params, code, 'dst', controls).mask,
          'out_celeb_face:0': tf.reverse(swap.face, 3),
          'out_celeb_face_mask:0': swap.mask,
        },
      }
    },
    {
      state: Object.fromEntries(Object.entries(model.params).map(([path, { shape }]) => [path, shape])),
      inputs: { 'in_face:0': [1, R, R, 3], ...(morph && model.paints !== 'masks' ? { 'morph_value:0': [1] } : {}) },
    },
    { state, opset: 12 },
  )
  return half ? halfWeights(bytes) : bytes
}
