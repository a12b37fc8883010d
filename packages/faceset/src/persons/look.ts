import { distance, type FaceMeta } from '@dfl/core'

/** What a look is made of. */
export type LookedFace = Pick<FaceMeta, 'sourceFilename' | 'embedding' | 'pose'> & { folder: string }

/** How some faces look on average: all of them, and those of each pose. */
export interface Look {
  mean: Mean
  byPose: Map<string, Mean>
  /** The frames that they are in. */
  frames: Set<string>
}

/** A mean of embeddings, and of how many. */
interface Mean {
  weight: number
  values: Float64Array
}

/** Faces whose yaw and pitch fall into one cell of this side are of one pose. */
const POSE_DEGREES = 15
/** Fewer faces of a pose say little about it. */
const FEWEST_OF_POSE = 2
/** Two faces in more than this share of the frames of the one that is seen less are not found twice by mistake. */
const TOGETHER = 0.1
/**
 * Means of two faces that are seen together lie this much farther apart than they measure: only a mirror shows one person
 * twice. Measured: a face and its mirror image are up to 0.22 apart, different rendered heads at least 0.39.
 */
const TOGETHER_FACTOR = 1.6

/** How these faces look. */
export function lookOf(faces: readonly LookedFace[]): Look {
  const known = faces.filter(({ embedding }) => embedding)
  const byPose = new Map<string, LookedFace[]>()
  for (const face of known) {
    if (!face.pose) continue
    const { yawDegrees, pitchDegrees } = face.pose
    const cell = `${Math.round(yawDegrees / POSE_DEGREES)} ${Math.round(pitchDegrees / POSE_DEGREES)}`
    const list = byPose.get(cell)
    if (list) list.push(face)
    else byPose.set(cell, [face])
  }
  return {
    mean: meanOf(known),
    byPose: new Map([...byPose].map(([cell, list]) => [cell, meanOf(list)])),
    frames: new Set(faces.map(({ folder, sourceFilename }) => `${folder}\n${sourceFilename}`)),
  }
}

/** Makes a look that of the faces of another one, too. */
export function addLook(into: Look, { mean, byPose, frames }: Look): void {
  into.mean = joinedMean(into.mean, mean)
  for (const [cell, other] of byPose) {
    const own = into.byPose.get(cell)
    into.byPose.set(cell, own ? joinedMean(own, other) : other)
  }
  for (const frame of frames) into.frames.add(frame)
}

/**
 * How far apart two looks are (Euclidean): in the poses that both show, or as a whole where they show none together.
 *
 * @returns endless where the embeddings are of different networks.
 */
export function lookDistance(a: Look, b: Look): number {
  if (a.mean.values.length !== b.mean.values.length) return Number.POSITIVE_INFINITY
  let [sum, weight] = [0, 0]
  for (const [cell, own] of a.byPose) {
    const other = b.byPose.get(cell)
    const both = Math.min(own.weight, other?.weight ?? 0)
    if (!other || both < FEWEST_OF_POSE) continue
    sum += both * distance(own.values, other.values)
    weight += both
  }
  const far = weight > 0 ? sum / weight : distance(a.mean.values, b.mean.values)
  return areTogether(a, b) ? TOGETHER_FACTOR * far : far
}

/** Whether two looks are seen in the same frames. */
function areTogether({ frames: a }: Look, { frames: b }: Look): boolean {
  const [few, many] = a.size < b.size ? [a, b] : [b, a]
  let both = 0
  for (const frame of few) if (many.has(frame)) both++
  return both > TOGETHER * few.size
}

function meanOf(faces: readonly LookedFace[]): Mean {
  const values = new Float64Array(faces[0]?.embedding?.length ?? 0)
  for (const { embedding } of faces) for (let i = 0; i < values.length; i++) values[i]! += embedding![i]! / faces.length
  return { weight: faces.length, values }
}

function joinedMean(a: Mean, b: Mean): Mean {
  const weight = a.weight + b.weight
  return { weight, values: a.values.map((value, i) => (value * a.weight + b.values[i]! * b.weight) / weight) }
}
