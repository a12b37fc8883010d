import { DflError, type Landmarks, type Point } from '@dfl/core'

/** Throws unless `landmarks` are 68 finite points. */
export function checkLandmarks(landmarks: Landmarks, name = 'landmarks'): void {
  if (landmarks?.length !== 68)
    throw new DflError(
      'BAD_SHAPE',
      `Expected 68 points for \`${name}\`, but got ${landmarks?.length ?? 'none'}. Use a landmarker of the iBUG 300-W layout.`,
    )
  const bad = landmarks.findIndex(([x, y]) => !Number.isFinite(x) || !Number.isFinite(y))
  if (bad >= 0)
    throw new DflError(
      'BAD_SHAPE',
      `Expected finite coordinates for \`${name}\`, but got (${landmarks[bad].join(', ')}) at index ${bad}.`,
    )
}

/** The points from one index up to and including another. */
export function range(landmarks: Landmarks, first: number, last: number): Point[] {
  return landmarks.slice(first, last + 1)
}

/** The point midway between two. */
export function midpoint(a: Point, b: Point): Point {
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]
}

/** The mean of some points. */
export function centroid(points: readonly Point[]): Point {
  let [x, y] = [0, 0]
  for (const p of points) {
    x += p[0]
    y += p[1]
  }
  return [x / points.length, y / points.length]
}
