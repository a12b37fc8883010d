import { TILINGS, type Tiling } from './tilings.js'
import type { Geometry } from './windows.js'

/** How a convolution is done in tiles, see winograd.ts. */
export interface Plan {
  tiling: Tiling
  geometry: Geometry
  /** Offset of a window's first pixel on the grid of a phase, vertical and horizontal. */
  first: readonly [number, number]
}

/** How to do a convolution in tiles, if it can be done and is quicker than as one product of windows and weights. */
export function planOf(g: Geometry, inputs: number, outputs: number): Plan | undefined {
  const first = [0, 1].map((axis) => Math.floor(-g.padding[axis]! / g.stride[axis]!)) as [number, number]
  for (const axis of [0, 1]) {
    const last = Math.floor((g.kernel[axis]! - 1 - g.padding[axis]!) / g.stride[axis]!)
    if (g.dilation[axis] !== 1 || last - first[axis]! !== 2) return undefined
  }
  const costs = TILINGS.map((tiling) => tiledCost(tiling, g, inputs, outputs))
  const least = Math.min(...costs)
  if (least > plainCost(g, inputs, outputs)) return undefined
  return { tiling: TILINGS[costs.indexOf(least)]!, geometry: g, first }
}

/** Rows and columns of the image that one phase of the stride sees. */
export const phaseGrid = (g: Geometry) =>
  [Math.ceil(g.input[0] / g.stride[0]), Math.ceil(g.input[1] / g.stride[1])] as const

/**
 * Nanoseconds that a product of matrices takes, roughly: by its multiplications, by the memory it goes through, and for
 * being called. What counts is the relation of the three, which is similar on other machines.
 */
const productCost = (rows: number, inner: number, columns: number, count = 1) =>
  count * ((2 * rows * inner * padded(columns)) / 220 + (rows * inner + inner * columns + rows * columns) / 4) + 4000

/** Nanoseconds that it takes to gather rows. */
const gatherCost = (elements: number) => elements / 2 + 4000

/** Products work on this many columns at least. */
const padded = (columns: number) => Math.ceil(columns / 16) * 16

/** Nanoseconds of a convolution and its two gradients as products of windows and weights. */
function plainCost(g: Geometry, inputs: number, outputs: number): number {
  const pixels = g.batch * g.output[0] * g.output[1]
  const taps = g.kernel[0] * g.kernel[1]
  return (
    gatherCost(pixels * taps * inputs) +
    gatherCost(pixels * taps * outputs) +
    productCost(pixels, taps * inputs, outputs) +
    productCost(taps * inputs, pixels, outputs) +
    productCost(pixels, taps * outputs, inputs)
  )
}

/** Nanoseconds of a convolution and its two gradients in tiles. */
function tiledCost({ m }: Tiling, g: Geometry, inputs: number, outputs: number): number {
  const P = (m + 2) ** 2
  const phases = g.stride[0] * g.stride[1]
  const taps = g.kernel[0] * g.kernel[1]
  const count = ([height, width]: readonly [number, number]) => g.batch * Math.ceil(height / m) * Math.ceil(width / m)
  const [T, back] = [count(g.output), count(phaseGrid(g))]
  return (
    gatherCost(P * T * phases * inputs) +
    productCost(P, P, T * phases * inputs) +
    productCost(P * phases, taps, inputs * outputs) * 3 +
    productCost(T, phases * inputs, outputs, P) * 2 +
    productCost(m * m, P, T * outputs) * 2 +
    gatherCost(m * m * T * outputs) * 2 +
    gatherCost(P * back * outputs) +
    productCost(P, P, back * outputs) +
    productCost(back, outputs, phases * inputs, P) +
    productCost(m * m, P, back * phases * inputs) +
    gatherCost(m * m * back * phases * inputs)
  )
}
