import { type Expression, type HeadModel, headModel, MATERIAL } from './head-model.js'

/** 68 points of a plain face from the front: x to the head's own left and y up, in cm. Made symmetric below. */
const HALF_FACE: Readonly<Record<number, readonly [x: number, y: number]>> = {
  ...{ 0: [-6.4, 0.4], 1: [-6.4, -1.5], 2: [-6.2, -3.2], 3: [-5.8, -4.9], 4: [-5, -6.5], 5: [-3.9, -7.8] },
  ...{ 6: [-2.7, -8.7], 7: [-1.3, -9.2], 8: [0, -9.4] },
  ...{ 17: [-5.2, 1.7], 18: [-4.3, 2.3], 19: [-3.3, 2.5], 20: [-2.2, 2.4], 21: [-1.1, 2.1] },
  ...{ 27: [0, 0.5], 28: [0, -0.6], 29: [0, -1.7], 30: [0, -2.7] },
  ...{ 31: [-1.3, -3.7], 32: [-0.6, -3.8], 33: [0, -3.9] },
  ...{ 36: [-4.3, 0.1], 37: [-3.6, 0.7], 38: [-2.5, 0.7], 39: [-1.8, 0], 40: [-2.5, -0.4], 41: [-3.6, -0.4] },
  ...{ 48: [-2.5, -6], 49: [-1.6, -5.5], 50: [-0.7, -5.2], 51: [0, -5.3] },
  ...{ 57: [0, -6.7], 58: [-0.9, -6.6], 59: [-1.8, -6.4] },
  ...{ 60: [-2.2, -6], 61: [-0.9, -5.85], 62: [0, -5.85], 66: [0, -6.1], 67: [-0.9, -6.1] },
}

/** Landmarks that mirror each other. */
const MIRRORED: readonly (readonly [left: number, right: number])[] = [
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((i) => [i, 16 - i] as const),
  ...[17, 18, 19, 20, 21].map((i) => [i, 43 - i] as const),
  ...([
    [31, 35],
    [32, 34],
    [36, 45],
    [37, 44],
    [38, 43],
    [39, 42],
    [40, 47],
    [41, 46],
  ] as const),
  ...([
    [48, 54],
    [49, 53],
    [50, 52],
    [59, 55],
    [58, 56],
    [60, 64],
    [61, 63],
    [67, 65],
  ] as const),
]

const ROWS = 72
const COLUMNS = 72
/** Half axes of the head. */
const SIZE = [7, 11, 8.5] as const
const MOUTH_Y = -5.97
const EYE = { x: 3.05, y: 0.12, width: 1.2, height: 0.6 }

/**
 * A small head of formulas, for tests: an egg with nose, eyes, brows and lips painted on, a jaw that opens, lids that
 * close, and `people` who differ in the width of the jaw, the length of the face and the nose.
 */
export function proceduralHead(people = 4): HeadModel {
  const grid = eggGrid()
  const points = landmarkPoints()
  const rest = Float32Array.from([...grid.rest, ...points.flatMap(([x, y]) => [x, y, surfaceZ(x, y)])])
  const identities = Array.from({ length: people }, (_, person) => identityOf(rest, person))
  return headModel({
    rest,
    identities,
    ...trianglesOf(grid.rest),
    expressions: expressionsOf(rest),
    landmarks: points.map((_, i) => grid.rest.length / 3 + i),
  })
}

function landmarkPoints(): [number, number][] {
  const out: [number, number][] = Array.from({ length: 68 }, () => [0, 0])
  for (const [i, [x, y]] of Object.entries(HALF_FACE)) out[Number(i)] = [x, y]
  for (const [left, right] of MIRRORED) out[right] = [-out[left][0], out[left][1]]
  return out
}

/** Vertices from pole to pole; the seam is at the back. */
function eggGrid() {
  const rest: number[] = []
  for (let row = 0; row <= ROWS; row++)
    for (let column = 0; column <= COLUMNS; column++) {
      const polar = (Math.PI * row) / ROWS
      const around = (2 * Math.PI * column) / COLUMNS - Math.PI
      const x = SIZE[0] * Math.sin(polar) * Math.sin(around)
      const y = SIZE[1] * Math.cos(polar)
      const z = SIZE[2] * Math.sin(polar) * Math.cos(around)
      rest.push(x, y, z + (z > 0 ? noseAt(x, y) : 0))
    }
  return { rest }
}

const noseAt = (x: number, y: number) =>
  2.2 *
  Math.exp(-((x / 1.1) ** 2)) *
  (y > -2.9 ? Math.exp(-(((y + 2.7) / 2.4) ** 2)) : Math.exp(-(((y + 2.7) / 0.8) ** 2)))

