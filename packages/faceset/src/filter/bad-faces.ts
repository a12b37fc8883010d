import { hullMask } from '@dfl/align'
import { DflError, type FaceMeta, type OptionsOf, resolveOptions } from '@dfl/core'
import { faceMask } from '../face-mask.js'
import type { Faceset } from '../faceset.js'
import type { FacesetProgress } from '../pack/pack-faceset.js'
import { pictureDistance } from '../sort/chains.js'
import { type FaceFacts, factsOf, type Looked } from '../sort/face-facts.js'
import { FILTER_OPTIONS } from './filter-options.js'
import { unusualShapes } from './unusual-shapes.js'

/** The values of `FILTER_OPTIONS`. */
export type FilterOptions = OptionsOf<typeof FILTER_OPTIONS>

/** Why a face should be put aside. */
export const REJECT_REASONS = [
  'too small',
  'blurred',
  'cut off',
  'landmarks implausible',
  'occluded',
  'wrong person',
  'duplicate',
] as const

/** One of `REJECT_REASONS`. */
export type RejectReason = (typeof REJECT_REASONS)[number]

/**
 * The faces of a faceset that should not be trained on, by file name with every reason, at the end. Changes nothing: see
 * `rejectFaces`. Walk it to make it work.
 *
 * Only what is known is judged: a face without a mask of its own is never occluded, one of nobody known never the wrong
 * person.
 */
export async function* badFaces(
  faceset: Faceset,
  options: Partial<FilterOptions> = {},
): AsyncGenerator<FacesetProgress, Map<string, RejectReason[]>> {
  const chosen = resolveOptions(FILTER_OPTIONS, options)
  const looked: Looked[] = []
  if (chosen.minSharpness > 0 || chosen.duplicates > 0) looked.push('sharpness')
  if (chosen.duplicates > 0) looked.push('thumbnail')
  const facts = yield* factsOf(faceset, looked)
  const reasons = new Map<string, RejectReason[]>()
  const blame = (filename: string, reason: RejectReason) => {
    reasons.set(filename, [...(reasons.get(filename) ?? []), reason])
  }
  const shapes: { filename: string; landmarks: Float32Array; yawDegrees: number }[] = []
  const usual = [...facts].map((face) => face.sharpness).sort((a, b) => a - b)[facts.length >> 1] ?? 0
  let at = 0
  const persons = new Set<string>()
  for await (const face of faceset.faces()) {
    const { filename, sourceRect } = face
    if (face.person !== undefined) persons.add(face.person)
    const known = facts[at++]!
    if (Math.min(sourceRect.width, sourceRect.height) < chosen.minSize) blame(filename, 'too small')
    if (known.sharpness < chosen.minSharpness * usual) blame(filename, 'blurred')
    if (outside(face) > chosen.maxOutside) blame(filename, 'cut off')
    if (chosen.maxOccluded < 1 && (await occluded(faceset, face)) > chosen.maxOccluded) blame(filename, 'occluded')
    if (chosen.person && face.person !== undefined && face.person !== chosen.person) blame(filename, 'wrong person')
    const landmarks = Float32Array.from(face.landmarks.flat(), (value) => value / face.size)
    shapes.push({ filename, landmarks, yawDegrees: known.yawDegrees })
  }
  if (chosen.person && !persons.has(chosen.person)) throw nobody(chosen.person, persons)
  if (chosen.maxDeviation < 1)
    for (const filename of unusualShapes(shapes, chosen.maxDeviation)) blame(filename, 'landmarks implausible')
  if (chosen.duplicates > 0) for (const filename of duplicates(facts, chosen.duplicates)) blame(filename, 'duplicate')
  return reasons
}

/** All faces would be put aside, or none. */
function nobody(person: string, persons: ReadonlySet<string>): DflError {
  const seen = persons.size > 0 ? `only ${[...persons].sort().join(', ')}` : 'none whose persons are known'
  const advice = persons.size > 0 ? 'Name one of those.' : 'Find the persons first: dfl faceset persons'
  return new DflError('BAD_OPTION', `Expected faces of ${person} for \`person\`, but got ${seen}. ${advice}`, {
    data: { person, persons: [...persons] },
  })
}

/** Share of the landmarks beyond the edge of the frame, as far as its size is known. */
function outside({ sourceLandmarks, frameSize }: FaceMeta): number {
  const { width = Number.POSITIVE_INFINITY, height = Number.POSITIVE_INFINITY } = frameSize ?? {}
  const out = sourceLandmarks.filter(([x, y]) => x < -0.5 || y < -0.5 || x > width - 0.5 || y > height - 0.5)
  return out.length / sourceLandmarks.length
}

/** Share of the landmarks' outline that the face's own mask leaves out. */
async function occluded(faceset: Faceset, face: FaceMeta): Promise<number> {
  const own = await faceset.readMask(face)
  if (!own && !face.polygons) return 0
  const hull = hullMask(face.landmarks, face.size)
  const mask = faceMask(face, { mask: own })
  let [area, covered] = [0, 0]
  for (let i = 0; i < hull.data.length; i++) {
    area += hull.data[i]!
    covered += Math.min(hull.data[i]!, mask.data[i]!)
  }
  return area > 0 ? 1 - covered / area : 0
}

/** Of faces that look the same, all but the sharpest. */
function duplicates(facts: readonly FaceFacts[], most: number): string[] {
  const kept: FaceFacts[] = []
  const out: string[] = []
  for (const face of [...facts].sort((a, b) => b.sharpness - a.sharpness)) {
    const twin = kept.some((other) => pictureDistance(face.thumbnail!, other.thumbnail!, most) <= most)
    if (twin) out.push(face.filename)
    else kept.push(face)
  }
  return out
}
