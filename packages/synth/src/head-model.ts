import type { Point } from '@dfl/core'
import { type DistanceMaps, distanceMaps } from './distance-maps.js'

/** What a triangle of a head is made of. */
export const MATERIAL = {
  face: 0,
  backOfHead: 1,
  gums: 2,
  teeth: 3,
  leftSclera: 4,
  leftIris: 5,
  rightSclera: 6,
  rightIris: 7,
  lashes: 8,
  mouthSocket: 9,
  eyeSocket: 10,
} as const

/** How some vertices move when an expression is at its full strength. */
export interface Expression {
  /** [n] which vertices. */
  vertices: Uint16Array
  /** [3·n] by how much, in cm. */
  offsets: Float32Array
}

/** The geometry of heads that share one mesh. Lengths in cm: x to the head's own left, y up, z out of the face. */
export interface HeadGeometry {
  /** [3·V] the mean head at rest: what skin, lips and hair are painted on. */
  rest: Float32Array
  /** [3·V] for each person. */
  identities: readonly Float32Array[]
  /** By ARKit's names with _L and _R for the head's own sides: 'jawOpen', 'eyeBlink_L'. */
  expressions: Readonly<Record<string, Expression>>
  /** [3·T] vertices of each triangle, counterclockwise as seen from outside. */
  triangles: Uint16Array
  /** [T] one of `MATERIAL`. */
  materials: Uint8Array
  /** [68] vertices in iBUG 300-W order. */
  landmarks: readonly number[]
}

/** Heads that can be rendered: geometry, and where on it the skin changes colour. */
export interface HeadModel extends HeadGeometry {
  /** The landmarks of the mean head, seen from the front: x, y and z in cm. */
  marks: readonly (readonly [x: number, y: number, z: number])[]
  /** Centres of the irises of the mean head. */
  irises: { left: Point; right: Point }
  maps: DistanceMaps
}

/** A head model of a geometry: measures once what painting asks for at every pixel. */
export function headModel(geometry: HeadGeometry): HeadModel {
  const { rest, landmarks } = geometry
  const marks = landmarks.map((v) => [rest[3 * v], rest[3 * v + 1], rest[3 * v + 2]] as const)
  return {
    ...geometry,
    marks,
    irises: { left: centreOf(geometry, MATERIAL.leftIris), right: centreOf(geometry, MATERIAL.rightIris) },
    maps: distanceMaps(marks.map(([x, y]) => [x, y])),
  }
}

function centreOf({ rest, triangles, materials }: HeadGeometry, material: number): Point {
  let [x, y, n] = [0, 0, 0]
  for (let t = 0; t < materials.length; t++) {
    if (materials[t] !== material) continue
    for (let k = 3 * t; k < 3 * t + 3; k++) {
      x += rest[3 * triangles[k]]
      y += rest[3 * triangles[k] + 1]
      n++
    }
  }
  return n === 0 ? [0, 0] : [x / n, y / n]
}

/** Which person: the number of one, or how much of each; mixtures may go beyond the people that they are made of. */
export type Identity = number | Readonly<Record<number, number>>

/**
 * The vertices of a head, [3·V] in cm.
 *
 * @param expression Strengths 0..1 by name; names that the model lacks are left out.
 */
export function shapeOf(
  model: HeadGeometry,
  identity: Identity,
  expression: Readonly<Record<string, number>> = {},
): Float32Array {
  const out = identityShape(model, identity)
  for (const [name, strength] of Object.entries(expression)) {
    const found = model.expressions[name]
    if (!found || strength === 0) continue
    const { vertices, offsets } = found
    for (let i = 0; i < vertices.length; i++) {
      const at = 3 * vertices[i]
      out[at] += strength * offsets[3 * i]
      out[at + 1] += strength * offsets[3 * i + 1]
      out[at + 2] += strength * offsets[3 * i + 2]
    }
  }
  return out
}

/** The vertices of a head whose eyeballs stand `cm` further out: lids that close leave more of them to be seen. */
export function eyesForward({ triangles, materials }: HeadGeometry, shape: Float32Array, cm: number): Float32Array {
  const out = Float32Array.from(shape)
  const { leftSclera, rightIris } = MATERIAL
  const moved = new Set<number>()
  for (let t = 0; t < materials.length; t++)
    if (materials[t] >= leftSclera && materials[t] <= rightIris)
      for (let k = 3 * t; k < 3 * t + 3; k++) moved.add(triangles[k])
  for (const vertex of moved) out[3 * vertex + 2] += cm
  return out
}

function identityShape({ identities, rest }: HeadGeometry, identity: Identity): Float32Array {
  if (typeof identity === 'number') return Float32Array.from(identities[identity])
  const out = new Float32Array(rest.length)
  for (const [person, weight] of Object.entries(identity)) {
    if (weight === 0) continue
    const shape = identities[Number(person)]
    for (let i = 0; i < out.length; i++) out[i] += weight * shape[i]
  }
  return out
}
