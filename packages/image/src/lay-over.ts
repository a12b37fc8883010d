import type { Affine, Bitmap, Pixels } from '@dfl/core'
import { invertAffine } from './affine.js'
import { checkChannels, checkRaster, checkSameShape } from './checks.js'
import { cutTile } from './warp-tile.js'

/**
 * Lays `source`, seen through an affine map, over `target`, in place, as much as `alpha` says. Samples are cubic, made
 * in two passes (see `WarpOptions`); beyond the source its edge goes on.
 *
 * Pixels whose alpha is below a 512th keep their samples exactly, as a fourth channel does everywhere.
 *
 * @param target  [H, W, C] bytes or 16-bit words, written to; of gray, red is laid over.
 * @param source  [h, w, 3] float32; what lies outside 0..1 is cut off.
 * @param sourceToTargetMat  Pixels of `source` → pixels of `target`.
 * @param alpha  [H, W, 1] float32; written to: cut to 0..1, and to 0 below a 512th.
 * @throws DflError `BAD_OPTION` when the map cannot be inverted; `BAD_SHAPE`.
 *
 * Source: cubic: Keys 1981, https://doi.org/10.1109/TASSP.1981.1163711 (a = -0.5)
 */
export function layOver(target: Bitmap, source: Pixels, sourceToTargetMat: Affine, alpha: Pixels): void {
  checkRaster(target, 'target')
  checkRaster(source, 'source')
  checkChannels(source, 3, 'source')
  checkRaster(alpha, 'alpha')
  checkSameShape(target, alpha, 'alpha', false)
  checkChannels(alpha, 1, 'alpha')
  const { data, width, height, channels } = target
  const pixelBytes = channels * data.BYTES_PER_ELEMENT
  const tile = cutTile(source, {
    ...{
      outputToSourceMat: invertAffine(sourceToTargetMat),
      size: target,
      interpolation: 'cubic',
      antialias: true,
      twoPass: true,
    },
    spare: [(width + 4) * 12, width * 4, width * pixelBytes],
  })!
  const { memory, spare } = tile
  const [colourAt, shareAt, pixelAt] = spare as [number, number, number]
  const shares = memory.floats(shareAt, width)
  const pixels = memory.viewLike(data, pixelAt, width * channels)
  const words = data instanceof Uint16Array
  for (let row = 0; row < height; row++) {
    const first = row * width
    let from = 0
    let to = width
    while (from < to && !(alpha.data[first + from] > 0)) from++
    while (from < to && !(alpha.data[first + to - 1] > 0)) to--
    const count = to - from
    alpha.data.fill(0, first, first + from).fill(0, first + to, first + width)
    if (count === 0) continue
    shares.set(alpha.data.subarray(first + from, first + to))
    pixels.set(data.subarray((first + from) * channels, (first + to) * channels))
    tile.sampleRow(row, from, to, colourAt)
    memory.call.layRow(count, colourAt, shareAt, pixelAt, channels, words)
    alpha.data.set(shares.subarray(0, count), first + from)
    data.set(pixels.subarray(0, count * channels), (first + from) * channels)
  }
}
