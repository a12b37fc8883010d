import { Random } from '@dfl/core'
import { projectPoints } from './in-picture.js'
import type { Color } from './look.js'
import type { RenderedHead } from './render-head.js'
import type { Scene } from './scene.js'

/** Hair of a head as strands, which fall from a skull that is taken to be an ellipsoid. Lengths in cm of the mean head. */
export interface Hair {
  color: Color
  strands: number
  /** How far a strand goes. */
  lengthCm: number
  /** How far hair stands off at its root, is combed back, and forward over the forehead; about 0..1 each. */
  lift: number
  back: number
  fringe: number
  /** How far in front of the skull's middle hair from above may hang beside the face. */
  hangsToCm: number
  /** Share of the strands that grow from cheeks and chin. */
  beard: number
  seed: number
}

/** The skull that strands grow on: its middle and half its lengths. */
const SKULL = { x: 0, y: 4.6, z: 0.4 }
const RADII = { x: 8.1, y: 9.6, z: 10 }

/** Between two points of a strand, and how wide it is drawn. */
const STEP_CM = 0.8
const WIDTH_CM = 0.22

interface Vector {
  x: number
  y: number
  z: number
}

/** Draws hair over a head, and behind it where only the far side has any; the mask then covers the hair, too. */
export function drawHair({ image, mask }: RenderedHead, hair: Hair, scene: Scene): void {
  const random = new Random(hair.seed)
  const strands = Array.from({ length: hair.strands }, () =>
    random.chance(hair.beard) ? beardStrand(random) : scalpStrand(hair, random),
  )
  const picture = projectPoints(strands.flat(), scene)
  const middleCm = projectPoints([SKULL], scene).depthCm[0]
  const head = Uint8Array.from(mask.data)
  let at = 0
  for (const strand of strands) {
    const shade = random.uniform(0.45, 1.15)
    const color = hair.color.map((v) => Math.min(255, v * shade))
    for (let k = at; k + 1 < at + strand.length; k++) {
      // What is farther away than the middle of the skull is hidden by the head.
      const isNear = picture.depthCm[k] < middleCm + 1
      picture.line(k, k + 1, WIDTH_CM, (pixel) => {
        if (!isNear && head[pixel] > 128) return
        mask.data[pixel] = 255
        image.data.set(color, 3 * pixel)
      })
    }
    at += strand.length
  }
}

/** A strand from the scalp: it stands off, is combed, and falls. */
function scalpStrand({ lengthCm, lift, back, fringe, hangsToCm }: Hair, random: Random): Vector[] {
  const root = rootOf(random)
  const isFront = root.z > 4
  let at = root
  let way = direction({
    x: lift * (root.x - SKULL.x) * 0.1 + 0.15 * random.normal(),
    y: lift * (root.y - SKULL.y) * 0.1 - 0.2,
    z: lift * (root.z - SKULL.z) * 0.1 + (isFront ? fringe : 0) - back + 0.15 * random.normal(),
  })
  const out = [root]
  const most = (isFront && fringe > back ? 0.4 : 1) * lengthCm * random.uniform(0.75, 1.1)
  for (let gone = 0; gone < most; gone += STEP_CM) {
    way = direction({ x: way.x, y: way.y - 0.22, z: way.z })
    at = outside({ x: at.x + STEP_CM * way.x, y: at.y + STEP_CM * way.y, z: at.z + STEP_CM * way.z })
    if (at.z > hangsToCm && at.y < (fringe > 0 ? 5 : 9)) break
    out.push(at)
  }
  return out
}

/** A place of the scalp, evenly over the part of the skull that hair grows on. */
function rootOf(random: Random): Vector {
  for (;;) {
    const way = direction({ x: random.normal(), y: random.normal(), z: random.normal() })
    const root = { x: SKULL.x + RADII.x * way.x, y: SKULL.y + RADII.y * way.y, z: SKULL.z + RADII.z * way.z }
    const hairline = root.z > 4 ? 10.2 : root.z > 0 ? 6 : root.z > -4 ? 2 : -4
    if (root.y > hairline) return root
  }
}

/** A short strand from jaw or chin. */
function beardStrand(random: Random): Vector[] {
  const side = random.uniform(-1, 1)
  const across = Math.abs(side)
  // Along the jaw, from the chin to below the ear.
  const root = {
    x: 6.9 * side ** 3 + 1.2 * side,
    y: -7 + 7 * across ** 2 + random.uniform(-0.5, 2),
    z: 10.4 - 5.5 * across,
  }
  const length = random.uniform(0.8, 3)
  return [root, { x: root.x * 1.04, y: root.y - length, z: root.z + 0.25 * length }]
}

/** The point, or the nearest one on the way out of the skull. */
function outside(p: Vector): Vector {
  const [x, y, z] = [(p.x - SKULL.x) / RADII.x, (p.y - SKULL.y) / RADII.y, (p.z - SKULL.z) / RADII.z]
  const far = Math.hypot(x, y, z)
  if (far >= 1.03) return p
  const by = 1.03 / far
  return { x: SKULL.x + RADII.x * x * by, y: SKULL.y + RADII.y * y * by, z: SKULL.z + RADII.z * z * by }
}

function direction({ x, y, z }: Vector): Vector {
  const length = Math.hypot(x, y, z) || 1
  return { x: x / length, y: y / length, z: z / length }
}
