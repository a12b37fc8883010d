import type { Raster } from '@dfl/core'
import { asFace, type DetectFacesOptions, detectFaces, isFace, isSameFace, withoutDuplicates } from './detect-faces.js'
import { landmarksIn } from './look.js'
import { type Picture, pictureOf } from './picture.js'
import type { Face } from './types.js'

/** How far a face may move, and by what factor grow, from one frame to the next. Both in sizes of its region. */
const MAX_SHIFT = 0.3
const MAX_GROWTH = 1.35

/** A face that moved or turned less than this needs no second look. */
const SMALL_SHIFT = 0.03
const SMALL_TURN_RADIANS = 0.1

/** A few frames in a row, with what is known at their ends. */
export interface Segment {
  frames: readonly (Raster | Picture)[]
  /** `cuts[t]`: a new shot begins at frame t; one entry more than there are frames, for the frame after the last. */
  cuts: readonly boolean[]
  /** Faces that the detector found in the first frame, and in the frame after the last if there is one. */
  first: readonly Face[]
  next: readonly Face[]
}

/**
 * The faces of every frame of a segment, largest first.
 *
 * Faces are followed from the first frame onwards and from the frame after the last one backwards, so one that comes in
 * or was missed in the middle is there from its first visible frame. Following needs no detector; it looks again where
 * the shot changes, where a face gets lost, and while there is none.
 *
 * The result depends on nothing outside the segment. A run that starts in the middle of a clip therefore finds what a
 * run over the whole clip finds there.
 */
export async function followFaces(segment: Segment, options: DetectFacesOptions): Promise<Face[][]> {
  const { cuts } = segment
  const frames = segment.frames.map(pictureOf)
  const faces: Face[][] = [[...segment.first]]
  for (let t = 1; t < frames.length; t++) {
    const image = frames[t]!
    const before = faces[t - 1]!
    if (cuts[t]) faces.push(await detectFaces(image, options))
    else {
      const kept = await followAll(image, before, options)
      const enough = before.length > 0 && kept.length === before.length
      const seen = enough ? [] : await detectFaces(image, { ...options, tiles: 'off', rotations: 'off' })
      faces.push(withoutDuplicates([...kept, ...seen]))
    }
  }
  let after: readonly Face[] = segment.next
  for (let t = frames.length - 1; t >= 0; t--) {
    if (!cuts[t + 1]) faces[t] = await withFollowed(frames[t]!, faces[t]!, after, options)
    after = faces[t]!
  }
  const { maxFaces = 0 } = options
  return maxFaces > 0 ? faces.map((list) => list.slice(0, maxFaces)) : faces
}

/** The known faces of a frame, and those of a neighbouring frame that are missing among them and found here too. */
export async function withFollowed(
  image: Picture,
  known: Face[],
  neighbours: readonly Face[],
  options: DetectFacesOptions,
): Promise<Face[]> {
  const missing = neighbours.filter((face) => !known.some((other) => isSameFace(face, other)))
  return missing.length === 0 ? known : withoutDuplicates([...known, ...(await followAll(image, missing, options))])
}

/** Those of the faces of a neighbouring frame that are found in this one too. */
export async function followAll(image: Picture, faces: readonly Face[], options: DetectFacesOptions): Promise<Face[]> {
  const out: Face[] = []
  for (const face of faces) {
    const found = await followFace(image, face, options)
    if (found) out.push(found)
  }
  return out
}

/** The same face in a neighbouring frame, if it is there. */
async function followFace(image: Picture, face: Face, options: DetectFacesOptions): Promise<Face | undefined> {
  const { landmarker } = options
  let found = asFace(await landmarksIn(image, face.region, landmarker))
  if (!isPlausible(face, found)) return undefined
  const { shift, turn } = motion(face, found)
  if (shift > SMALL_SHIFT || turn > SMALL_TURN_RADIANS)
    found = asFace(await landmarksIn(image, found.region, landmarker))
  return isPlausible(face, found) && isFace(found, image, options) ? found : undefined
}

function isPlausible(before: Face, after: Face): boolean {
  const growth = after.region.sizePx / before.region.sizePx
  return motion(before, after).shift <= MAX_SHIFT && growth <= MAX_GROWTH && growth >= 1 / MAX_GROWTH
}

/** Movement in sizes of the region, and the change of roll. */
function motion(before: Face, after: Face) {
  const { centre: a, sizePx, rollRadians } = before.region
  const { centre: b } = after.region
  const turn = Math.abs(after.region.rollRadians - rollRadians)
  return { shift: Math.hypot(a[0] - b[0], a[1] - b[1]) / sizePx, turn: Math.min(turn, 2 * Math.PI - turn) }
}
