import { FACE_TYPES, type FaceType } from '@dfl/core'
import { AXES } from './axes.js'
import type { Coverage } from './coverage.js'
import type { ShapeDifference } from './face-shape.js'
import type { Quality } from './quality.js'

/** One thing to do or to know, most urgent first in a list. */
export interface Advice {
  urgency: 'do' | 'consider' | 'fine'
  /** What to do. */
  text: string
  /** The numbers behind it. */
  evidence: string
  /** What it takes for granted. */
  assumes?: string
}

/** A network and recipe that can be suggested. */
export interface Choice {
  name: string
  assumes: string
  resolution: number
  faceType: FaceType
}

/**
 * What shape differences mean, in % of the distance of the eyes: a quarter of 66 pairs of rendered people, as they are found,
 * lies below `near`, a quarter above `far`. By their geometry these are 2.3 and 3.2. Of the 24 pairs of the study, the 8 below `near` came
 * out at a SSIM of 0.86 inside the face, the 10 between at 0.80, the 6 above `far` at 0.77.
 */
export const SHAPE_LIMITS = { near: 2.1, far: 3.1 } as const

/**
 * Share of DST's face outside SRC's from which the larger square is advised. Judged: over the 24 pairs it is 0 to 0.09, and
 * goes with SSIM at −0.36 only.
 */
const MUCH_UNCOVERED = 0.08
/** Blur that SRC has more than DST: by about 1 px at 160 px, see docs/design/insight.md. In the study's pairs it is 0.06 at most. */
const MUCH_BLUR = 0.1
/** Shares of faces that are copies, and that are clipped. Judged: no pair of the study has any. */
const MANY_COPIES = 0.2
const MANY_CLIPPED = 0.1
const NEAR_YAW = AXES.find(({ axis }) => axis === 'yaw')!.tolerance

/** What the difference of two face shapes means, in a sentence. */
export function shapeMeaning({ percent, uncovered }: Pick<ShapeDifference, 'percent' | 'uncovered'>): string {
  const mask =
    uncovered < 0.02
      ? "SRC's face covers all of DST's."
      : `About ${Math.round(100 * uncovered)} % of DST's face lies outside SRC's: at the rim DST stays visible.`
  if (percent < SHAPE_LIMITS.near)
    return `The faces are built much alike: DST's head takes little of SRC's likeness away. ${mask}`
  if (percent < SHAPE_LIMITS.far)
    return `The faces differ as two people usually do: eyes, nose and mouth will look like SRC, the outline like DST. ${mask}`
  return `The faces are built very differently: expect SRC in eyes, nose and mouth only, in DST's head; training may fall back to DST. ${mask}`
}

/**
 * Which network, face type and recipe suit this footage, each with its reason.
 *
 * @param choices From small to large.
 */
export function suggest(
  { coverage, shape, src, dst }: { coverage: Coverage; shape?: ShapeDifference; src: Quality; dst: Quality },
  choices: readonly Choice[] = [],
): Advice[] {
  const out: Advice[] = []
  const wide = shape !== undefined && (shape.percent >= SHAPE_LIMITS.far || shape.uncovered > MUCH_UNCOVERED)
  const faceType: FaceType = wide ? 'whole_face' : 'full_face'
  out.push({
    urgency: 'consider',
    text: `Extract with --face-type ${faceType}.`,
    evidence: shape
      ? `Face shapes differ by ${shape.percent.toFixed(1)} %, ${Math.round(100 * shape.uncovered)} % of DST's face would stay uncovered.`
      : 'Face shapes could not be compared: there are too few faces.',
    assumes: wide
      ? `That the forehead is free of hair in both clips. ${FACE_TYPES.at(-1)} would also move the outline, but needs head masks and far more training.`
      : 'That hair and hands stay out of the face.',
  })
  const squarePx = 2.4 * Math.min(src.eyeDistancePx[1], dst.eyeDistancePx[2])
  const wanted = [64, 96, 128, 160, 192, 224, 256, 320].find((size) => size >= 0.8 * squarePx) ?? 320
  const choice = choices.find(({ resolution }) => resolution >= wanted) ?? choices.at(-1)
  out.push({
    urgency: 'consider',
    text: choice
      ? `Train with --preset ${choice.name} (${choice.resolution} px) if you have the time.`
      : `Train at ${wanted} px if you have the time.`,
    evidence: `The face's square is about ${Math.round(squarePx)} px wide in the smaller of SRC's usual and DST's largest faces, so ${wanted} px would show all that the footage holds.${choice && choice.resolution > wanted ? ` The next network that can be chosen has ${choice.resolution} px.` : ''}`,
    assumes: choice ? choice.assumes : 'That the machine has the time.',
  })
  if (coverage.gaps.some(({ axis }) => axis === 'yaw'))
    out.push({
      urgency: 'consider',
      text: 'Train with --uniform-yaw, so that the few turned SRC faces are seen as often as the others.',
      evidence: `${Math.round(100 * (coverage.byAxis.yaw ?? 1))} % of DST's faces have SRC faces within ${NEAR_YAW}° of yaw.`,
      assumes: 'That SRC has at least some turned faces; it cannot make up those that it lacks.',
    })
  if (src.blur > dst.blur + MUCH_BLUR)
    out.push({
      urgency: 'do',
      text: 'Find sharper SRC footage, or soften the result: it cannot be sharper than SRC.',
      evidence: `Blur of SRC ${src.blur.toFixed(2)}, of DST ${dst.blur.toFixed(2)} (0 is sharp).`,
    })
  if (src.duplicateShare > MANY_COPIES)
    out.push({
      urgency: 'consider',
      text: 'Thin out SRC: many of its faces are the same picture, and the rest is trained less.',
      evidence: `${Math.round(100 * src.duplicateShare)} % of SRC's faces look like one shortly before.`,
    })
  for (const [side, quality] of Object.entries({ SRC: src, DST: dst }))
    if (quality.clippedShare > MANY_CLIPPED)
      out.push({
        urgency: 'consider',
        text: `Use ${side} footage with less contrast: burnt-out and black skin has no detail to learn.`,
        evidence: `${Math.round(100 * quality.clippedShare)} % of ${side}'s faces are clipped in more than a twentieth of their area.`,
      })
  return out
}
