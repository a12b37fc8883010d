import { estimatePose } from '@dfl/align'
import type { Point, Raster } from '@dfl/core'
import { detect, landmarksIn } from './look.js'
import { type Picture, pictureOf } from './picture.js'
import { boundingBox, containment, isProfile, isSameWayUp, overlap, regionOfDetection } from './region.js'
import { detectTiled, detectTurned } from './search-views.js'
import type { Detection, Face, FaceDetector, FaceLandmarks, FaceRegion, Landmarker } from './types.js'
import { uprightRegion } from './upright.js'

/** What looks for faces, and which of them count. */
export interface DetectFacesOptions {
  detector: FaceDetector
  landmarker: Landmarker
  /** The largest so many faces; 0 for all. */
  maxFaces?: number
  /** Faces smaller than this, in pixels of the image, are left out. */
  minSize?: number
  /** Faces whose landmarks are less certain than this, 0..1, are left out. */
  minScore?: number
  /** Look again with the image turned by quarters: never, or when nothing was found upright; 'auto' also turns faces
   * that stand on their heads. */
  rotations?: 'off' | 'auto'
  /** Look at overlapping parts too: never, for large images, in wide shots or when nothing was found, or always. */
  tiles?: 'off' | 'auto' | 'on'
}

/** From this length of the longer side on, `tiles: 'auto'` always looks at parts. */
const LARGE_PX = 1600

/** So it does where no face is larger than this part of the longer side: in a wide shot others are smaller still. */
const WIDE_SHOT = 0.15

/**
 * Detections in parts of an image that are less certain than this are mostly of nothing. Of 256 rendered faces of 24 to 150 px
 * all but one had 0.7 or more, of 7 finds in pictures of coloured discs none 0.58.
 */
const PART_SCORE = 0.6

/** Detections at least this certain are of faces that stand upright. */
const SURE_SCORE = 0.92

/** Boxes of landmarks that overlap more than this, or hold so much of each other, are of one face. */
const SAME_OVERLAP = 0.4
const SAME_CONTAINMENT = 0.7

/**
 * The faces of an image with their landmarks, largest first.
 *
 * A detector proposes, the landmarker decides: it looks at each proposal, looks again at the region that its own points
 * give, and drops what it does not take for a face. Proposals that end on the same face count once.
 *
 * @param source  [H, W, C] RGB, or something that gives parts of one, such as a `Frame`.
 */
export async function detectFaces(source: Raster | Picture, options: DetectFacesOptions): Promise<Face[]> {
  const image = pictureOf(source)
  const { detector, maxFaces = 0, tiles = 'auto', rotations = 'auto' } = options
  const longer = Math.max(image.width, image.height)
  const proposals = await detect(image, detector)
  const areEnough = maxFaces > 0 && proposals.length >= maxFaces
  const isWide = !areEnough && proposals.every(({ rect }) => Math.max(rect.width, rect.height) < WIDE_SHOT * longer)
  const atParts = tiles === 'on' || (tiles === 'auto' && (longer >= LARGE_PX || isWide))
  let faces = await confirm(image, atParts ? [...proposals, ...(await inParts(image, detector))] : proposals, options)
  if (faces.length === 0 && tiles === 'auto' && !atParts)
    faces = await confirm(image, await inParts(image, detector), options)
  if (faces.length === 0 && rotations === 'auto')
    faces = await confirm(image, await detectTurned(image, detector), options)
  return faces
}

const inParts = async (image: Picture, detector: FaceDetector) =>
  (await detectTiled(image, detector)).filter(({ score }) => score >= PART_SCORE)

/** The proposals that the landmarker takes for faces, each face once, largest first. */
async function confirm(image: Picture, proposals: readonly Detection[], options: DetectFacesOptions): Promise<Face[]> {
  const { detector, maxFaces = 0, rotations = 'auto' } = options
  const faces: Face[] = []
  for (const proposal of [...proposals].sort((a, b) => b.score - a.score)) {
    // A proposal well inside a confirmed face of about its size would only find it again.
    if (faces.some((face) => overlap(face.rect, proposal.rect) > SAME_OVERLAP)) continue
    const region = regionOfDetection(proposal)
    const found = await lookAgain(image, { region, seen: proposal }, options)
    // A face on its head makes detectors doubt; only then is it worth asking again.
    const doubtful = !found || proposal.score < SURE_SCORE || Math.abs(found.region.rollRadians) > Math.PI / 3
    const ask = doubtful && rotations === 'auto'
    const upright = ask ? await uprightRegion(image, found?.region ?? region, detector) : undefined
    const again = upright && (upright.isTurned || !found) && (await lookAgain(image, upright, options))
    // Of two looks that are the same way up the scores tell which is better.
    const isBetter = again && found && isSameWayUp(again.region, found.region) && found.score > again.score
    const face = isBetter ? found : again || found
    if (face && isFace(face, image, options)) faces.push(face)
  }
  const kept = withoutDuplicates(faces)
  return maxFaces > 0 ? kept.slice(0, maxFaces) : kept
}

