import { DflError, type Landmarks } from '@dfl/core'

/** What is known of the face in one frame: who it looks like and what it does. */
export interface FaceAnalysis {
  /** [128] float32 identity embedding, unit of the embedding network. */
  embedding: ArrayLike<number>
  /** 68 points in pixels of the frame. */
  landmarks: Landmarks
  /** Head pose in degrees: yaw to the face's own left, pitch up, roll clockwise as seen in the image. */
  pose: { yawDegrees: number; pitchDegrees: number; rollDegrees: number }
}

/** One analysis per frame of a clip, in order; `undefined` where no face was found. */
export type FaceTrack = readonly (FaceAnalysis | undefined)[]

/**
 * The frames in which every one of the tracks has a face, as one tuple per frame.
 *
 * @throws DflError `BAD_SHAPE` when the tracks have different lengths, `NO_FACES` when no frame is left.
 */
export function commonFrames(tracks: Readonly<Record<string, FaceTrack>>): FaceAnalysis[][] {
  const names = Object.keys(tracks)
  const length = tracks[names[0]!]!.length
  for (const name of names) {
    if (tracks[name]!.length !== length)
      throw new DflError(
        'BAD_SHAPE',
        `Expected ${length} frames, as \`${names[0]}\` has, for \`${name}\`, but got ${tracks[name]!.length}. Analyse clips that show the same frames, and put \`undefined\` where there is no face.`,
        { data: { name, expected: length, got: tracks[name]!.length } },
      )
  }
  const out: FaceAnalysis[][] = []
  for (let frame = 0; frame < length; frame++) {
    const row = names.map((name) => tracks[name]![frame])
    if (row.every((face) => face !== undefined)) out.push(row as FaceAnalysis[])
  }
  if (out.length === 0)
    throw new DflError(
      'NO_FACES',
      `Expected at least one frame with a face in each of \`${names.join('`, `')}\`, but got none of ${length}. Check that the clips show the same frames and that faces are found in them.`,
      { data: { names, frames: length } },
    )
  return out
}
