import { type Pixels, type Raster, resolveOptions } from '@dfl/core'
import { checkRaster, checkSize } from './checks.js'
import { kernels } from './kernels.js'
import { createPixels, sampleScale } from './pixels.js'

/** How `resize` weighs samples. */
export type ResizeFilter = 'area' | 'linear' | 'cubic' | 'lanczos3'

const OPTIONS = {
  filter: {
    type: 'choice',
    default: 'cubic',
    choices: ['area', 'linear', 'cubic', 'lanczos3'],
    description: 'The filter; without one, area where a direction shrinks and cubic where it grows.',
  },
} as const

/**
 * `raster` at another size: [height, width, C] float32 0..1.
 *
 * Both pictures cover the same area (half-pixel centres). Filters widen as the picture shrinks, so nothing aliases, and
 * at the edges only samples inside count. Cubic and lanczos3 overshoot at edges; the result is not clamped.
 *
 * @param raster  [H, W, C], read as it is stored.
 * @param options  `filter`: without one, `area` for a direction that shrinks and `cubic` for one that grows.
 */
export function resize(
  raster: Raster,
  size: { width: number; height: number },
  options: { filter?: ResizeFilter } = {},
): Pixels {
  checkRaster(raster, 'raster')
  checkSize(size, 'size')
  resolveOptions(OPTIONS, options)
  const filterFor = (from: number, to: number) => options.filter ?? (to < from ? 'area' : 'cubic')
  const { data, width, height, channels: c } = raster
  const out = createPixels(size.width, size.height, c)
  const columns = contributions(width, size.width, filterFor(width, size.width), sampleScale(raster))
  const rows = contributions(height, size.height, filterFor(height, size.height), 1)
  const across = c === 1 ? inFours(columns) : columns

  const memory = kernels()
  const bytes = size.width * c * 4
  const stride = Math.ceil(bytes / 16) * 16 + 16
  const [sourceAt, lineAt, firstAt, acrossAt, downAt, ringAt, outAt] = memory.room(
    ...[width * c * data.BYTES_PER_ELEMENT, (width + 4) * (c === 1 ? 4 : 16)],
    ...[across.first.byteLength, across.weights.byteLength, rows.weights.byteLength, stride * rows.taps, bytes],
  ) as [number, number, number, number, number, number, number]
  memory.integers(firstAt, across.first.length).set(across.first)
  memory.floats(acrossAt, across.weights.length).set(across.weights)
  memory.floats(downAt, rows.weights.length).set(rows.weights)
  const samples = memory.viewLike(data, sourceAt, width * c)
  const line = memory.floats(outAt, size.width * c)
  const kind = data.BYTES_PER_ELEMENT
  // Source rows are squeezed sideways when first needed and then added to every output row they touch.
  let ready = 0
  for (let y = 0; y < size.height; y++) {
    const first = rows.first[y]
    const last = Math.min(first + rows.taps, height)
    for (ready = Math.max(ready, first); ready < last; ready++) {
      samples.set(data.subarray(ready * width * c, (ready + 1) * width * c))
      const to = ringAt + (ready % rows.taps) * stride
      memory.call.resizeLine(sourceAt, kind, c, width, size.width, across.taps, firstAt, acrossAt, lineAt, to)
    }
    memory.call.sumLines(ringAt, stride, rows.taps, first, last, downAt + y * rows.taps * 4, bytes, outAt)
    out.data.set(line, y * size.width * c)
  }
  return out
}

/** For each output sample i: weights[i · taps …] of the source samples from first[i] on. */
interface Contributions {
  taps: number
  first: Int32Array
  weights: Float32Array
}

function contributions(from: number, to: number, filter: ResizeFilter, total: number): Contributions {
  const step = from / to
  const width = Math.max(1, step)
  const kernel = KERNELS[filter]
  const taps = Math.min(from, Math.ceil(2 * kernel.radius * width) + 1)
  const first = new Int32Array(to)
  const weights = new Float32Array(to * taps)
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * step - 0.5
    const start = Math.max(
      0,
      Math.min(from - taps, Math.ceil(centre - kernel.radius * width - 0.5 * (filter === 'area' ? 1 : 0))),
    )
    first[i] = start
    let sum = 0
    for (let k = 0; k < taps; k++) {
      const w = kernel.weight((start + k - centre) / width, 1 / width)
      weights[i * taps + k] = w
      sum += w
    }
    for (let k = 0; k < taps; k++) weights[i * taps + k] *= total / sum
  }
  return { taps, first, weights }
}

/** `weight(x, sample)`: of a sample at distance x in units of the kernel, itself `sample` wide. */
const KERNELS: Record<ResizeFilter, { radius: number; weight: (x: number, sample: number) => number }> = {
  // The part of the sample that lies inside the box.
  area: {
    radius: 0.5,
    weight: (x, sample) => Math.max(0, Math.min(0.5, x + sample / 2) - Math.max(-0.5, x - sample / 2)),
  },
  linear: { radius: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  cubic: {
    radius: 2,
    weight: (x) => {
      const t = Math.abs(x)
      if (t >= 2) return 0
      return t < 1 ? (1.5 * t - 2.5) * t * t + 1 : ((-0.5 * t + 2.5) * t - 4) * t + 2
    },
  },
  lanczos3: {
    radius: 3,
    weight: (x) => {
      if (Math.abs(x) >= 3) return 0
      if (Math.abs(x) < 1e-8) return 1
      return (3 * Math.sin(Math.PI * x) * Math.sin((Math.PI * x) / 3)) / (Math.PI * x) ** 2
    },
  },
}

/** The same with weights of 0 up to a multiple of four, as vectors take them. */
function inFours({ taps, first, weights }: Contributions): Contributions {
  const more = Math.ceil(taps / 4) * 4
  const padded = new Float32Array(first.length * more)
  for (let i = 0; i < first.length; i++) padded.set(weights.subarray(i * taps, (i + 1) * taps), i * more)
  return { taps: more, first, weights: padded }
}
