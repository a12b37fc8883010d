import type { Bitmap } from '@dfl/core'
import { chromaLines } from './chroma-lines.js'
import { kernels } from './kernels.js'
import { type Box, type PlaneLayout, type Planes, RGB_PLANES, transform } from './planes.js'

/**
 * A box of the picture as 16-bit words R'G'B', in its coded orientation: all that its samples hold.
 *
 * What lies outside of 0..1, such as luma above white, is cut off.
 *
 * Source: ITU-T H.273, section 8.3 (equations 23 to 58).
 */
export function planesToWords(planes: Planes, layout: PlaneLayout, box: Box): Bitmap {
  const [width, height] = [box.right - box.left, box.bottom - box.top]
  const data = new Uint16Array(width * height * 3)
  const out: Bitmap = { data, width, height, channels: 3 }
  if (layout.kind === 'rgb') {
    const scale = 65535 / (2 ** layout.bitDepth - 1)
    for (const [channel, plane] of RGB_PLANES.entries())
      for (let y = 0; y < height; y++) {
        let i = (box.top + y) * planes.strides[plane]! + box.left
        const from = planes.data[plane]!
        const end = (y + 1) * width * 3
        for (let o = y * width * 3 + channel; o < end; o += 3, i++) data[o] = from[i]! * scale + 0.5
      }
    return out
  }
  const t = transform(layout)
  const gray = layout.kind === 'gray'
  const memory = kernels()
  const chromaOf = gray ? undefined : chromaLines(memory, { planes, layout, box })
  chromaOf?.load(memory.room(...chromaOf.room))
  const none = new Int32Array(width)
  const luma = planes.data[0]!
  const yFactor = 65535 / t.lumaSpan
  // Chroma lines carry 16 times their value.
  const chroma = 65535 / t.chromaSpan / 16
  const rv = chroma * 2 * (1 - t.kr)
  const bu = chroma * 2 * (1 - t.kb)
  const gu = (chroma * 2 * t.kb * (1 - t.kb)) / t.kg
  const gv = (chroma * 2 * t.kr * (1 - t.kr)) / t.kg
  for (let y = 0, o = 0; y < height; y++) {
    const uLine = chromaOf ? memory.integers(chromaOf.line(1, y), width) : none
    const vLine = chromaOf ? memory.integers(chromaOf.line(2, y), width) : none
    let i = (box.top + y) * planes.strides[0]! + box.left
    for (let x = 0; x < width; x++, i++, o += 3) {
      const l = (luma[i]! - t.lumaOffset) * yFactor + 0.5
      const u = uLine[x]!
      const v = vLine[x]!
      data[o] = cut(l + rv * v)
      data[o + 1] = cut(l - gu * u - gv * v)
      data[o + 2] = cut(l + bu * u)
    }
  }
  return out
}

const cut = (value: number) => (value > 0 ? (value < 65535 ? value : 65535) : 0)

/** 16-bit words as bytes, rounded to nearest; bytes as they are. */
export function toBytes(bitmap: Bitmap): Bitmap {
  const { data } = bitmap
  if (data instanceof Uint8Array) return bitmap
  const out = new Uint8Array(data.length)
  for (let i = 0; i < data.length; i++) out[i] = (data[i]! * 255 + 32767) / 65535
  return { ...bitmap, data: out }
}

/** Bytes as 16-bit words of the same light; words as they are. */
export function toWords(bitmap: Bitmap): Bitmap {
  const { data } = bitmap
  return data instanceof Uint16Array ? bitmap : { ...bitmap, data: Uint16Array.from(data, (value) => value * 257) }
}
