import type { FormatTraits } from './pixel-formats.js'

/** How the samples of a picture lie in memory and what they mean. */
export interface PlaneLayout extends FormatTraits {
  fullRange: boolean
  /** The shares of red and blue in luma. */
  kr: number
  kb: number
  /** Whether chroma sits between the pixels that share it ('center': JPEG) or on the left ones ('left': MPEG). */
  chromaSite: 'left' | 'center'
}

/**
 * Luma and chroma samples, or green, blue and red ones: one array for each plane with the number of its elements per
 * row. A plane of alpha may follow.
 */
export interface Planes {
  data: readonly (Uint8Array | Uint16Array)[]
  strides: readonly number[]
  width: number
  height: number
}

/** A part of a picture: columns left to right − 1, rows top to bottom − 1. */
export interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

/** Which planes hold red, green and blue. Source: libav's planar GBR formats. */
export const RGB_PLANES = [2, 0, 1] as const

/** The numbers of the transform between Y'CbCr samples and R'G'B'. */
export function transform(layout: PlaneLayout) {
  const { kr, kb } = layout
  const one = 2 ** (layout.bitDepth - 8)
  const lumaOffset = layout.fullRange ? 0 : 16 * one
  const lumaSpan = layout.fullRange ? 2 ** layout.bitDepth - 1 : 219 * one
  const chromaSpan = layout.fullRange ? 2 ** layout.bitDepth - 1 : 224 * one
  return { kr, kb, kg: 1 - kr - kb, lumaOffset, lumaSpan, chromaOffset: 128 * one, chromaSpan }
}
