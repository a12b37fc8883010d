import type { OptionsOf, OptionTable, Random } from '@dfl/core'
import type { tf } from '@dfl/engine'
import type { Loss, LossSettings } from './loss.js'

/** How a parameter starts: see `initialise`. */
export type Initialiser = 'glorot-uniform' | 'zeros' | 'ones' | { constant: number }

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
 * What a model knows of faces before it is told whom to paint: tensors of its own choice, each with a row for every face.
 */
export type Code = readonly tf.Tensor[]

/** Something about a face that a person chooses when faces are painted and that is drawn by lot in training. */
export interface Control {
  description: string
  /** What is painted with where nothing is chosen. */
  default: number
  min: number
  max: number
  /** Shape of one sample's values, as `decode` gets them behind the batch axis. */
  shape: readonly number[]
  /** Values of one sample in training; the same for the same random numbers. */
  draw(random: Random): ArrayLike<number>
  /** The values that a chosen number stands for: a scalar → [1, ...shape] float32. */
  at(value: tf.Tensor): tf.Tensor
}

/** Values of controls for `decode`, each [N or 1, ...shape] float32; the defaults where one is left out. */
export type Controls = Readonly<Record<string, tf.Tensor>>

/**
 * A face model: its parameters and two pure functions.
 *
 * A swap is `decode(params, encode(params, dst), 'src')`. A train step encodes the faces of all people in one batch, and a
 * face that is painted as several people is encoded once. What belongs to one person is `decode`'s; a model that shares
 * nothing encodes `x` as `[x]`.
 */
export interface FaceModel {
  /** Side R of the square images that go in and come out, in pixels. */
  resolution: number
  params: ParamSpec
  /**
   * What all people have in common.
   *
   * @param x  [N, R, R, 3] float32 0..1, RGB.
   * @returns Tensors whose first axis is N, whatever they are.
   */
  encode(params: Params, x: tf.Tensor4D): Code
  /** Faces of a code painted with the identity of `as`: 'src', 'dst', or one of `people`. */
  decode(params: Params, code: Code, as: string, controls?: Controls): Decoded
  /** Further people whom it learns to paint beside SRC and DST, each from a faceset of its own. */
  people?: readonly string[]
  /** Paths of the parameters that learn in a phase; all of them if this is left out. */
  trainable?(phase: { randomWarp: boolean }): Iterable<string>
  /** What `decode` can be told besides the face, by name. */
  controls?: Readonly<Record<string, Control>>
  /** Shape of a face's first tensor in the code, for losses that compare people there: true face asks for it. */
  codeShape?: readonly [side: number, side: number, channels: number]
  /** What it is trained for, if not for `faceLosses`. */
  losses?(settings: LossSettings): readonly Loss[]
  /** 'masks' for a network that finds faces and paints none: both people are one to it, and `face` is its input. */
  paints?: 'people' | 'masks'
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
