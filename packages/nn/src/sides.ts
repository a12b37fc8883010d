import { tf } from '@dfl/engine'
import type { Code, FaceModel, Params } from './architecture.js'

/** All whom a model paints: 'src', 'dst', and its further people. */
export const sidesOf = ({ people = [] }: Pick<FaceModel, 'people'>): readonly string[] => ['src', 'dst', ...people]

/**
 * The codes of several sides, from one pass of `encode` over the faces of all of them.
 *
 * @param faces  [N, R, R, 3] float32 0..1 of each side, as many of one as of the other.
 */
export function encodeTogether(
  model: Pick<FaceModel, 'encode'>,
  params: Params,
  faces: Readonly<Record<string, tf.Tensor4D>>,
): Record<string, Code> {
  const sides = Object.keys(faces)
  const code = model.encode(params, tf.concat(Object.values(faces)))
  const parts = code.map((tensor) => tf.split(tensor, sides.length))
  return Object.fromEntries(sides.map((side, i) => [side, parts.map((part) => part[i]!)]))
}
