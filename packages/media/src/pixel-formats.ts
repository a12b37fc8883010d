import type { AvPixelFormat, Libav } from './libav.js'

/** What a pixel format can hold. */
export interface FormatTraits {
  kind: 'yuv' | 'rgb' | 'gray'
  alpha: boolean
  /** Of one sample; 32 for floats. */
  bitDepth: number
  /** How many pixels share a chroma sample, as a power of two: 4:2:0 is 1 and 1, 4:4:4 is 0 and 0. */
  chromaShiftX: 0 | 1
  chromaShiftY: 0 | 1
}

/** The pixel formats whose samples are read and painted directly; all others are converted to one of them first. */
export const PLANAR_FORMATS: Readonly<Record<string, FormatTraits>> = planarFormats()

function planarFormats(): Record<string, FormatTraits> {
  const out: Record<string, FormatTraits> = {}
  const whole = { chromaShiftX: 0, chromaShiftY: 0 } as const
  for (const bitDepth of [8, 9, 10, 12, 14, 16]) {
    const ending = bitDepth === 8 ? '' : `${bitDepth}le`
    out[`gray${ending}`] = { kind: 'gray', alpha: false, bitDepth, ...whole }
    for (const alpha of [false, true]) {
      out[`gbr${alpha ? 'a' : ''}p${ending}`] = { kind: 'rgb', alpha, bitDepth, ...whole }
      for (const chroma of ['420', '422', '444'])
        out[`yuv${alpha ? 'a' : ''}${chroma}p${ending}`] = {
          kind: 'yuv',
          alpha,
          bitDepth,
          chromaShiftX: chroma === '444' ? 0 : 1,
          chromaShiftY: chroma === '420' ? 1 : 0,
        }
    }
  }
  return out
}

/** What a format of any name can hold, as far as its name tells: 'nv12' is 4:2:0, 'rgba64le' has alpha and 16 bits. */
export function traitsOf(name: string): FormatTraits {
  const known = PLANAR_FORMATS[name]
  if (known) return known
  const kind = /rgb|bgr|gbr|pal8|mono|[0r]bg|xyz/.test(name) ? 'rgb' : /^(gray|ya)/.test(name) ? 'gray' : 'yuv'
  const alpha = /^(yuva|gbrap|ya|ayuv|vuya|pal8)|rgba|bgra|argb|abgr/.test(name)
  const full = kind !== 'yuv' || /444|^p4|^nv(24|42)|ayuv|vuy|xv/.test(name)
  const tall = full || /422|^p2|^nv(16|20)|yuyv|uyvy|yvyu|^y2/.test(name)
  const shifts = { chromaShiftX: full ? 0 : 1, chromaShiftY: tall ? 0 : 1 } as const
  return { kind, alpha, bitDepth: bitDepthOf(name), ...shifts }
}

/** The digits that pixel format names end in where a sample has more than 8 bits: yuv420p10le, p010le, rgb48le. */
function bitDepthOf(name: string): number {
  if (/f32/.test(name)) return 32
  if (/f16|^(rgb|bgr)48|^(rgba|bgra)64|^x?ya?f?16/.test(name)) return 16
  const digits = /(?:p|gray|p0|p2|p4|ya|xv|y2|nv2|x2rgb|x2bgr)(9|10|12|14|16|20)(?:msb)?(?:le|be)?$/.exec(name)?.[1]
  return digits === undefined ? 8 : digits === '20' ? 10 : Number(digits)
}

/** The format among those named that keeps most of what `from` holds, and of several that do, the smallest. */
export function nearestFormat(from: FormatTraits, names: readonly string[]): string | undefined {
  const cost = (name: string): number => {
    const to = traitsOf(name)
    const lostBits = Math.max(0, from.bitDepth - to.bitDepth)
    const lostChroma =
      from.kind === 'gray' ? 0 : to.chromaShiftX - from.chromaShiftX + to.chromaShiftY - from.chromaShiftY
    let sum = lostBits * 40 + Math.max(0, to.bitDepth - from.bitDepth) * 0.1
    sum += lostChroma > 0 ? lostChroma * 100 : -lostChroma
    if (from.alpha && !to.alpha) sum += 10
    if (!from.alpha && to.alpha) sum += 5
    if (to.kind === 'gray' && from.kind !== 'gray') sum += 10_000
    if (from.kind === 'gray' && to.kind !== 'gray') sum += 3
    if (from.kind !== 'gray' && to.kind !== 'gray' && from.kind !== to.kind) sum += 1000
    return sum
  }
  return [...names].sort((a, b) => cost(a) - cost(b))[0]
}

/** Where to convert a picture that cannot be read directly. */
export function nearestPlanar(libav: Libav, format: AvPixelFormat): AvPixelFormat {
  const name = libav.avGetPixFmtName(format) ?? ''
  const traits = traitsOf(name)
  return libav.avGetPixFmtFromName(
    nearestFormat({ ...traits, bitDepth: Math.min(16, traits.bitDepth) }, Object.keys(PLANAR_FORMATS))!,
  )
}
