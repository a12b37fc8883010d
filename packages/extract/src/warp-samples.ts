import type { Affine, Bitmap, Pixels } from '@dfl/core'
import { multiplyAffine, warpAffine } from '@dfl/image'
import type { FrameSamples } from '@dfl/media'

/** How a part of a frame is drawn. */
export interface WarpSamplesOptions {
  /** `linear` for networks, `cubic` for what is kept. */
  interpolation?: 'linear' | 'cubic'
  /** What lies outside the frame: its nearest edge pixel, or a gray of 0 (black, default) to 1. */
  border?: 'replicate' | number
}

/**
 * Samples of a frame seen through an affine map: [height, width, 3] RGB, 0..1; not clamped.
 *
 * Luma and chroma are filtered and sampled as they are, and only what comes out is converted. That takes a third of the
 * time of converting first, and rounds nothing in between.
 *
 * @param frameToOutputMat  Pixels of the frame → pixels of the result.
 */
export function warpSamples(
  samples: FrameSamples,
  frameToOutputMat: Affine,
  size: { width: number; height: number },
  options: WarpSamplesOptions = {},
): Pixels {
  const drawn = drawnPlanes(samples, frameToOutputMat, size, options)
  if (!samples.toRgb) return drawn[0]
  const out = new Float32Array(size.width * size.height * 3)
  toColour(drawn, samples.toRgb, out)
  return { data: out, ...size, channels: 3 }
}

/** The same as bytes, rounded to nearest and clamped. */
export function warpSamplesToBytes(
  samples: FrameSamples,
  frameToOutputMat: Affine,
  size: { width: number; height: number },
  options: WarpSamplesOptions = {},
): Bitmap {
  const drawn = drawnPlanes(samples, frameToOutputMat, size, options)
  const out = new Uint8ClampedArray(size.width * size.height * 3) // Clamps and rounds.
  if (samples.toRgb)
    toColour(
      drawn,
      samples.toRgb.map((row) => row.map((factor) => factor * 255)),
      out,
    )
  else for (let i = 0; i < out.length; i++) out[i] = drawn[0].data[i]! * 255
  return { data: new Uint8Array(out.buffer), ...size, channels: 3 }
}

/** Each plane seen through the map, one channel each; one of RGB where the samples are that. */
function drawnPlanes(
  { planes, toRgb }: FrameSamples,
  frameToOutputMat: Affine,
  size: { width: number; height: number },
  { interpolation = 'linear', border = 0 }: WarpSamplesOptions,
): [Pixels, ...Pixels[]] {
  return planes.map(({ raster, planeToFrameMat, black }, plane) =>
    warpAffine(raster, multiplyAffine(frameToOutputMat, planeToFrameMat), size, {
      // Chroma that is stored at half the size has nothing in it that a wider kernel would keep.
      interpolation: raster.width < planes[0]!.raster.width ? 'linear' : interpolation,
      ...(border === 'replicate'
        ? { border }
        : { border: 'constant', borderValue: black + (plane === 0 ? border / (toRgb?.[0]?.[0] ?? 1) : 0) }),
    }),
  ) as [Pixels, ...Pixels[]]
}

/** Writes red, green and blue side by side, made of one plane or three. */
function toColour(
  planes: readonly [Pixels, ...Pixels[]],
  toRgb: readonly (readonly number[])[],
  out: Float32Array | Uint8ClampedArray,
): void {
  const y = planes[0].data
  const [u, v] = [planes[1]?.data, planes[2]?.data]
  if (!u || !v) {
    const [factor, shift] = toRgb[0] as [number, number]
    for (let i = 0; i < y.length; i++) out.fill(y[i]! * factor + shift, 3 * i, 3 * i + 3)
    return
  }
  const [ry, ru, rv, r1, gy, gu, gv, g1, by, bu, bv, b1] = toRgb.flat() as [
    ...[number, number, number, number],
    ...[number, number, number, number],
    ...[number, number, number, number],
  ]
  for (let i = 0, o = 0; i < y.length; i++, o += 3) {
    const a = y[i]!
    const b = u[i]!
    const c = v[i]!
    out[o] = ry * a + ru * b + rv * c + r1
    out[o + 1] = gy * a + gu * b + gv * c + g1
    out[o + 2] = by * a + bu * b + bv * c + b1
  }
}
