import { byFrame } from '../operations/original-names.js'
import { bestFaces } from './best-faces.js'
import { chain, dissimilarity, histogramDistance, pictureDistance } from './chains.js'
import type { FaceFacts, Looked } from './face-facts.js'

/** What some methods need besides the faces. */
export interface SortContext {
  /** How many of the best faces are wanted. */
  target: number
  /** The face that the others are compared with. */
  to?: FaceFacts
}

/** Faces in their new order, and those that are put aside, with the reason. */
export interface Sorted {
  order: FaceFacts[]
  rejected?: { faces: FaceFacts[]; reason: string }
}

/** One way to sort. */
export interface SortMethod {
  /** One line for help texts: what comes first. */
  about: string
  /** What has to be looked at in the images. */
  looked: readonly Looked[]
  sort(facts: readonly FaceFacts[], context: SortContext): Sorted
}

const descending = (about: string, of: (face: FaceFacts) => number, ...looked: Looked[]): SortMethod => ({
  about,
  looked,
  sort: (facts) => ({ order: [...facts].sort((a, b) => of(b) - of(a)) }),
})

const NO_HISTOGRAM = new Float32Array(64)
const NO_PICTURE = new Uint8Array(768)
const histograms = (a: FaceFacts, b: FaceFacts) =>
  histogramDistance(a.histogram ?? NO_HISTOGRAM, b.histogram ?? NO_HISTOGRAM)
const grays = (a: FaceFacts, b: FaceFacts) =>
  histogramDistance(a.grayHistogram ?? NO_HISTOGRAM, b.grayHistogram ?? NO_HISTOGRAM)
const pictures = (a: FaceFacts, b: FaceFacts) => pictureDistance(a.thumbnail ?? NO_PICTURE, b.thumbnail ?? NO_PICTURE)

const mostUnlikeFirst = (distance: (a: FaceFacts, b: FaceFacts) => number) => (facts: readonly FaceFacts[]) => {
  const unlike = dissimilarity(facts, distance)
  return {
    order: facts
      .map((face, i) => ({ face, unlike: unlike[i]! }))
      .sort((a, b) => b.unlike - a.unlike)
      .map(({ face }) => face),
  }
}

const best = (about: string, quality: (face: FaceFacts) => number, ...looked: Looked[]): SortMethod => ({
  about,
  looked: ['grayHistogram', ...looked],
  sort(facts, { target }) {
    const order = bestFaces(facts, target, quality)
    const chosen = new Set(order)
    return { order, rejected: { faces: facts.filter((face) => !chosen.has(face)), reason: 'not among the best' } }
  },
})

