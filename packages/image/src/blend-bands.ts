import type { Pixels } from '@dfl/core'
import { checkChannels, checkRaster, checkSameShape } from './checks.js'
import { createPixels } from './pixels.js'
import { resize } from './resize.js'

/**
 * `top` over `bottom`, each band of frequencies blended over a width of its own: [H, W, C], not clamped.
 *
 * Coarse differences of light change over a wide edge, fine detail over a narrow one, so that there is neither a seam nor
 * a ghost of both.
 *
 * @param mask  [H, W, 1] float32 0..1: 1 shows `top`.
 * @param options  `levels`: bands; each has half the resolution of the one before.
 *
 * Source: Burt, Adelson 1983, A multiresolution spline with application to image mosaics,
 * https://doi.org/10.1145/245.247. Deviation: area and cubic filters in place of the 5-tap kernel.
 */
export function blendBands(
  top: Pixels,
  bottom: Pixels,
  mask: Pixels,
  { levels = 5 }: { levels?: number } = {},
): Pixels {
  checkRaster(top, 'top')
  checkSameShape(top, bottom, 'bottom')
  checkSameShape(top, mask, 'mask', false)
  checkChannels(mask, 1, 'mask')
  const { width, height } = top
  const smaller = { width: (width + 1) >> 1, height: (height + 1) >> 1 }
  if (levels <= 1 || Math.min(smaller.width, smaller.height) < 4) return mix(top, bottom, mask)
  const [coarseTop, coarseBottom] = [resize(top, smaller), resize(bottom, smaller)]
  const coarse = blendBands(coarseTop, coarseBottom, resize(mask, smaller), { levels: levels - 1 })
  const band = (fine: Pixels, low: Pixels) => subtract(fine, resize(low, { width, height }))
  const out = resize(coarse, { width, height })
  const detail = mix(band(top, coarseTop), band(bottom, coarseBottom), mask)
  for (let i = 0; i < out.data.length; i++) out.data[i] += detail.data[i]
  return out
}

function mix(top: Pixels, bottom: Pixels, mask: Pixels): Pixels {
  const out = createPixels(top.width, top.height, top.channels)
  const c = top.channels
  for (let p = 0, i = 0; p < mask.data.length; p++)
    for (let k = 0; k < c; k++, i++) out.data[i] = bottom.data[i] + mask.data[p] * (top.data[i] - bottom.data[i])
  return out
}

/** `a` − `b`, into `b`. */
function subtract(a: Pixels, b: Pixels): Pixels {
  for (let i = 0; i < b.data.length; i++) b.data[i] = a.data[i] - b.data[i]
  return b
}
