/** What a video says about its colours, in ITU-T H.273's names; 'unknown' where it says nothing. */
export interface ColorTags {
  primaries: string
  transfer: string
  matrix: string
  /** 'limited': luma 16..235; 'full': 0..255. */
  range: 'unknown' | 'limited' | 'full'
}

/** Names, placed by code number. Source: ITU-T H.273, tables 2 to 4, https://www.itu.int/rec/T-REC-H.273 */
const PRIMARIES =
  '- bt709 - - bt470m bt470bg smpte170m smpte240m film bt2020 smpte428 smpte431 smpte432 - - - - - - - - - ebu3213'
const TRANSFERS =
  '- bt709 - - gamma22 gamma28 smpte170m smpte240m linear log100 log316 iec61966-2-4 bt1361e iec61966-2-1 bt2020-10 bt2020-12 smpte2084 smpte428 arib-std-b67'
const MATRICES =
  'gbr bt709 - - fcc bt470bg smpte170m smpte240m ycgco bt2020nc bt2020c smpte2085 chroma-derived-nc chroma-derived-c ictcp'
const RANGES = ['unknown', 'limited', 'full'] as const
const UNSPECIFIED = 2

const nameOf = (names: string, code: number) => {
  const name = names.split(' ')[code]
  return name === undefined || name === '-' ? 'unknown' : name
}
const codeOf = (names: string, name: string) => {
  const code = names.split(' ').indexOf(name)
  return code < 0 ? UNSPECIFIED : code
}

/** The names of H.273 code numbers. */
export function colorTags(codes: { primaries: number; transfer: number; matrix: number; range: number }): ColorTags {
  return {
    primaries: nameOf(PRIMARIES, codes.primaries),
    transfer: nameOf(TRANSFERS, codes.transfer),
    matrix: nameOf(MATRICES, codes.matrix),
    range: RANGES[codes.range] ?? 'unknown',
  }
}

/** The H.273 code numbers of names. */
export function colorCodes(tags: ColorTags) {
  return {
    primaries: codeOf(PRIMARIES, tags.primaries),
    transfer: codeOf(TRANSFERS, tags.transfer),
    matrix: codeOf(MATRICES, tags.matrix),
    range: RANGES.indexOf(tags.range),
  }
}

/**
 * The shares of red and blue in luma.
 *
 * Where a video does not say, it is BT.601 up to 576 lines and BT.709 above: what players assume.
 *
 * Source: ITU-T H.273, table 4.
 */
export function lumaWeights(matrix: string, height: number): { kr: number; kb: number } {
  if (matrix === 'bt709') return { kr: 0.2126, kb: 0.0722 }
  if (matrix === 'smpte240m') return { kr: 0.212, kb: 0.087 }
  if (matrix === 'fcc') return { kr: 0.3, kb: 0.11 }
  if (matrix.startsWith('bt2020')) return { kr: 0.2627, kb: 0.0593 }
  if (matrix === 'bt470bg' || matrix === 'smpte170m') return { kr: 0.299, kb: 0.114 }
  return height > 576 ? { kr: 0.2126, kb: 0.0722 } : { kr: 0.299, kb: 0.114 }
}
