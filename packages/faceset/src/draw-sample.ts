import type { Affine } from '@dfl/core'
import { multiplyAffine } from '@dfl/image'
import type { Augmentation, HsvShift } from './augment.js'
import { type CutSpec, cutSide, type FaceCut, faceToCutMat } from './cut-face.js'
import { displacements } from './random-warp.js'

/** The samples of one side of a batch: N samples, R pixels a side, RGB, 0..1. */
export interface SideBatch {
  /** [N, R, R, 3] what the model sees. */
  warped: Float32Array
  /** [N, R, R, 3] what it must paint. */
  target: Float32Array
  /** [N, R, R, 1] where the face is, in the geometry of `target`. */
  mask: Float32Array
  /** [N, R, R, 1] eyes and mouth, in the geometry of `target`; only if asked for. */
  eyesMouth?: Float32Array
}

/** Room for `count` samples. */
export function createSideBatch(count: number, { resolution, eyesMouth }: CutSpec): SideBatch {
  const plane = count * resolution * resolution
  return {
    warped: new Float32Array(plane * 3),
    target: new Float32Array(plane * 3),
    mask: new Float32Array(plane),
    ...(eyesMouth && { eyesMouth: new Float32Array(plane) }),
  }
}

/** The pixels of one sample: [R, R, 3] each, 0..1. */
export type SamplePixels = Pick<SideBatch, 'warped' | 'target'>

/** What a sample is made of. */
interface SampleSource {
  cut: FaceCut
  spec: CutSpec
  augmentation: Augmentation
  /** Changes the colours of both pictures, in place, before the hue and so on of `warped` is. */
  recolour?: (sample: SamplePixels) => void
}

/**
 * Draws sample number `at` of `out`. Every picture is sampled from the cut once, bilinear: turning, zooming, mirroring,
 * shrinking to the model's resolution and the random warp are one map.
 */
export function drawSample(out: SideBatch, at: number, { cut, spec, augmentation, recolour }: SampleSource): void {
  const { resolution, eyesMouth } = spec
  const { sampleToFaceMat, warp, hsv } = augmentation
  const plane = resolution * resolution
  const sampleToCutMat = multiplyAffine(faceToCutMat(spec), sampleToFaceMat)
  const side = cutSide(spec)
  const bytes = new Uint8Array(cut)
  const target = out.target.subarray(at * plane * 3, (at + 1) * plane * 3)
  const warped = out.warped.subarray(at * plane * 3, (at + 1) * plane * 3)
  const mask = out.mask.subarray(at * plane, (at + 1) * plane)
  sampleFace(bytes, side, sampleToCutMat, resolution, { rgb: target, mask })
  if (warp) {
    const moves = new Float32Array(2 * plane)
    displacements(warp, moves)
    sampleFace(bytes, side, sampleToCutMat, resolution, { rgb: warped, moves })
  } else warped.set(target)
  recolour?.({ target, warped })
  if (hsv) shiftHsv(warped, hsv)
  if (eyesMouth && out.eyesMouth)
    samplePlane(
      bytes.subarray(side * side * 4),
      side,
      sampleToCutMat,
      resolution,
      out.eyesMouth.subarray(at * plane, (at + 1) * plane),
    )
}

/** Samples colours, and the mask where it is wanted. Beyond the cut colours repeat its edge and the mask is 0. */
function sampleFace(
  cut: Uint8Array,
  side: number,
  [a, b, tx, c, d, ty]: Affine,
  resolution: number,
  { rgb, mask, moves }: { rgb: Float32Array; mask?: Float32Array; moves?: Float32Array },
): void {
  const plane = resolution * resolution
  const last = side - 1
  const down = side * 4
  const scale = 1 / 255
  for (let y = 0, i = 0; y < resolution; y++) {
    for (let x = 0; x < resolution; x++, i++) {
      const px = moves ? x + moves[i] : x
      const py = moves ? y + moves[plane + i] : y
      const u = a * px + b * py + tx
      const v = c * px + d * py + ty
      const cu = Math.min(last, Math.max(0, u))
      const cv = Math.min(last, Math.max(0, v))
      const u0 = cu < last ? cu | 0 : last - 1
      const v0 = cv < last ? cv | 0 : last - 1
      const fu = cu - u0
      const fv = cv - v0
      const w11 = fu * fv * scale
      const w01 = fu * scale - w11
      const w10 = fv * scale - w11
      const w00 = scale - w01 - w10 - w11
      const p = v0 * down + u0 * 4
      const q = p + down
      const o = i * 3
      rgb[o] = w00 * cut[p] + w01 * cut[p + 4] + w10 * cut[q] + w11 * cut[q + 4]
      rgb[o + 1] = w00 * cut[p + 1] + w01 * cut[p + 5] + w10 * cut[q + 1] + w11 * cut[q + 5]
      rgb[o + 2] = w00 * cut[p + 2] + w01 * cut[p + 6] + w10 * cut[q + 2] + w11 * cut[q + 6]
      if (mask && u >= -0.5 && u <= last + 0.5 && v >= -0.5 && v <= last + 0.5)
        mask[i] = w00 * cut[p + 3] + w01 * cut[p + 7] + w10 * cut[q + 3] + w11 * cut[q + 7]
    }
  }
}

/** Samples a plane of one byte a pixel, 0 beyond its edge. */
function samplePlane(from: Uint8Array, side: number, mat: Affine, resolution: number, to: Float32Array): void {
  const [a, b, tx, c, d, ty] = mat
  const last = side - 1
  for (let y = 0, i = 0; y < resolution; y++) {
    for (let x = 0; x < resolution; x++, i++) {
      const u = a * x + b * y + tx
      const v = c * x + d * y + ty
      if (u < 0 || u > last || v < 0 || v > last) continue
      const u0 = u < last ? u | 0 : last - 1
      const v0 = v < last ? v | 0 : last - 1
      const fu = u - u0
      const fv = v - v0
      const p = v0 * side + u0
      const top = from[p] + fu * (from[p + 1] - from[p])
      const bottom = from[p + side] + fu * (from[p + side + 1] - from[p + side])
      to[i] = (top + fv * (bottom - top)) / 255
    }
  }
}

/** Moves hue, saturation and value of RGB pixels, in place. Source: Smith 1978, https://doi.org/10.1145/965139.807361 */
export function shiftHsv(rgb: Float32Array, { hue, saturation, value }: HsvShift): void {
  for (let i = 0; i < rgb.length; i += 3) {
    const r = rgb[i]
    const g = rgb[i + 1]
    const b = rgb[i + 2]
    const max = Math.max(r, g, b)
    const chroma = max - Math.min(r, g, b)
    let h = 0
    if (chroma > 0) {
      if (max === r) h = (g - b) / chroma
      else if (max === g) h = (b - r) / chroma + 2
      else h = (r - g) / chroma + 4
    }
    h = h / 6 + hue
    h = (h - Math.floor(h)) * 6
    const s = max > 0 ? clamp(chroma / max + saturation) : 0
    const v = clamp(max + value)
    rgb[i] = channel(5, h, s, v)
    rgb[i + 1] = channel(3, h, s, v)
    rgb[i + 2] = channel(1, h, s, v)
  }
}

const clamp = (x: number) => Math.min(1, Math.max(0, x))

function channel(n: number, h: number, s: number, v: number): number {
  const k = n + h < 6 ? n + h : n + h - 6
  return v - v * s * clamp(Math.min(k, 4 - k))
}
