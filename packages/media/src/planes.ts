/** How the samples of a picture lie in memory and what they mean. */
export interface PlaneLayout {
  /** How many pixels share a chroma sample, as a power of two: 4:2:0 is 1 and 1, 4:4:4 is 0 and 0. */
  chromaShiftX: 0 | 1
  chromaShiftY: 0 | 1
  gray: boolean
  /** 8 to 12. */
  bitDepth: number
  fullRange: boolean
  /** The shares of red and blue in luma. */
  kr: number
  kb: number
  /** Whether chroma sits between the pixels that share it ('center': JPEG) or on the left ones ('left': MPEG). */
  chromaSite: 'left' | 'center'
}

/** Luma and chroma samples: one array for each plane with the number of its elements per row. */
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

/** The pixel formats whose samples are read and painted directly; all others are converted to one of them first. */
export const PLANAR_FORMATS: Readonly<Record<string, Pick<PlaneLayout, 'chromaShiftX' | 'chromaShiftY' | 'bitDepth'>>> =
  {
    gray: { chromaShiftX: 0, chromaShiftY: 0, bitDepth: 8 },
    ...Object.fromEntries(
      (['420', '422', '444'] as const).flatMap((kind) => {
        const shifts = { chromaShiftX: kind === '444' ? 0 : 1, chromaShiftY: kind === '420' ? 1 : 0 } as const
        return [
          [`yuv${kind}p`, { ...shifts, bitDepth: 8 }],
          [`yuv${kind}p10le`, { ...shifts, bitDepth: 10 }],
          [`yuv${kind}p12le`, { ...shifts, bitDepth: 12 }],
        ]
      }),
    ),
  }

/** The numbers of the transform between Y'CbCr samples and R'G'B' bytes. */
export function transform(layout: PlaneLayout) {
  const { kr, kb } = layout
  const one = 2 ** (layout.bitDepth - 8)
  const lumaOffset = layout.fullRange ? 0 : 16 * one
  const lumaSpan = layout.fullRange ? 2 ** layout.bitDepth - 1 : 219 * one
  const chromaSpan = layout.fullRange ? 2 ** layout.bitDepth - 1 : 224 * one
  return { kr, kb, kg: 1 - kr - kb, lumaOffset, lumaSpan, chromaOffset: 128 * one, chromaSpan }
}
