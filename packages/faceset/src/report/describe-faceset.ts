import { clipOf } from '@dfl/core'
import type { Faceset } from '../faceset.js'
import type { FacesetProgress } from '../pack/pack-faceset.js'
import { type FaceFacts, factsOf } from '../sort/face-facts.js'

/** Width of the steps in which poses are counted. */
export const POSE_STEP_DEGREES = 15
/** Poses farther out are counted with the outermost step. */
export const WIDEST_POSE_DEGREES = { yaw: 75, pitch: 45 }

/** Least, middle and greatest of some numbers, and where a tenth of them lies below and above. */
export interface Spread {
  least: number
  low: number
  middle: number
  high: number
  greatest: number
}

/** What a faceset shows. */
export interface FacesetDescription {
  faces: number
  /** Frames that show a face. */
  frames: number
  /** Frames that show several. */
  framesWithSeveral: number
  /** Faces of each clip. */
  clips: Readonly<Record<string, number>>
  /** Faces of each person that is known. */
  persons: Readonly<Record<string, number>>
  /** Sides of the detector's boxes, in pixels of the frames. */
  sizePx: Spread
  sharpness: Spread
  brightness: Spread
  /** −1..1, from lit from the left to lit from the right. */
  lightX: Spread
  mouthOpening: Spread
  eyeOpening: Spread
  /** Faces by pitch, from up to down, and yaw, from the left of the image to its right, in steps of 15°. */
  poses: readonly (readonly number[])[]
}

/** What a faceset shows, and the facts of every face, at the end. Walk it to make it work. */
export async function* describeFaceset(
  faceset: Faceset,
): AsyncGenerator<FacesetProgress, { description: FacesetDescription; facts: FaceFacts[] }> {
  const facts = yield* factsOf(faceset, ['sharpness', 'colors', 'light'])
  const frames = new Map<string, number>()
  const clips: Record<string, number> = {}
  const persons: Record<string, number> = {}
  const { rows, columns } = poseGrid()
  const poses = Array.from({ length: rows }, () => new Array<number>(columns).fill(0))
  for (const face of facts) {
    frames.set(face.sourceFilename, (frames.get(face.sourceFilename) ?? 0) + 1)
    const clip = clipOf(face) || 'images'
    clips[clip] = (clips[clip] ?? 0) + 1
    if (face.person) persons[face.person] = (persons[face.person] ?? 0) + 1
    const { row, column } = poseCell(face)
    poses[row]![column]!++
  }
  const description: FacesetDescription = {
    faces: facts.length,
    frames: frames.size,
    framesWithSeveral: [...frames.values()].filter((count) => count > 1).length,
    clips,
    persons,
    sizePx: spread(facts.map(({ sourceArea }) => Math.sqrt(sourceArea))),
    sharpness: spread(facts.map((face) => face.sharpness)),
    brightness: spread(facts.map((face) => face.brightness)),
    lightX: spread(facts.map((face) => face.lightX)),
    mouthOpening: spread(facts.map((face) => face.mouthOpening)),
    eyeOpening: spread(facts.map((face) => face.eyeOpening)),
    poses,
  }
  return { description, facts }
}

/** Rows (pitch) and columns (yaw) of the table of poses. */
export function poseGrid(): { rows: number; columns: number } {
  const { yaw, pitch } = WIDEST_POSE_DEGREES
  return { rows: (2 * pitch) / POSE_STEP_DEGREES + 1, columns: (2 * yaw) / POSE_STEP_DEGREES + 1 }
}

/** Where a face stands in the table: looking up is above, and left is where it looks as seen in the image. */
export function poseCell({ yawDegrees, pitchDegrees }: Pick<FaceFacts, 'yawDegrees' | 'pitchDegrees'>): {
  row: number
  column: number
} {
  const { yaw, pitch } = WIDEST_POSE_DEGREES
  const step = (value: number, widest: number) =>
    Math.round((Math.min(widest, Math.max(-widest, value)) + widest) / POSE_STEP_DEGREES)
  // A face that turns to its own left looks to the right of the image.
  return { row: step(-pitchDegrees, pitch), column: step(yawDegrees, yaw) }
}

/**
 * Poses of DST that SRC does not show: cells of the table in which DST has faces and SRC, there and next to it, none. And
 * the share of DST's faces that lie in the others, 0..1.
 */
export function poseCoverage(
  src: Pick<FacesetDescription, 'poses'>,
  dst: Pick<FacesetDescription, 'poses'>,
): { share: number; missing: { yawDegrees: number; pitchDegrees: number; faces: number }[] } {
  const missing: { yawDegrees: number; pitchDegrees: number; faces: number }[] = []
  let [all, shown] = [0, 0]
  dst.poses.forEach((cells, row) => {
    cells.forEach((faces, column) => {
      all += faces
      const near = [row - 1, row, row + 1].some((y) =>
        [column - 1, column, column + 1].some(
          (x) => Math.abs(y - row) + Math.abs(x - column) < 2 && (src.poses[y]?.[x] ?? 0) > 0,
        ),
      )
      if (near) shown += faces
      else if (faces > 0)
        missing.push({
          yawDegrees: column * POSE_STEP_DEGREES - WIDEST_POSE_DEGREES.yaw,
          pitchDegrees: WIDEST_POSE_DEGREES.pitch - row * POSE_STEP_DEGREES,
          faces,
        })
    })
  })
  return { share: all > 0 ? shown / all : 1, missing: missing.sort((a, b) => b.faces - a.faces) }
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0
  return { least: at(0), low: at(0.1), middle: at(0.5), high: at(0.9), greatest: at(1) }
}
