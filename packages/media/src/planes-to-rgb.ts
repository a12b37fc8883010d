import type { Bitmap } from '@dfl/core'
import { chromaLines } from './chroma-lines.js'
import { kernels, regionOf } from './kernels.js'
import { type Box, type PlaneLayout, type Planes, RGB_PLANES, transform } from './planes.js'
import { planesToWords, toBytes } from './planes-to-words.js'

/**
 * The picture, or a part of it, as RGB bytes, in its coded orientation.
 *
 * Chroma is interpolated linearly from where the layout says it sits.
 *
 * @param options `box`: inside the picture; all of it if not given. `bytesOf`: gives memory for so many bytes; new memory if not
 * given.
 *
 * Source: ITU-T H.273, section 8.3 (equations 23 to 58).
 */
export function planesToRgb(
  planes: Planes,
  layout: PlaneLayout,
  options: { box?: Box; bytesOf?: ((length: number) => Uint8Array) | undefined } = {},
): Bitmap {
  const { box = { left: 0, top: 0, right: planes.width, bottom: planes.height } } = options
  const { bytesOf = (length) => new Uint8Array(length) } = options
  const [width, height] = [box.right - box.left, box.bottom - box.top]
  // Fixed point has too few digits for more.
  if (layout.bitDepth > 12 || (layout.kind === 'rgb' && layout.bitDepth > 8))
    return toBytes(planesToWords(planes, layout, box))
  if (layout.kind === 'rgb') {
    const data = bytesOf(width * height * 3)
    for (const [channel, plane] of RGB_PLANES.entries())
      for (let y = 0, o = channel; y < height; y++) {
        let i = (box.top + y) * planes.strides[plane]! + box.left
        for (const end = i + width; i < end; i++, o += 3) data[o] = planes.data[plane]![i]!
      }
    return { data, width, height, channels: 3 }
  }
  const luma = planes.data[0]!
  const stride = planes.strides[0]!
  const memory = kernels()
  const length = width * height * 3
  const region = regionOf(luma, stride, box)
  const { BYTES_PER_ELEMENT: size } = luma
  const chroma = layout.kind === 'yuv' ? chromaLines(memory, { planes, layout, box }) : undefined
  const [out, from, ...places] = memory.room(length, region.length * size, ...(chroma?.room ?? [width * 4 + 16])) as [
    number,
    number,
    ...number[],
  ]
  memory.call.useFactors(size === 2, ...factorsOf(layout))
  region.load(memory, from)
  // Gray has chroma of 0 all over.
  if (chroma) chroma.load(places)
  else memory.integers(places[0]!, width + 4).fill(0)
  for (let y = 0; y < height; y++) {
    const u = chroma ? chroma.line(1, y) : places[0]!
    const v = chroma ? chroma.line(2, y) : places[0]!
    memory.call.rgbRow(from + y * stride * size, u, v, width, out + y * width * 3)
  }
  const data = bytesOf(length)
  data.set(memory.bytes(out, length))
  return { data, width, height, channels: 3 }
}

/**
 * How samples become bytes in fixed point: digits, what is added before they are dropped, and the factors of luma, of V in red,
 * of U and V in green and of U in blue. Luma's carry 2^shift; chroma lines carry 16 times their value, so their factors carry
 * 2^shift / 16.
 */
function factorsOf(layout: PlaneLayout): number[] {
  const t = transform(layout)
  const shift = 24 - layout.bitDepth
  const scale = 2 ** shift
  const luma = Math.round((255 / t.lumaSpan) * scale)
  const chroma = (factor: number) => Math.round((((255 / t.chromaSpan) * scale) / 16) * factor)
  return [
    shift,
    (1 << (shift - 1)) - t.lumaOffset * luma,
    luma,
    chroma(2 * (1 - t.kr)),
    chroma((2 * t.kb * (1 - t.kb)) / t.kg),
    chroma((2 * t.kr * (1 - t.kr)) / t.kg),
    chroma(2 * (1 - t.kb)),
  ]
}