const surfaceZ = (x: number, y: number) =>
  SIZE[2] * Math.sqrt(Math.max(0, 1 - (x / SIZE[0]) ** 2 - (y / SIZE[1]) ** 2)) + noseAt(x, y)

function trianglesOf(rest: readonly number[]) {
  const triangles: number[] = []
  const materials: number[] = []
  const add = (a: number, b: number, c: number) => {
    const mean = (axis: number) => (rest[3 * a + axis] + rest[3 * b + axis] + rest[3 * c + axis]) / 3
    triangles.push(a, b, c)
    materials.push(materialAt(mean(0), mean(1), mean(2)))
  }
  for (let row = 0; row < ROWS; row++)
    for (let column = 0; column < COLUMNS; column++) {
      const a = row * (COLUMNS + 1) + column
      const c = a + COLUMNS + 1
      add(a, c, a + 1)
      add(a + 1, c, c + 1)
    }
  return { triangles: Uint16Array.from(triangles), materials: Uint8Array.from(materials) }
}

function materialAt(x: number, y: number, z: number): number {
  if (z < 0) return MATERIAL.backOfHead
  if (Math.abs(y - MOUTH_Y) < 0.25 && Math.abs(x) < 1.9) return MATERIAL.mouthSocket
  const aside = Math.abs(x) - EYE.x
  if ((aside / EYE.width) ** 2 + ((y - EYE.y) / EYE.height) ** 2 > 1) return MATERIAL.face
  const iris = aside ** 2 + (y - EYE.y) ** 2 < 0.62 ** 2
  if (x > 0) return iris ? MATERIAL.leftIris : MATERIAL.leftSclera
  return iris ? MATERIAL.rightIris : MATERIAL.rightSclera
}

function identityOf(rest: Float32Array, person: number): Float32Array {
  const jaw = 1 + 0.07 * Math.sin(2.1 * person)
  const length = 1 + 0.06 * Math.cos(1.3 * person + 0.9)
  const nose = 1 + 0.25 * Math.sin(3.7 * person + 0.4)
  const out = new Float32Array(rest.length)
  for (let i = 0; i < rest.length; i += 3) {
    const [x, y, z] = [rest[i], rest[i + 1], rest[i + 2]]
    const low = 1 / (1 + Math.exp((y + 3.5) / 1.2))
    out[i] = x * (1 + (jaw - 1) * low)
    out[i + 1] = y * length
    out[i + 2] = z + (z > 0 ? (nose - 1) * noseAt(x, y) : 0)
  }
  return out
}

/** Expressions as formulas of the place. */
function expressionsOf(rest: Float32Array): Record<string, Expression> {
  const near = (v: number, centre: number, width: number) => Math.exp(-(((v - centre) / width) ** 2))
  const lid = (side: number) => (x: number, y: number, z: number) => {
    const inside = z > 0 && Math.abs(x - side * EYE.x) < 1.6 && Math.abs(y - EYE.y) < 0.9
    // The upper lid comes down onto the lower one.
    return [0, inside && y > -0.35 ? 0.95 * (-0.35 - y) * near(y, EYE.y, 1) : 0, 0]
  }
  const corner = (side: number) => (x: number, y: number, z: number) => {
    const amount = z > 0 ? near(x, side * 2.4, 1) * near(y, -6, 1.2) : 0
    return [side * 0.5 * amount, 0.6 * amount, 0]
  }
  const formulas: Record<string, (x: number, y: number, z: number) => readonly number[]> = {
    jawOpen: (x, y, z) => [0, z > -2 && y < MOUTH_Y ? -2.6 * near(x, 0, 5) : 0, 0],
    eyeBlink_L: lid(1),
    eyeBlink_R: lid(-1),
    mouthSmile_L: corner(1),
    mouthSmile_R: corner(-1),
    browInnerUp_L: (x, y, z) => [0, z > 0 && x > 0 ? 0.7 * near(y, 2.2, 1.2) : 0, 0],
    browInnerUp_R: (x, y, z) => [0, z > 0 && x < 0 ? 0.7 * near(y, 2.2, 1.2) : 0, 0],
  }
  return Object.fromEntries(
    Object.entries(formulas).map(([name, of]) => {
      const vertices: number[] = []
      const offsets: number[] = []
      for (let i = 0; i < rest.length; i += 3) {
        const offset = of(rest[i], rest[i + 1], rest[i + 2])
        if (Math.hypot(...offset) < 1e-3) continue
        vertices.push(i / 3)
        offsets.push(...offset)
      }
      return [name, { vertices: Uint16Array.from(vertices), offsets: Float32Array.from(offsets) }]
    }),
  )
}