/** Where a face is looked at, and what the detector saw there. */
interface Sight {
  region: FaceRegion
  seen: Detection | undefined
}

/** Landmarks read in the region that landmarks of a first look give, if the first look shows anything like a face. */
async function lookAgain(
  image: Picture,
  { region, seen }: Sight,
  { landmarker, minScore = 0.5 }: DetectFacesOptions,
): Promise<Face | undefined> {
  if (seen && isProfile(seen)) {
    const best = await lookPatiently(image, region, seen, landmarker)
    return best && best.score >= minScore / 2 ? asFace(best) : undefined
  }
  const first = await landmarksIn(image, region, landmarker)
  if (first.score < minScore / 2) return undefined
  const found = await landmarksIn(image, first.region, landmarker)
  return seen && isTurned(found) && isAstray(found, seen) ? undefined : asFace(found)
}

/** Beyond this yaw landmark networks see faces in what is none, such as the back of a head. */
const TURNED_DEGREES = 45

const isTurned = ({ landmarks }: FaceLandmarks) => Math.abs(estimatePose(landmarks).yawDegrees) > TURNED_DEGREES

/** Looks at a profile. */
const PROFILE_LOOKS = 3

/** How far the nose and the mouth of a turned face may lie from where the detector sees them, in widths of its box. */
const ASTRAY = 0.2

/**
 * The surest of a few looks at a profile, each in the region that the one before gives: the first often shows nothing like a
 * face yet, and those that follow may go astray and be sure of it.
 */
async function lookPatiently(image: Picture, region: FaceRegion, seen: Detection, landmarker: Landmarker) {
  let best: FaceLandmarks | undefined
  let next = region
  for (let look = 0; look < PROFILE_LOOKS; look++) {
    const found = await landmarksIn(image, next, landmarker)
    if (found.score > (best?.score ?? 0) && !isAstray(found, seen)) best = found
    next = found.region
  }
  return best
}

function isAstray({ landmarks }: FaceLandmarks, { rect, keyPoints: [, , nose, mouth] }: Detection): boolean {
  const isOff = (point: Point | undefined, from: number, to: number) => {
    const { x, y, width, height } = boundingBox(landmarks.slice(from, to))
    return point !== undefined && Math.hypot(x + width / 2 - point[0], y + height / 2 - point[1]) > ASTRAY * rect.width
  }
  return isOff(nose, 30, 31) || isOff(mouth, 48, 68)
}

/** Landmarks with the box of all their points. */
export function asFace(found: FaceLandmarks): Face {
  return { ...found, rect: boundingBox(found.points ?? found.landmarks) }
}

/** Whether landmarks are certain and large enough to be kept, and lie at least half inside the image. */
export function isFace(
  { rect, score }: Face,
  image: { width: number; height: number },
  { minScore = 0.5, minSize = 32 }: Pick<DetectFacesOptions, 'minScore' | 'minSize'>,
): boolean {
  const frame = { x: -0.5, y: -0.5, width: image.width, height: image.height }
  const inside = containment(rect, frame) >= 0.5
  return score >= minScore && Math.max(rect.width, rect.height) >= minSize && inside
}

/** Each face once, the most certain one of those in the same place; largest first. */
export function withoutDuplicates(faces: readonly Face[]): Face[] {
  const kept: Face[] = []
  for (const face of [...faces].sort((a, b) => b.score - a.score))
    if (!kept.some((other) => isSameFace(face, other))) kept.push(face)
  return kept.sort((a, b) => area(b) - area(a))
}

/** Whether two results in one image, or in neighbouring frames, are of one face. */
export function isSameFace(a: Face, b: Face): boolean {
  return overlap(a.rect, b.rect) > SAME_OVERLAP || containment(a.rect, b.rect) > SAME_CONTAINMENT
}

const area = ({ rect }: Face) => rect.width * rect.height
