import { type Landmarks, Random } from '@dfl/core'
import { eyesForward, type HeadModel, shapeOf } from './head-model.js'
import { renderHead } from './render-head.js'
import type { Scene } from './scene.js'
import { startHead } from './start-heads.js'
import { drawHair, type Hair } from './strands.js'
import { type Cloth, drawCloth, drawGlasses, type Glasses } from './worn.js'

/** A head to learn profiles from. */
export interface ProfileHead {
  sizePx: number
  /** [sizePx, sizePx] luma of the picture, and 255 where head, hair or clothes are. */
  luma: Uint8Array
  mask: Uint8Array
  /** In pixels of the picture, those that are hidden, too. */
  landmarks: Landmarks
  /** -180..180; above 0 it looks to the right in the picture. */
  yawDegrees: number
}

/** How much of a head the picture shows, from edge to edge. */
const VIEW_CM = 29

/**
 * The n-th head that landmarks of profiles are learnt from: any of `START_PEOPLE` or a mixture, any expression, look, hair,
 * glasses, clothes and light, seen from any side, most often from its left.
 *
 * @param sizePx Side of the square picture, which shows about 29 cm.
 */
export function profileHead(model: HeadModel, n: number, sizePx = 176): ProfileHead {
  const random = new Random(510_000 + n)
  const { head, expression, scene: usual } = startHead(4_000_000 + n, sizePx)
  const scene = randomView(random, usual)
  const shape = eyesForward(model, shapeOf(model, head.identity, expression), head.eyesForwardCm)
  const rendered = renderHead(model, shape, { look: head.look, scene })
  const glasses = randomGlasses(random)
  const cloth = randomCloth(random)
  const hair = randomHair(random, head.look.hair)
  if (cloth) drawCloth(rendered, cloth, scene)
  if (hair) drawHair(rendered, hair, scene)
  if (glasses) drawGlasses(rendered, glasses, { scene, marks: model.marks })
  const { image, mask, landmarks } = rendered
  const luma = new Uint8Array(sizePx * sizePx)
  for (let i = 0; i < luma.length; i++)
    luma[i] = 0.299 * image.data[3 * i] + 0.587 * image.data[3 * i + 1] + 0.114 * image.data[3 * i + 2] + 0.5
  const { yawDegrees } = scene.pose
  return {
    sizePx,
    luma,
    mask: Uint8Array.from(mask.data),
    landmarks,
    yawDegrees: yawDegrees > 180 ? yawDegrees - 360 : yawDegrees,
  }
}

/** Most are profiles; the rest is what must be told from them. */
function randomYaw(random: Random): number {
  const kind = random.uniform()
  if (kind < 0.74) return random.uniform(48, 106)
  if (kind < 0.82) return random.uniform(-35, 48)
  if (kind < 0.9) return random.uniform(120, 240)
  return random.uniform(-120, -45)
}

function randomView(random: Random, usual: Scene): Scene {
  const yawDegrees = randomYaw(random)
  const pitchDegrees = Math.max(-30, Math.min(30, 11 * random.normal()))
  const distanceCm = random.chance(0.3) ? random.uniform(38, 75) : random.uniform(75, 300)
  const around = random.uniform(-2.6, 2.6)
  return {
    ...usual,
    pose: { yawDegrees, pitchDegrees, rollDegrees: 6 * random.normal() },
    distanceCm,
    fovDegrees: (2 * Math.atan(VIEW_CM / 2 / distanceCm) * 180) / Math.PI,
    // Turned heads are moved back, so that the face stays in the middle.
    shiftCm: [-6.5 * Math.sin((yawDegrees * Math.PI) / 180) + 0.6 * random.normal(), 0.6 * random.normal()],
    light: {
      ...usual.light,
      direction: [Math.sin(around), 0.4 + 0.5 * random.normal(), 0.9 * Math.cos(around) + 0.2],
      ambient: random.uniform(0.15, 0.75),
    },
  }
}

function randomHair(random: Random, own: Hair['color']): Hair | undefined {
  const kind = random.uniform()
  if (kind < 0.2) return undefined
  const lengthCm = kind < 0.5 ? random.uniform(1, 4) : kind < 0.7 ? random.uniform(5, 14) : random.uniform(14, 30)
  const gray = random.uniform(10, 220)
  const color = random.chance(0.5)
    ? own
    : ([gray, gray * random.uniform(0.7, 1), gray * random.uniform(0.5, 1)] as const)
  return {
    color,
    strands: 2200,
    lengthCm,
    lift: random.uniform(0.2, 1.2),
    back: random.uniform(-0.05, 0.7),
    hangsToCm: random.chance(0.6) ? random.uniform(-1, 3) : random.uniform(3, 8),
    fringe: random.chance(0.35) ? random.uniform(0.3, 0.9) : 0,
    beard: random.chance(0.2) ? random.uniform(0.05, 0.35) : 0,
    seed: random.uint32(),
  }
}

const randomColor = (random: Random) =>
  [random.uniform(5, 250), random.uniform(5, 250), random.uniform(5, 250)] as const

function randomGlasses(random: Random): Glasses | undefined {
  if (!random.chance(0.18)) return undefined
  const dark = random.uniform(5, 90)
  return {
    color: random.chance(0.7) ? [dark, dark, dark] : randomColor(random),
    thicknessCm: random.uniform(0.15, 0.5),
  }
}

function randomCloth(random: Random): Cloth | undefined {
  if (!random.chance(0.75)) return undefined
  return {
    color: randomColor(random),
    fromCm: random.uniform(-15, -10),
    slope: random.uniform(0.1, 0.8),
    stripes: random.uniform(0, 1),
  }
}
