import { type Pixels, type Raster, resolveOptions } from '@dfl/core'
import { checkRaster, checkSize } from './checks.js'
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
  const { channels: c } = raster
  const out = createPixels(size.width, size.height, c)
  const columns = contributions(raster.width, size.width, filterFor(raster.width, size.width), sampleScale(raster))
  const rows = contributions(raster.height, size.height, filterFor(raster.height, size.height), 1)

  // Source rows are squeezed sideways when first needed and then added to every output row they touch.
  const stride = size.width * c
  const line = new Float32Array(raster.width * c)
  const window: Float32Array[] = Array.from({ length: rows.taps }, () => new Float32Array(stride))
  let ready = 0
  for (let y = 0; y < size.height; y++) {
    const first = rows.first[y]
    const last = Math.min(first + rows.taps, raster.height)
    for (ready = Math.max(ready, first); ready < last; ready++) {
      line.set(raster.data.subarray(ready * line.length, (ready + 1) * line.length))
      resizeLine(line, columns, c, window[ready % rows.taps])
    }
    for (let k = 0; first + k < last; k++) {
      const w = rows.weights[y * rows.taps + k]
      if (w !== 0) addScaled(out.data, y * stride, window[(first + k) % rows.taps], w)
    }
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

function resizeLine(line: Float32Array, { taps, first, weights }: Contributions, c: number, out: Float32Array): void {
  let o = 0
  if (c === 3) {
    for (let x = 0, w = 0; x < first.length; x++) {
      let r = 0
      let g = 0
      let b = 0
      let p = first[x] * 3
      for (const end = w + taps; w < end; w++, p += 3) {
        const weight = weights[w]
        r += line[p] * weight
        g += line[p + 1] * weight
        b += line[p + 2] * weight
      }
      out[o++] = r
      out[o++] = g
      out[o++] = b
    }
    return
  }
  for (let x = 0; x < first.length; x++) {
    for (let channel = 0; channel < c; channel++) {
      let sum = 0
      for (let k = 0, p = first[x] * c + channel; k < taps; k++, p += c) sum += line[p] * weights[x * taps + k]
      out[o++] = sum
    }
  }
}

function addScaled(out: Float32Array, at: number, line: Float32Array, w: number): void {
  for (let i = 0; i < line.length; i++) out[at + i] += line[i] * w
}
