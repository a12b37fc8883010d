import { readFile } from 'node:fs/promises'
import { type Axis, axisDistance } from '@dfl/evaluate'
import type { FaceResult } from './by-face.js'
import type { PairClips } from './quality.js'

/** Axes that clips are rendered by. */
export type KnownAxis = Extract<Axis, 'yaw' | 'pitch' | 'lightSide'>

/** Whether a face is where SRC is, in the parameters that it was rendered by. */
export interface KnownFace {
  face: FaceResult
  /** Degrees of yaw and pitch, and of the lamp's way around the head, to SRC's third-nearest. */
  degrees: Readonly<Record<KnownAxis, number>>
}

/** How many faces a tolerance names. */
export interface Named {
  axis: KnownAxis
  tolerance: number
  /** Shares, 0..1, of the faces that SRC truly lacks, and of those that it truly has. */
  lacking: number
  having: number
  faces: { lacking: number; having: number }
}

/** SRC has what lies within the first of its own, and lacks what lies beyond the second: degrees. */
const TRULY: Readonly<Record<KnownAxis, readonly [has: number, lacks: number]>> = {
  yaw: [5, 15],
  pitch: [4, 10],
  lightSide: [10, 20],
}

interface Frames {
  frames: readonly { pose: { yawDegrees: number; pitchDegrees: number }; lightDegrees: number }[]
}

/** The faces of a pair with how far SRC truly is from them, from the `.json` beside its clips. */
export async function knownFaces({ src, dst }: PairClips, faces: readonly FaceResult[]): Promise<KnownFace[]> {
  const [inSrc, inDst] = [await framesOf(src), await framesOf(dst)]
  const ofFrame: Readonly<Record<KnownAxis, (frame: Frames['frames'][number]) => number>> = {
    yaw: ({ pose }) => pose.yawDegrees,
    pitch: ({ pose }) => pose.pitchDegrees,
    lightSide: ({ lightDegrees }) => lightDegrees,
  }
  return faces.map((face) => {
    const far = (axis: KnownAxis) => axisDistance(inSrc.map(ofFrame[axis]), ofFrame[axis](inDst[face.frame]!))
    return { face, degrees: { yaw: far('yaw'), pitch: far('pitch'), lightSide: far('lightSide') } }
  })
}

const framesOf = async (clip: string) =>
  (JSON.parse(await readFile(clip.replace(/\.mp4$/, '.json'), 'utf8')) as Frames).frames

/** What a tolerance names of that which SRC truly lacks, and of that which it has. */
export function namedBy(faces: readonly KnownFace[], axis: KnownAxis, tolerance: number): Named {
  const [has, lacks] = TRULY[axis]
  const shareOf = (some: readonly KnownFace[]) =>
    some.filter(({ face }) => (face.distances[axis] ?? 0) > tolerance).length / Math.max(1, some.length)
  const [having, lacking] = [
    faces.filter(({ degrees }) => degrees[axis] <= has),
    faces.filter(({ degrees }) => degrees[axis] > lacks),
  ]
  return {
    ...{ axis, tolerance, lacking: shareOf(lacking), having: shareOf(having) },
    faces: { lacking: lacking.length, having: having.length },
  }
}
