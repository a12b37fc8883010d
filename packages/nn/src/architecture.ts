import type { OptionsOf, OptionTable, Side } from '@dfl/core'
import type { tf } from '@dfl/engine'

/** How a parameter starts: see `initialise`. */
export type Initialiser = 'glorot-uniform' | 'zeros' | 'ones'

/** Every parameter of a model: path → shape and initialiser. Paths read 'encoder/down1/conv/weight'. */
export type ParamSpec = Readonly<Record<string, { shape: readonly number[]; init: Initialiser }>>

/** The parameters themselves, by the paths of the `ParamSpec`. */
export type Params = Readonly<Record<string, tf.Tensor>>

/** What a decoder paints. */
export interface Decoded {
  /** [N, R, R, 3] float32 0..1, RGB. */
  face: tf.Tensor4D
  /** [N, R, R, 1] float32 0..1, 1 where the face is. */
  mask: tf.Tensor4D
}

/**
 * A face model: its parameters and one pure function.
 *
 * A swap is `forward(params, dst, 'src')`. The encoder may be computed once for several calls on the same `x`: the
 * engine records equal operations once.
 */
export interface FaceModel {
  /** Side R of the square images that go in and come out, in pixels. */
  resolution: number
  params: ParamSpec
  /**
   * `x` painted with the identity of `as`.
   *
   * @param x  [N, R, R, 3] float32 0..1, RGB.
   */
  forward(params: Params, x: tf.Tensor4D, as: Side): Decoded
  /** Paths of the parameters that learn in a phase; all of them if this is left out. */
  trainable?(phase: { randomWarp: boolean }): Iterable<string>
}

/** An architecture: a plain object that any package can export and `dfl.config.ts` can name. */
export interface ModelArchitecture<T extends OptionTable = OptionTable> {
  /** Name in kebab-case, as users type it. */
  name: string
  /** Where it comes from: paper, program, licence of the idea. */
  source: string
  options: T
  /** @throws DflError `BAD_OPTION` when the options do not fit together. */
  build(options: OptionsOf<T>): FaceModel
}
