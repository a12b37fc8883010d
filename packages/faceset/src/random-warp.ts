import type { Random } from '@dfl/core'

/** Farthest move of a node, in cells. Below 0.5 neighbours cannot cross, so the picture never folds. */
const NODE_JITTER = 0.24

/** A smooth random displacement of a square image, zero along its border. */
export interface Warp {
  /** Side of the image, in pixels. */
  resolution: number
  /** Cells along a side; a node stands at every corner of a cell, the outermost on the image's edges. */
  cells: number
  /** [cells + 1, cells + 1] how far each node moves, in pixels. */
  dx: Float32Array
  dy: Float32Array
}

/**
 * A random warp: a grid of 2, 4 or 8 cells, equally likely, whose inner nodes move by up to 0.24 cells.
 *
 * x and y are drawn independently. In DeepFaceLab they are mirror images of each other, which makes the moves about √2
 * larger and ties both directions together; `power` √2 gives the same size of moves.
 */
export function drawWarp(random: Random, resolution: number, power: number): Warp {
  const cells = 2 << random.integer(3)
  const dx = new Float32Array((cells + 1) ** 2)
  const dy = new Float32Array((cells + 1) ** 2)
  const unit = (NODE_JITTER * power * resolution) / cells
  for (let row = 1; row < cells; row++)
    for (let column = 1; column < cells; column++) {
      const node = row * (cells + 1) + column
      dx[node] = unit * truncatedNormal(random)
      dy[node] = unit * truncatedNormal(random)
    }
  return { resolution, cells, dx, dy }
}

/**
 * How far every pixel moves, in pixels: [2, resolution, resolution], x first. Written into `out`.
 *
 * Between nodes it is a cubic through the four nearest in each direction, so there are no creases along the grid.
 *
 * Source: Catmull and Rom 1974, A class of local interpolating splines.
 */
export function displacements({ resolution, cells, dx, dy }: Warp, out: Float32Array): void {
  const plane = resolution * resolution
  const taps = splineTaps(resolution, cells)
  const row = new Float32Array(cells + 1)
  for (let axis = 0; axis < 2; axis++) {
    const nodes = axis === 0 ? dx : dy
    for (let y = 0; y < resolution; y++) {
      // First along y onto one row of nodes, then along x.
      for (let column = 0; column <= cells; column++) {
        let sum = 0
        for (let tap = 0; tap < 4; tap++)
          sum += taps.weight[y * 4 + tap] * nodes[taps.node[y * 4 + tap] * (cells + 1) + column]
        row[column] = sum
      }
      const at = axis * plane + y * resolution
      for (let x = 0; x < resolution; x++) {
        const t = x * 4
        out[at + x] =
          taps.weight[t] * row[taps.node[t]] +
          taps.weight[t + 1] * row[taps.node[t + 1]] +
          taps.weight[t + 2] * row[taps.node[t + 2]] +
          taps.weight[t + 3] * row[taps.node[t + 3]]
      }
    }
  }
}

/** The four nodes that each pixel of a row depends on, and how much; beyond the edge the edge's node counts, which is 0. */
function splineTaps(resolution: number, cells: number) {
  const node = new Uint8Array(resolution * 4)
  const weight = new Float32Array(resolution * 4)
  for (let x = 0; x < resolution; x++) {
    const place = ((x + 0.5) * cells) / resolution
    const first = Math.min(cells - 1, Math.floor(place))
    const t = place - first
    const weights = [
      t * (-0.5 + t * (1 - 0.5 * t)),
      1 + t * t * (-2.5 + 1.5 * t),
      t * (0.5 + t * (2 - 1.5 * t)),
      t * t * (-0.5 + 0.5 * t),
    ]
    for (let tap = 0; tap < 4; tap++) {
      node[x * 4 + tap] = Math.min(cells, Math.max(0, first + tap - 1))
      weight[x * 4 + tap] = weights[tap]
    }
  }
  return { node, weight }
}

/** A normal number without what lies beyond 2.5 standard deviations, scaled to -1..1. Standard deviation 0.381. */
function truncatedNormal(random: Random): number {
  for (;;) {
    const value = random.normal()
    if (Math.abs(value) <= 2.5) return value / 2.5
  }
}
