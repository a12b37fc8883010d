import type { Point } from '@dfl/core'

/** Distance to a feature of the face by place on the mean head, seen from the front; negative inside closed ones. */
export interface DistanceMap {
  /** Distance at a place, in cm; 9 where it is far. */
  at(x: number, y: number): number
}

/** Where the skin changes colour. */
export interface DistanceMaps {
  lips: DistanceMap
  brows: DistanceMap
  eyes: DistanceMap
}

const STEP_CM = 0.04
const REACH_CM = 0.8
const FAR = 9

/**
 * Distances to lips, brows and eyes, measured once on a grid: at every pixel of every frame they are only looked up.
 *
 * @param marks The 68 landmarks of the mean head, in cm.
 */
export function distanceMaps(marks: readonly Point[]): DistanceMaps {
  const lines = (...parts: readonly (readonly [from: number, to: number])[]) =>
    parts.map(([from, to]) => marks.slice(from, to))
  return {
    lips: mapOf(lines([48, 60]), true),
    brows: mapOf(lines([17, 22], [22, 27]), false),
    eyes: mapOf(lines([36, 42], [42, 48]), true),
  }
}

function mapOf(lines: readonly (readonly Point[])[], closed: boolean): DistanceMap {
  const xs = lines.flat().map(([x]) => x)
  const ys = lines.flat().map(([, y]) => y)
  const x0 = Math.min(...xs) - REACH_CM
  const y0 = Math.min(...ys) - REACH_CM
  const width = Math.ceil((Math.max(...xs) + REACH_CM - x0) / STEP_CM) + 1
  const height = Math.ceil((Math.max(...ys) + REACH_CM - y0) / STEP_CM) + 1
  const grid = new Float32Array(width * height)
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const [x, y] = [x0 + column * STEP_CM, y0 + row * STEP_CM]
      grid[row * width + column] = Math.min(...lines.map((line) => distanceTo(line, x, y, closed)))
    }
  return {
    at(x, y) {
      const u = (x - x0) / STEP_CM
      const v = (y - y0) / STEP_CM
      if (!(u >= 0 && v >= 0 && u < width - 1 && v < height - 1)) return FAR
      const column = Math.floor(u)
      const row = Math.floor(v)
      const i = row * width + column
      const a = u - column
      const top = grid[i] + a * (grid[i + 1] - grid[i])
      const bottom = grid[i + width] + a * (grid[i + width + 1] - grid[i + width])
      return top + (v - row) * (bottom - top)
    },
  }
}

/** Distance of a place to a line through points; negative inside where the line is closed. */
function distanceTo(line: readonly Point[], x: number, y: number, closed: boolean): number {
  let nearest = FAR
  let inside = false
  for (let i = 0; i < (closed ? line.length : line.length - 1); i++) {
    const [ax, ay] = line[i]
    const [bx, by] = line[(i + 1) % line.length]
    const along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2 + 1e-9)
    const t = Math.max(0, Math.min(1, along))
    nearest = Math.min(nearest, Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay)))
    if (closed && ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside
  }
  return inside ? -nearest : nearest
}
