import { median } from '@dfl/core'
import { type Advice, type Choice, SHAPE_LIMITS, shapeMeaning, suggest } from './advice.js'
import { type Coverage, coverage } from './coverage.js'
import { evenly } from './evenly.js'
import { aboutExposure } from './exposure-advice.js'
import { exposureStops } from './eye-white.js'
import { type ShapeDifference, shapeDifference } from './face-shape.js'
import { skinStops } from './light.js'
import { type Quality, qualityOf } from './quality.js'
import { resemblance } from './resemblance.js'
import type { FaceTraits } from './traits.js'

/** A person whom some of a side's faces show. */
export interface Person {
  person: string
  /** Places in the list of faces, in its order. */
  faces: readonly number[]
}

/** What is known before training. */
export interface Check {
  coverage: Coverage
  /** Nothing where a side has too few faces. */
  shape?: ShapeDifference & { meaning: string }
  /** By the faces' `person`, the one with most faces first; none where no face has one. */
  people: { src: readonly Person[]; dst: readonly Person[] }
  quality: { src: Quality; dst: Quality }
  /** Stops of light that DST has more than SRC, by the whites of the eyes. Nothing where too few eyes are seen. */
  exposure?: number
  /** Difference of the slopes of luminance up the faces, 0 for equal ones: light from above, beard, relief of brow and chin. */
  shading: number
  /** How much DST's faces look like the SRC faces most like them, −1..1: see `resemblance`. */
  resemblance: number
  /** How well it will come out, 0..1, for ranking: see `forecast`. */
  forecast: number
  /** Most urgent first. */
  advice: readonly Advice[]
}

/** Footage of one side. */
export interface CheckSide {
  faces: readonly FaceTraits[]
  clip?: { bytes: number; pixels: number }
}

/** Shapes are told from this many faces at most, evenly chosen. */
const SHAPE_FACES = 120
/** A person with fewer faces than this share of a side's is taken for an accident. */
const LEAST_PERSON = 0.03
const FEW_SRC = 100

/**
 * Whether SRC can give DST what it needs: coverage, face shape, people, quality, and what to do about it.
 *
 * @param src Faces whose `person` tells who is who, as `whoIsWho` of @dfl/faceset does; without, all are taken for one.
 * @param choices Networks that can be suggested, from small to large.
 */
export function checkFaces(src: CheckSide, dst: CheckSide, choices: readonly Choice[] = []): Check {
  const covered = coverage(src.faces, dst.faces)
  const people = { src: peopleIn(src.faces), dst: peopleIn(dst.faces) }
  const quality = { src: qualityOf(src.faces, src.clip), dst: qualityOf(dst.faces, dst.clip) }
  const exposure = exposureStops(src.faces, dst.faces)
  const shading = shadingBetween(src.faces, dst.faces)
  const alike = resemblance(src.faces, dst.faces, covered)
  const shape = shapeOf(mainFaces(src.faces, people.src), mainFaces(dst.faces, people.dst))
  const advice = [
    ...aboutPeople(people),
    ...aboutCount(src.faces.length),
    ...covered.gaps.map((gap) => ({
      urgency: gap.share > 0.03 ? ('do' as const) : ('consider' as const),
      text: gap.shoot,
      evidence: gap.sentence,
    })),
    ...aboutExposure(exposure, skinStops(src.faces, dst.faces)),
    ...(shape
      ? [
          {
            urgency: shape.percent >= SHAPE_LIMITS.far ? ('consider' as const) : ('fine' as const),
            text: shape.meaning,
            evidence: `Bone and outline differ by ${shape.percent.toFixed(1)} ± ${shape.spread.toFixed(1)} % of the distance of the eyes.`,
          },
        ]
      : []),
    ...suggest({ coverage: covered, ...(shape ? { shape } : {}), ...quality }, choices),
    {
      urgency: 'fine' as const,
      text: 'Then train: dfl train --time 10m shows whether it works, more time makes it better.',
      evidence: `The faces are there: ${src.faces.length} of SRC, ${dst.faces.length} of DST.`,
    },
  ]
  const order = { do: 0, consider: 1, fine: 2 }
  return {
    coverage: covered,
    ...(shape ? { shape } : {}),
    people,
    quality,
    ...(exposure === undefined ? {} : { exposure }),
    shading,
    resemblance: alike,
    forecast: forecast({ shading, resemblance: alike }),
    advice: advice.sort((a, b) => order[a.urgency] - order[b.urgency]),
  }
}

/**
 * How near the painted face will come to the true one, as SSIM inside the face (`truthFace` of the evaluation) after a short
 * training, for ranking pairs.
 *
 * Fitted to 24 rendered pairs: Pearson 0.91; each pair told by the others 0.88; pairs of other people than those that it was
 * fitted to 0.84 and 0.90. See docs/design/insight.md.
 *
 * @param told `shading` and `resemblance` of the check.
 */
export function forecast({ shading, resemblance: alike }: { shading: number; resemblance: number }): number {
  return Math.max(0, 0.795 - 0.46 * shading + 0.158 * alike)
}

function shadingBetween(src: readonly FaceTraits[], dst: readonly FaceTraits[]): number {
  if (Math.min(src.length, dst.length) === 0) return 0
  const [a, b] = [src, dst].map((faces) => median(faces.map(({ light }) => light.up)))
  return Math.abs(b - a)
}

function peopleIn(all: readonly FaceTraits[]): Person[] {
  const byName = new Map<string, number[]>()
  for (const [i, { person }] of all.entries())
    if (person !== undefined) byName.set(person, [...(byName.get(person) ?? []), i])
  return [...byName]
    .map(([person, faces]) => ({ person, faces }))
    .filter(({ faces }) => faces.length >= Math.max(2, LEAST_PERSON * all.length))
    .sort((a, b) => b.faces.length - a.faces.length)
}

/** The faces of the person with most of them; all where nobody is known. */
const mainFaces = (faces: readonly FaceTraits[], people: readonly Person[]) =>
  people.length > 1 ? people[0].faces.map((i) => faces[i]) : faces

function shapeOf(src: readonly FaceTraits[], dst: readonly FaceTraits[]): Check['shape'] {
  if (Math.min(src.length, dst.length) < 3) return undefined
  const some = (faces: readonly FaceTraits[]) => evenly(faces, SHAPE_FACES).map(({ landmarks }) => landmarks)
  const found = shapeDifference(some(src), some(dst))
  return { ...found, meaning: shapeMeaning(found) }
}

function aboutPeople({ src, dst }: Check['people']): Advice[] {
  const counts = (people: readonly Person[]) => people.map(({ faces }) => faces.length).join(', ')
  const out: Advice[] = []
  if (src.length > 1)
    out.push({
      urgency: 'do',
      text: `SRC shows ${src.length} people, and the result would be a mixture. Keep one: dfl faceset persons, then dfl faceset filter --side src --person p1`,
      evidence: `Faces of each: ${counts(src)}.`,
    })
  if (dst.length > 1)
    out.push({
      urgency: 'consider',
      text: `DST shows ${dst.length} people, and all of them get SRC's face. To keep one: dfl faceset persons, then dfl faceset filter --side dst --person p1`,
      evidence: `Faces of each: ${counts(dst)}.`,
    })
  return out
}

const aboutCount = (faces: number): Advice[] =>
  faces >= FEW_SRC
    ? []
    : [
        {
          urgency: 'do',
          text: 'Shoot or find more SRC: likeness needs a few hundred different faces.',
          evidence: `SRC has ${faces} ${faces === 1 ? 'face' : 'faces'}.`,
        },
      ]
