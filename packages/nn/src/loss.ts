import type { tf } from '@dfl/engine'
import type { Decoded, FaceModel, ParamSpec, Params } from './architecture.js'

/** Which parameters learn from what a loss does with a painted face. */
export type Learning = 'all' | 'decoders' | 'nothing'

/** One side of a batch and what the model makes of it: all that a loss sees. */
export interface SideView {
  /** 'src', 'dst', or one of the model's further people. */
  readonly side: string
  /** R in pixels. */
  readonly resolution: number
  /** [N, R, R, 3] float32 0..1: what the model must paint. */
  readonly target: tf.Tensor4D
  /** [N, R, R, 1] float32 0..1: where the face is. */
  readonly mask: tf.Tensor4D
  /** The mask with a soft edge pushed outwards; nothing where training looks beyond it, too. */
  readonly outline: tf.Tensor4D | undefined
  /** The target painted from its warped image, as itself. */
  readonly painted: Decoded
  /** An image cut out along the outline; the image itself where there is none. */
  inside(x: tf.Tensor4D): tf.Tensor4D
  /** A further input of the batch that the loss named in `inputs`: 'eyesMouth'. */
  input(name: string): tf.Tensor4D
  /** This side's performance with an identity. */
  paint(as: string, learning: Learning): Decoded
  /** The first tensor of the model's code of this side's performance: [N, ...codeShape]. */
  code(learning: Learning): tf.Tensor4D
}

/** Both sides of a batch, and the model's further people by their names. */
export type Views = Readonly<Record<string, SideView> & Record<'src' | 'dst', SideView>>

/** A network that learns to tell what a model paints from what is real, while the model learns to deceive it. */
export interface Critic {
  params: ParamSpec
  /** What it is trained for, one number for each sample: [N]. Take faces with `paint(…, 'nothing')`. */
  loss(params: Params, views: Views): tf.Tensor
}

/**
 * A loss as data: a name, a weight, and a small pure function.
 *
 * Recipes are lists of them. One of your own needs no more than
 * `{ name: 'brightness', weight: 1, of: ({ target, painted }) => … }`.
 */
export interface Loss {
  /** One word for logs; where it has a critic, the first part of the critic's parameter paths. */
  name: string
  weight: number
  /** The only side that it looks at; both if it is left out. */
  side?: string
  /** Inputs that a batch must have besides `warped`, `target` and `mask`. */
  inputs?: readonly string[]
  /** One number for each sample: [N]. */
  of(view: SideView, critic: Params): tf.Tensor
  critic?: Critic
}

/** What a list of losses is made for: DeepFaceLab's settings, and what they need to know of the model. */
export interface LossSettings extends Pick<FaceModel, 'resolution' | 'codeShape'> {
  maskedTraining: boolean
  eyesMouthPrio: number
  faceStylePower: number
  bgStylePower: number
  trueFacePower: number
  ganPower: number
  ganPatchSize: number
  ganDims: number
}