/** The ways to sort, DeepFaceLab's by its own names. */
export const SORT_METHODS = {
  blur: {
    about: 'the sharpest first; those without one sharp edge are put aside',
    looked: ['sharpness'],
    sort(facts) {
      const order = [...facts].sort((a, b) => b.sharpness - a.sharpness)
      return {
        order: order.filter((face) => face.sharpness > 0),
        rejected: { faces: order.filter((face) => face.sharpness <= 0), reason: 'blurred' },
      }
    },
  },
  'motion-blur': descending('the least blurred by motion first', (face) => face.motionBlur, 'motionBlur'),
  'face-yaw': descending('from turned to its left to turned to its right', (face) => face.yawDegrees),
  'face-pitch': descending('from looking up to looking down', (face) => face.pitchDegrees),
  'face-source-rect-size': descending('the largest in their frames first', (face) => face.sourceArea),
  hist: {
    about: 'each is followed by the one most like it in colours',
    looked: ['histogram'],
    sort: (facts) => ({ order: chain(facts, histograms) }),
  },
  'hist-dissim': {
    about: 'the ones most unlike all others in brightness first',
    looked: ['grayHistogram'],
    sort: mostUnlikeFirst(grays),
  },
  brightness: descending('the brightest first', (face) => face.brightness, 'colors'),
  hue: descending('by hue, from red through blue back to red', (face) => -face.hue, 'colors'),
  black: descending('those with the least black first, as beyond the edge of a frame', (face) => -face.black, 'colors'),
  origname: {
    about: 'in the order of their frames',
    looked: [],
    sort: (facts) => ({ order: [...facts].sort(byFrame) }),
  },
  oneface: {
    about: 'in the order of their frames; faces of frames that show several are put aside',
    looked: [],
    sort(facts) {
      const several = new Set(facts.filter(({ faceIndex }) => faceIndex > 0).map(frameOf))
      const [alone, together] = [false, true].map((wanted) =>
        facts.filter((face) => several.has(frameOf(face)) === wanted).sort(byFrame),
      ) as [FaceFacts[], FaceFacts[]]
      return { order: alone, rejected: { faces: together, reason: 'several faces in the frame' } }
    },
  },
  absdiff: {
    about: 'each is followed by the one most like it, pixel by pixel',
    looked: ['thumbnail'],
    sort: (facts) => ({ order: chain(facts, pictures) }),
  },
  'absdiff-dissim': {
    about: 'the ones most unlike all others, pixel by pixel, first',
    looked: ['thumbnail'],
    sort: mostUnlikeFirst(pictures),
  },
  'final-by-blur': best(
    'the best faces, --target of them, even over yaw and pitch, the sharpest; the others are put aside',
    (face) => face.sharpness,
    'sharpness',
  ),
  'final-by-size': best(
    'the same, but of each pose the largest in their frames, which is faster',
    (face) => face.sourceArea,
  ),
  identity: {
    about: 'person by person, the most typical faces of each first; run `persons` before',
    looked: [],
    sort: (facts) => ({ order: byIdentity(facts) }),
  },
  pose: descending('the most frontal first', (face) => -Math.hypot(face.yawDegrees, face.pitchDegrees)),
  expression: {
    about: 'the most unusual opening of mouth and eyes first',
    looked: [],
    sort: (facts) => ({ order: byExpression(facts) }),
  },
  mouth: descending('the widest open mouth first', (face) => face.mouthOpening),
  eyes: descending('the widest open eyes first', (face) => face.eyeOpening),
  light: descending('from lit from the left of the image to lit from the right', (face) => -face.lightX, 'light'),
  similarity: {
    about: 'the ones most like the face named by --to first',
    looked: ['thumbnail'],
    sort: (facts, { to }) => ({
      order: to ? [...facts].sort((a, b) => pictures(a, to) - pictures(b, to)) : [...facts],
    }),
  },
} as const satisfies Readonly<Record<string, SortMethod>>

/** The name of a way to sort. */
export type SortName = keyof typeof SORT_METHODS

const frameOf = ({ sourceFilename }: FaceFacts) => sourceFilename

/** Person by person, the one with most faces first; unknown faces last. */
function byIdentity(facts: readonly FaceFacts[]): FaceFacts[] {
  const people = new Map<string, FaceFacts[]>()
  for (const face of facts) people.set(face.person ?? '', [...(people.get(face.person ?? '') ?? []), face])
  return [...people]
    .sort(([a, x], [b, y]) => Number(a === '') - Number(b === '') || y.length - x.length)
    .flatMap(([, faces]) => {
      const known = faces.filter(({ embedding }) => embedding)
      const middle = known[0]?.embedding?.map(
        (_, i) => known.reduce((sum, face) => sum + face.embedding![i]!, 0) / known.length,
      )
      // Faces whose identity was not stored come after those that are known to be typical.
      const far = ({ embedding }: FaceFacts) =>
        embedding && middle ? Math.sqrt(embedding.reduce((sum, value, i) => sum + (value - middle[i]!) ** 2, 0)) : 9
      return [...faces].sort((a, b) => far(a) - far(b))
    })
}

function byExpression(facts: readonly FaceFacts[]): FaceFacts[] {
  const scale = (of: (face: FaceFacts) => number) => {
    const values = facts.map(of).sort((a, b) => a - b)
    const at = (share: number) => values[Math.floor(share * (values.length - 1))] ?? 0
    const spread = at(0.9) - at(0.1) || 1
    return (face: FaceFacts) => (of(face) - at(0.5)) / spread
  }
  const mouth = scale((face) => face.mouthOpening)
  const eyes = scale((face) => face.eyeOpening)
  return [...facts].sort((a, b) => Math.hypot(mouth(b), eyes(b)) - Math.hypot(mouth(a), eyes(a)))
}
