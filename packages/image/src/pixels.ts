import { type Bitmap, DflError, type Pixels, type Raster, type Rect } from '@dfl/core'
import { checkRaster, checkSize } from './checks.js'
import { zeros } from './scratch.js'

/** Black pixels of the given size: [H, W, C] float32, all 0. */
export function createPixels(width: number, height: number, channels: Pixels['channels']): Pixels {
  checkSize({ width, height }, 'size')
  return { data: zeros(width * height * channels), width, height, channels }
}

/** What a stored sample is multiplied with to become 0..1: 1 for floats, 1/255 for bytes, 1/65535 for 16-bit words. */
export function sampleScale(raster: Raster): number {
  if (raster.data instanceof Float32Array) return 1
  return raster.data instanceof Uint16Array ? 1 / 65535 : 1 / 255
}

/** The same picture as float32 0..1. Always a copy. */
export function toPixels(raster: Raster): Pixels {
  checkRaster(raster, 'raster')
  const { width, height, channels } = raster
  const data = Float32Array.from(raster.data)
  const scale = sampleScale(raster)
  if (scale !== 1) for (let i = 0; i < data.length; i++) data[i] *= scale
  return { data, width, height, channels }
}

/** The same picture as bytes or 16-bit words, rounded to nearest; what lies outside 0..1 is clamped, NaN becomes 0. */
export function toBitmap(pixels: Pixels, bits: 8 | 16 = 8): Bitmap {
  checkRaster(pixels, 'pixels')
  if (bits !== 8 && bits !== 16)
    throw new DflError('BAD_OPTION', `Expected 8 or 16 for \`bits\`, but got ${String(bits)}.`)
  const { data: from, width, height, channels } = pixels
  const peak = bits === 8 ? 255 : 65535
  const data = bits === 8 ? new Uint8Array(from.length) : new Uint16Array(from.length)
  for (let i = 0; i < from.length; i++) {
    const v = from[i] * peak + 0.5
    data[i] = v > peak ? peak : Math.max(v, 0)
  }
  return { data, width, height, channels }
}

/**
 * The part of `raster` inside `rect`, of the same kind as `raster`. What lies outside the raster is 0.
 *
 * @param rect  In pixels of `raster`: left and top as column and row, rounded to whole pixels.
 */
export function crop<T extends Raster>(raster: T, rect: Rect): T {
  checkRaster(raster, 'raster')
  const x = Math.round(rect.x)
  const y = Math.round(rect.y)
  const width = Math.round(rect.width)
  const height = Math.round(rect.height)
  checkSize({ width, height }, 'rect')
  const { channels } = raster
  const out = { ...raster, data: new (kindOf(raster))(width * height * channels), width, height }
  copyInto(out, raster, -x, -y)
  return out
}

/**
 * Puts `patch` into `target`, in place, with its upper-left pixel at column `x` and row `y`; what lies outside is dropped.
 *
 * @param target  [H, W, C], written to.
 * @param patch  [h, w, C], same kind of samples and same channels as `target`.
 */
export function paste<T extends Raster>(target: T, patch: T, x: number, y: number): void {
  checkRaster(target, 'target')
  checkRaster(patch, 'patch')
  if (kindOf(target) !== kindOf(patch) || target.channels !== patch.channels)
    throw new DflError(
      'BAD_SHAPE',
      `Expected ${target.channels} channels of ${kindOf(target).name} for \`patch\`, but got ` +
        `${patch.channels} of ${kindOf(patch).name}. Convert it first, as with toPixels.`,
    )
  copyInto(target, patch, Math.round(x), Math.round(y))
}

type SampleArray = new (length: number) => Float32Array & Uint8Array & Uint16Array

const kindOf = (raster: Raster) => raster.data.constructor as SampleArray

/** Copies the rows of `patch` that fall into `target`. */
function copyInto(target: Raster, patch: Raster, x: number, y: number): void {
  const c = target.channels
  const left = Math.max(0, x)
  const right = Math.min(target.width, x + patch.width)
  if (right <= left) return
  for (let row = Math.max(0, y); row < Math.min(target.height, y + patch.height); row++) {
    const from = ((row - y) * patch.width + left - x) * c
    target.data.set(patch.data.subarray(from, from + (right - left) * c), (row * target.width + left) * c)
  }
}
