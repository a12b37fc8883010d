import type { Affine, Bitmap, Rect } from '@dfl/core'
import type { FramePart } from './frame.js'
import { snapped } from './frame-part.js'
import { type Box, type PlaneLayout, type Planes, transform } from './planes.js'
import { type Rotation, turnBack, turnRect } from './turn.js'

/** One plane of a frame's samples and where it lies. */
export interface SamplePlane {
  /** [h, w, 1] samples; [h, w, 3] where they are RGB already. */
  raster: Bitmap
  /** Pixels of the plane → pixels of the frame. */
  planeToFrameMat: Affine
  /** Its value where the frame is black, 0..1 of what the array can hold. */
  black: number
}

/** A copy of the samples of a part of a frame, as they are stored. Plain data: can be handed to another thread. */
export interface FrameSamples {
  /** One plane of RGB, or luma and, unless it is gray, two of chroma. */
  planes: readonly SamplePlane[]
  /**
   * How 0..1 of red, green and blue come from the planes' values, where those are 0..1 of what their arrays can hold: for
   * each colour the factor of each plane, then what is added. Nothing where the samples are RGB already.
   */
  toRgb?: readonly (readonly number[])[]
}

/** A part that is made already as samples. */
export function partSamples({ bitmap, x, y, reduce }: FramePart): FrameSamples {
  const shift = (reduce - 1) / 2
  const raster = { ...bitmap, data: bitmap.data.slice() }
  return { planes: [{ raster, planeToFrameMat: [reduce, 0, x + shift, 0, reduce, y + shift], black: 0 }] }
}

/** Which part of an upright frame is wanted. */
interface Wanted {
  /** In pixels of the upright frame. */
  rect: Rect
  /** Of the picture as it is coded, before it was made smaller. */
  coded: { width: number; height: number }
  rotationDegrees: Rotation
}

/** The part that holds `rect` of a picture's planes, which may be those of the picture made smaller. */
export function planeSamples(
  planes: Planes,
  layout: PlaneLayout,
  { rect, coded, rotationDegrees }: Wanted,
): FrameSamples {
  const sideways = rotationDegrees === 90 || rotationDegrees === 270
  const upright = sideways ? { width: coded.height, height: coded.width } : coded
  const inCoded = turnRect(rect, upright, turnBack(rotationDegrees))
  const { lumaOffset, chromaOffset } = transform(layout)
  const full = layout.bitDepth === 8 ? 0xff : 0xffff
  const [a, b, tx, c, d, ty] = uprightMat(coded, rotationDegrees)
  const box = snapped(scaledRect(inCoded, planes.width / coded.width, planes.height / coded.height), planes, 2)
  const cut = planes.data.slice(0, layout.kind === 'gray' ? 1 : 3).map((data, plane): SamplePlane => {
    const [shiftX, shiftY] = plane === 0 ? [0, 0] : [layout.chromaShiftX, layout.chromaShiftY]
    const raster = copyOf(data, planes.strides[plane]!, {
      left: box.left >> shiftX,
      top: box.top >> shiftY,
      right: (box.right + shiftX) >> shiftX,
      bottom: (box.bottom + shiftY) >> shiftY,
    })
    // The middle of the pixels that share a sample, or the left ones of them.
    const siteX = shiftX === 1 && layout.chromaSite === 'center' ? 0.5 : 0
    const siteY = shiftY === 1 ? 0.5 : 0
    const [sx, x0] = placeOf(coded.width, planes.width, { shift: shiftX, site: siteX, first: box.left >> shiftX })
    const [sy, y0] = placeOf(coded.height, planes.height, { shift: shiftY, site: siteY, first: box.top >> shiftY })
    return {
      raster,
      planeToFrameMat: [a * sx, b * sy, a * x0 + b * y0 + tx, c * sx, d * sy, c * x0 + d * y0 + ty],
      black: (plane === 0 ? lumaOffset : chromaOffset) / full,
    }
  })
  return { planes: cut, toRgb: rgbFactors(layout) }
}

/** Step from sample to sample of a plane, in pixels of the coded picture, and where the one at `first` sits. */
function placeOf(
  length: number,
  smaller: number,
  { shift, site, first }: { shift: number; site: number; first: number },
): [number, number] {
  const samplesOf = (pixels: number) => (pixels + shift) >> shift
  const ratio = samplesOf(length) / samplesOf(smaller)
  return [ratio * (1 << shift), ((first + 0.5) * ratio - 0.5) * (1 << shift) + site]
}

const scaledRect = ({ x, y, width, height }: Rect, across: number, down: number): Rect => ({
  x: x * across,
  y: y * down,
  width: width * across,
  height: height * down,
})

function copyOf(data: Uint8Array | Uint16Array, stride: number, { left, top, right, bottom }: Box): Bitmap {
  const [width, height] = [right - left, bottom - top]
  const out = data instanceof Uint16Array ? new Uint16Array(width * height) : new Uint8Array(width * height)
  for (let y = 0; y < height; y++) {
    const from = (top + y) * stride + left
    out.set(data.subarray(from, from + width), y * width)
  }
  return { data: out, width, height, channels: 1 }
}

/** For red, green and blue: the factor of each plane, and what is added. Source: ITU-T H.273, section 8.3 */
function rgbFactors(layout: PlaneLayout): number[][] {
  const { kr, kg, kb, lumaOffset, lumaSpan, chromaOffset, chromaSpan } = transform(layout)
  const full = layout.bitDepth === 8 ? 0xff : 0xffff
  const luma = full / lumaSpan
  if (layout.kind === 'gray') return [0, 1, 2].map(() => [luma, -lumaOffset / lumaSpan])
  const row = (u: number, v: number) => [
    luma,
    (u * full) / chromaSpan,
    (v * full) / chromaSpan,
    -lumaOffset / lumaSpan - ((u + v) * chromaOffset) / chromaSpan,
  ]
  return [row(0, 2 * (1 - kr)), row((-2 * kb * (1 - kb)) / kg, (-2 * kr * (1 - kr)) / kg), row(2 * (1 - kb), 0)]
}

/** Pixels of a coded picture → pixels of the picture turned clockwise. */
function uprightMat({ width, height }: { width: number; height: number }, degrees: Rotation): Affine {
  if (degrees === 90) return [0, -1, height - 1, 1, 0, 0]
  if (degrees === 180) return [-1, 0, width - 1, 0, -1, height - 1]
  if (degrees === 270) return [0, 1, 0, -1, 0, width - 1]
  return [1, 0, 0, 0, 1, 0]
}
