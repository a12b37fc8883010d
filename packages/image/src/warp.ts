import { type Affine, DflError, type Pixels, type Raster, resolveOptions } from '@dfl/core'
import { invertAffine } from './affine.js'
import { checkChannels, checkRaster, checkSameShape, checkSize } from './checks.js'
import { createPixels } from './pixels.js'
import { cutTile, type Interpolation } from './warp-tile.js'

const OPTIONS = {
  interpolation: {
    type: 'choice',
    default: 'linear',
    choices: ['linear', 'cubic', 'lanczos3'],
    description: 'How values between pixels are made; cubic is Catmull-Rom, lanczos3 the sharpest.',
  },
  border: {
    type: 'choice',
    default: 'constant',
    choices: ['replicate', 'constant'],
    description: 'What lies outside the source: its nearest edge pixel, or borderValue.',
  },
  borderValue: { type: 'number', default: 0, description: 'The value outside the source, 0..1, for border constant.' },
  antialias: { type: 'boolean', default: true, description: 'Filter first where the source is made smaller.' },
  twoPass: { type: 'boolean', default: false, description: 'Sample across first, then down: faster, nearly the same.' },
} as const

/** How `warpAffine` samples: linear, constant border of 0 and antialias by default. Cubic is Catmull-Rom. */
export interface WarpOptions {
  interpolation?: Interpolation
  border?: 'replicate' | 'constant'
  borderValue?: number
  antialias?: boolean
  /**
   * Samples across first, then down, which takes a third of the time. Where the map turns, what is taken for above and below is
   * that much aslant: cubic pixels of a face that is turned by 10 degrees move by 0.03 of 255 levels in the mean. From 14 degrees
   * on, and for lanczos3 and four channels, it is not done. False by default.
   */
  twoPass?: boolean
  /**
   * [height, width, 1] of the result: each of its rows is only made from the first to the last pixel at which this is
   * above 0. What lies beyond is 0 or whatever `borderValue` is.
   */
  where?: Pixels
  /** Memory for the result, at least as long as it is; what it held is lost. New memory if not given. */
  into?: Float32Array
}

/**
 * `source` seen through an affine map: [height, width, C] float32 0..1.
 *
 * Pixel centres are mapped; (0, 0) is the centre of the upper-left pixel. Where the map makes things smaller, the needed
 * part of the source is first averaged over blocks and softened by what a bigger output pixel covers, so that nothing
 * aliases and the sharpness does not jump while a shot zooms. Cubic and lanczos3 overshoot at edges; the result is not
 * clamped.
 *
 * @param source  [H, W, C], sampled as it is stored.
 * @param sourceToOutputMat  Pixels of `source` → pixels of the result.
 * @throws DflError `BAD_OPTION` when the map cannot be inverted.
 *
 * Source: cubic: Keys 1981, https://doi.org/10.1109/TASSP.1981.1163711 (a = -0.5)
 */
export function warpAffine(
  source: Raster,
  sourceToOutputMat: Affine,
  size: { width: number; height: number },
  options: WarpOptions = {},
): Pixels {
  checkRaster(source, 'source')
  checkSize(size, 'size')
  const { where, into, ...chosen } = options
  const { interpolation, border, borderValue, antialias, twoPass } = resolveOptions(OPTIONS, chosen)
  const { width, height } = size
  const toSource = invertAffine(sourceToOutputMat)
  const out = into ? clearedPixels(into, size, source.channels) : createPixels(width, height, source.channels)
  if (where) {
    checkRaster(where, 'where')
    checkSameShape(out, where, 'where', false)
    checkChannels(where, 1, 'where')
  }
  const skipOutside = border === 'constant'
  if (skipOutside && borderValue !== 0) out.data.fill(borderValue)
  const tile = cutTile(source, {
    ...{ outputToSourceMat: toSource, size, interpolation, antialias, twoPass },
    outside: skipOutside ? borderValue : undefined,
    spare: [(width + 4) * out.channels * 4],
  })
  if (!tile) return out

  const { memory, spare, outputToTileMat } = tile
  const [dx, b, tx, dy, d, ty] = outputToTileMat
  const line = memory.floats(spare[0], width * out.channels)
  for (let row = 0; row < height; row++) {
    let from = 0
    let to = width
    if (skipOutside) {
      // Only the columns at which the source has a say: the others hold the border's value already.
      const [x0, x1] = span(b * row + tx, dx, tile.minX, tile.maxX, width)
      const [y0, y1] = span(d * row + ty, dy, tile.minY, tile.maxY, width)
      from = Math.max(x0, y0)
      to = Math.min(x1, y1)
    }
    if (where) {
      const first = row * width
      while (from < to && !(where.data[first + from] > 0)) from++
      while (from < to && !(where.data[first + to - 1] > 0)) to--
    }
    if (from >= to) continue
    tile.sampleRow(row, from, to, spare[0]!)
    out.data.set(line.subarray(0, (to - from) * out.channels), (row * width + from) * out.channels)
  }
  return out
}

/** Zeros in memory that is there already. */
function clearedPixels(
  memory: Float32Array,
  { width, height }: { width: number; height: number },
  channels: Pixels['channels'],
): Pixels {
  const length = width * height * channels
  if (memory.length < length)
    throw new DflError(
      'BAD_SHAPE',
      `Expected room for ${length} numbers in \`into\`, but got ${memory.length}. Give larger memory.`,
    )
  return { data: memory.subarray(0, length).fill(0), width, height, channels }
}

/** The columns [from, to) at which start + step · column lies between low and high. */
function span(start: number, step: number, low: number, high: number, width: number): [number, number] {
  if (Math.abs(step) < 1e-12) return start >= low && start <= high ? [0, width] : [0, 0]
  const p = (low - start) / step
  const q = (high - start) / step
  return [Math.max(0, Math.ceil(Math.min(p, q))), Math.min(width, Math.floor(Math.max(p, q)) + 1)]
}
