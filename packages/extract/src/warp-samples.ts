import type { Affine, Pixels } from '@dfl/core'
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
  { planes, toRgb }: FrameSamples,
  frameToOutputMat: Affine,
  size: { width: number; height: number },
  { interpolation = 'linear', border = 0 }: WarpSamplesOptions = {},
): Pixels {
  const drawn = planes.map(({ raster, planeToFrameMat, black }, plane) =>
    warpAffine(raster, multiplyAffine(frameToOutputMat, planeToFrameMat), size, {
      interpolation,
      ...(border === 'replicate'
        ? { border }
        : { border: 'constant', borderValue: black + (plane === 0 ? border / (toRgb?.[0]?.[0] ?? 1) : 0) }),
    }),
  )
  const [first, u, v] = drawn as [Pixels, Pixels?, Pixels?]
  if (!toRgb) return first
  const out = new Float32Array(size.width * size.height * 3)
  if (u && v) toColour([first.data, u.data, v.data], toRgb, out)
  else {
    const [factor, shift] = toRgb[0] as [number, number]
    for (let i = 0; i < first.data.length; i++) out.fill(first.data[i]! * factor + shift, 3 * i, 3 * i + 3)
  }
  return { data: out, ...size, channels: 3 }
}

function toColour(
  [y, u, v]: [Float32Array, Float32Array, Float32Array],
  toRgb: readonly (readonly number[])[],
  out: Float32Array,
): void {
  const [ry, ru, rv, r1, gy, gu, gv, g1, by, bu, bv, b1] = toRgb.flat() as [
    ...[number, number, number, number],
    ...[number, number, number, number],
    ...[number, number, number, number],
  ]
  for (let i = 0, o = 0; i < y.length; i++, o += 3) {
    const [a, b, c] = [y[i]!, u[i]!, v[i]!]
    out[o] = ry * a + ru * b + rv * c + r1
    out[o + 1] = gy * a + gu * b + gv * c + g1
    out[o + 2] = by * a + bu * b + bv * c + b1
  }
}
