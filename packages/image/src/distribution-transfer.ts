import { type Pixels, Random } from '@dfl/core'
import { checkChannels, checkRaster } from './checks.js'
import { transport } from './transport.js'

/** How much each pixel of the two pictures counts; 1 if not given. */
export interface TransferWeights {
  /** [H, W, 1] */
  from?: Pixels
  /** [H, W, 1] */
  to?: Pixels
}

const ITERATIONS = 10
const BINS = 300

/**
 * `from` with its colours spread in RGB as those of `to`: [H, W, 3], not clamped. The pictures may differ in size.
 *
 * In each of 10 rounds both clouds of colours are turned, and each axis is matched by itself. The turns are the same in
 * every call, so that nothing changes from frame to frame but the pictures.
 *
 * Source: Pitié, Kokaram, Dahyot 2005, N-dimensional probability density function transfer,
 * https://doi.org/10.1109/ICCV.2005.166
 */
export function iterativeDistributionTransfer(from: Pixels, to: Pixels, weights: TransferWeights = {}): Pixels {
  check(from, to)
  const out: Pixels = { ...from, data: from.data.slice() }
  const random = new Random(1)
  for (let round = 0; round < ITERATIONS; round++) {
    const axes = round === 0 ? [X, Y, Z] : randomAxes(random)
    // The axes are at right angles, so that moving along one leaves the others alone.
    for (const axis of axes) moveAlong(out, to, { axis, weights })
  }
  return out
}

/**
 * `from` with its colours moved by optimal transport towards those of `to`: [H, W, 3], not clamped.
 *
 * In each of 10 rounds the moves along 6 directions, each optimal in its one dimension, are averaged. Gentler than
 * matching whole axes; the directions are the same in every call.
 *
 * Source: Bonneel, Rabin, Peyré, Pfister 2015, Sliced and Radon Wasserstein barycenters of measures,
 * https://doi.org/10.1007/s10851-014-0506-3
 */
export function slicedTransfer(from: Pixels, to: Pixels, weights: TransferWeights = {}): Pixels {
  check(from, to)
  const out: Pixels = { ...from, data: from.data.slice() }
  const random = new Random(2)
  for (let round = 0; round < ITERATIONS; round++) {
    const axes = [...randomAxes(random), ...randomAxes(random)]
    const before: Pixels = { ...out, data: out.data.slice() }
    for (const axis of axes) moveAlong(out, to, { axis, weights, seenFrom: before, share: 1 / axes.length })
  }
  return out
}

type Axis = readonly [x: number, y: number, z: number]
const X: Axis = [1, 0, 0]
const Y: Axis = [0, 1, 0]
const Z: Axis = [0, 0, 1]

/** Moves colours along one axis as the one-dimensional transport says, in place. */
function moveAlong(
  out: Pixels,
  to: Pixels,
  {
    axis,
    weights,
    seenFrom = out,
    share = 1,
  }: { axis: Axis; weights: TransferWeights; seenFrom?: Pixels; share?: number },
): void {
  const own = project(seenFrom, axis)
  const moved = transport(own, project(to, axis), {
    fromWeights: weights.from?.data,
    toWeights: weights.to?.data,
    bins: BINS,
  })
  const [x, y, z] = axis
  const { data } = out
  for (let p = 0, i = 0; p < own.length; p++, i += 3) {
    const step = share * (moved(own[p]) - own[p])
    data[i] += step * x
    data[i + 1] += step * y
    data[i + 2] += step * z
  }
}

function project({ data }: Pixels, [x, y, z]: Axis): Float32Array {
  const out = new Float32Array(data.length / 3)
  for (let p = 0, i = 0; p < out.length; p++, i += 3) out[p] = data[i] * x + data[i + 1] * y + data[i + 2] * z
  return out
}

/** Three directions at right angles, evenly spread over all turns. */
function randomAxes(random: Random): Axis[] {
  const unit = ([x, y, z]: Axis): Axis => {
    const length = Math.hypot(x, y, z)
    return [x / length, y / length, z / length]
  }
  const dot = (a: Axis, b: Axis) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
  const first = unit([random.normal(), random.normal(), random.normal()])
  const other: Axis = [random.normal(), random.normal(), random.normal()]
  const along = dot(first, other)
  const second = unit([other[0] - along * first[0], other[1] - along * first[1], other[2] - along * first[2]])
  const third: Axis = [
    first[1] * second[2] - first[2] * second[1],
    first[2] * second[0] - first[0] * second[2],
    first[0] * second[1] - first[1] * second[0],
  ]
  return [first, second, third]
}

function check(from: Pixels, to: Pixels): void {
  checkRaster(from, 'from')
  checkChannels(from, 3, 'from')
  checkRaster(to, 'to')
  checkChannels(to, 3, 'to')
}
