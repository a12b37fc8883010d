import { type Affine, DflError, type Landmarks, type Point, resolveOptions } from '@dfl/core'
import { applyAffineAll, invertAffine } from '@dfl/image'
import { checkLandmarks } from './landmarks.js'
import { smoothSignals } from './smooth-signals.js'
import { similarityTransform } from './umeyama.js'

/** The landmarks of one face in one frame. */
export interface TrackPoint {
  /** Presentation time of the frame; rises from point to point. */
  timestampSeconds: number
  /** In pixels of the frame. */
  landmarks: Landmarks
}

const OPTIONS = {
  windowSeconds: {
    type: 'number',
    default: 0.6,
    min: 0,
    max: 5,
    unit: 's',
    description: 'The longest stretch of time averaged over, where a face is at rest; 0 changes nothing.',
  },
} as const

/**
 * Parts that move as one. Each is measured and smoothed by itself, so that a blink keeps its frames while the jaw is
 * averaged over many.
 */
const PARTS: readonly (readonly number[])[] = [
  indices(0, 16),
  indices(17, 26),
  indices(27, 35),
  indices(36, 41),
  indices(42, 47),
  indices(48, 67),
]

/**
 * The landmarks of a track without a detector's jitter, frame by frame, in pixels of the frame.
 *
 * Looks both ways in time, so nothing lags. The movement of the whole head (shift, turn, size) and what each part of the
 * face does beyond that are smoothed apart, by parabolas through as many neighbouring frames as they explain up to the
 * noise; the noise is measured on the track itself. So a still face is averaged over the whole window, a blink or a word
 * over few frames or none, and a track without noise stays as it is.
 *
 * @param track  One face in order of time. Frames may be missing; gaps longer than the window are not bridged.
 * @param options `wanted`: which points of the track, from the first to before the last; all of them have a say.
 * @returns As many landmarks as points are wanted: all of `track` if not told.
 *
 * Source: local polynomial fit by Savitzky and Golay 1964, https://doi.org/10.1021/ac60214a047; windows chosen by how
 * well the fit explains them, in the spirit of Katkovnik 1999, https://doi.org/10.1109/78.782208
 */
export function smoothLandmarks(
  track: readonly TrackPoint[],
  { wanted = [0, track.length], ...options }: { windowSeconds?: number; wanted?: readonly [number, number] } = {},
): Landmarks[] {
  const { windowSeconds } = resolveOptions(OPTIONS, options)
  checkTrack(track)
  if (track.length < 5 || windowSeconds === 0) return track.slice(...wanted).map((point) => point.landmarks)
  const times = track.map((point) => point.timestampSeconds)

  // Where the head is: the similarity from the track's mean face, in numbers that are all pixels of the frame.
  const mean = meanFace(track)
  const reach = Math.sqrt(mean.reduce((sum, [x, y]) => sum + x * x + y * y, 0) / mean.length)
  const headMats = track.map((point) => similarityTransform(mean, point.landmarks))
  const head = headMats.map(([a, , tx, c, , ty]) => [a * reach, c * reach, tx, ty])
  const smoothMats = smoothSignals(times, head, windowSeconds, wanted).map(
    ([a, c, tx, ty]): Affine => [a / reach, -c / reach, tx, c / reach, a / reach, ty],
  )

  // What the face does in the head's own frame, part by part.
  const inner = track.map((point, i) => applyAffineAll(invertAffine(headMats[i]), point.landmarks))
  const smoothInner: Point[][] = inner.slice(...wanted).map((points) => [...points])
  for (const part of PARTS) {
    const signals = inner.map((points) => part.flatMap((k) => points[k]))
    smoothSignals(times, signals, windowSeconds, wanted).forEach((values, i) => {
      part.forEach((k, n) => {
        smoothInner[i][k] = [values[2 * n], values[2 * n + 1]]
      })
    })
  }
  return smoothInner.map((points, i) => applyAffineAll(smoothMats[i], points))
}

/**
 * How much a track shakes, in pixels of the frame: the standard deviation, per coordinate, that noise independent from
 * frame to frame would need to shake it as much. Steady movement does not count, and the median over time ignores blinks.
 */
export function jitterPx(track: readonly TrackPoint[]): number {
  checkTrack(track)
  const shakes: number[] = []
  for (let i = 1; i + 1 < track.length; i++) {
    const before = track[i].timestampSeconds - track[i - 1].timestampSeconds
    const after = track[i + 1].timestampSeconds - track[i].timestampSeconds
    const w = after / (before + after)
    let sum = 0
    for (let k = 0; k < 68; k++) {
      for (const d of [0, 1] as const) {
        const between = w * track[i - 1].landmarks[k][d] + (1 - w) * track[i + 1].landmarks[k][d]
        sum += (track[i].landmarks[k][d] - between) ** 2
      }
    }
    shakes.push(sum / 136 / (1 + w * w + (1 - w) ** 2))
  }
  if (shakes.length === 0) return 0
  shakes.sort((a, b) => a - b)
  return Math.sqrt(shakes[Math.floor(shakes.length / 2)])
}

function checkTrack(track: readonly TrackPoint[]): void {
  track.forEach(({ landmarks, timestampSeconds }, i) => {
    checkLandmarks(landmarks, `track[${i}].landmarks`)
    if (i > 0 && !(timestampSeconds > track[i - 1].timestampSeconds))
      throw new DflError(
        'BAD_STATE',
        `Expected a time after ${track[i - 1].timestampSeconds} s for \`track[${i}]\`, but got ${timestampSeconds} s. ` +
          'Give one face per frame, in order of time.',
      )
  })
}

/** The mean shape of a track about its centre, every face laid over it; as large as the first face. */
function meanFace(track: readonly TrackPoint[]): Point[] {
  let mean = centred(track[0].landmarks)
  for (let round = 0; round < 2; round++) {
    const sums = mean.map((): [number, number] => [0, 0])
    for (const { landmarks } of track) {
      applyAffineAll(similarityTransform(landmarks, mean), landmarks).forEach(([x, y], k) => {
        sums[k][0] += x / track.length
        sums[k][1] += y / track.length
      })
    }
    mean = centred(sums)
  }
  return mean
}

function centred(points: readonly Point[]): Point[] {
  const [x, y] = points.reduce(([sx, sy], p) => [sx + p[0] / points.length, sy + p[1] / points.length], [0, 0])
  return points.map((p) => [p[0] - x, p[1] - y])
}

function indices(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}
