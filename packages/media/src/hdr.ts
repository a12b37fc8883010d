import type { AvFrame, AvStream, Libav } from './libav.js'

/** A colour as x and y of CIE 1931. */
type Chromaticity = readonly [x: number, y: number]

/** What HDR footage says of the screen it was made on, and of its brightest light; all light in cd/m². */
export interface HdrInfo {
  /** Source: SMPTE ST 2086 */
  masteringDisplay?: {
    red: Chromaticity
    green: Chromaticity
    blue: Chromaticity
    white: Chromaticity
    darkest: number
    brightest: number
  }
  /** Of the brightest pixel, and of the brightest frame on average. Source: CTA-861.3 */
  contentLight?: { maxCll: number; maxFall: number }
}

/** What a stream says of itself, without a look at its frames; nothing where it says nothing. */
export function hdrOfStream(libav: Libav, { codecpar }: AvStream): HdrInfo | undefined {
  const { AV_PKT_DATA_MASTERING_DISPLAY_METADATA, AV_PKT_DATA_CONTENT_LIGHT_LEVEL } = libav.constants
  return hdrOf(
    codecpar.getCodedSideData(AV_PKT_DATA_MASTERING_DISPLAY_METADATA),
    codecpar.getCodedSideData(AV_PKT_DATA_CONTENT_LIGHT_LEVEL),
  )
}

/** What a decoded frame says. */
export function hdrOfFrame(libav: Libav, frame: AvFrame): HdrInfo | undefined {
  const { AV_FRAME_DATA_MASTERING_DISPLAY_METADATA, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL } = libav.constants
  return hdrOf(
    frame.getSideData(AV_FRAME_DATA_MASTERING_DISPLAY_METADATA),
    frame.getSideData(AV_FRAME_DATA_CONTENT_LIGHT_LEVEL),
  )
}

/** Source: libavutil/mastering_display_metadata.h: ten fractions, then whether the colours and the light are known. */
function hdrOf(display: Buffer | null, light: Buffer | null): HdrInfo | undefined {
  const out: HdrInfo = {}
  if (display && display.length >= 88 && display.readInt32LE(80) !== 0 && display.readInt32LE(84) !== 0) {
    const value = (i: number) => display.readInt32LE(i * 8) / (display.readInt32LE(i * 8 + 4) || 1)
    const point = (i: number): Chromaticity => [value(i), value(i + 1)]
    const [red, green, blue, white] = [point(0), point(2), point(4), point(6)]
    out.masteringDisplay = { red, green, blue, white, darkest: value(8), brightest: value(9) }
  }
  if (light && light.length >= 8) out.contentLight = { maxCll: light.readUInt32LE(0), maxFall: light.readUInt32LE(4) }
  return out.masteringDisplay || out.contentLight ? out : undefined
}

/** Writes it into the container. */
export function addHdr(libav: Libav, { codecpar }: AvStream, { masteringDisplay, contentLight }: HdrInfo): void {
  const { AV_PKT_DATA_MASTERING_DISPLAY_METADATA, AV_PKT_DATA_CONTENT_LIGHT_LEVEL } = libav.constants
  if (masteringDisplay) {
    const { red, green, blue, white, darkest, brightest } = masteringDisplay
    const bytes = Buffer.alloc(88)
    for (const [i, value] of [...red, ...green, ...blue, ...white].entries()) fraction(bytes, i, value, 50_000)
    fraction(bytes, 8, darkest, 10_000)
    fraction(bytes, 9, brightest, 10_000)
    bytes.writeInt32LE(1, 80)
    bytes.writeInt32LE(1, 84)
    codecpar.addCodedSideData(AV_PKT_DATA_MASTERING_DISPLAY_METADATA, bytes)
  }
  if (contentLight) {
    const bytes = Buffer.alloc(8)
    bytes.writeUInt32LE(contentLight.maxCll, 0)
    bytes.writeUInt32LE(contentLight.maxFall, 4)
    codecpar.addCodedSideData(AV_PKT_DATA_CONTENT_LIGHT_LEVEL, bytes)
  }
}

function fraction(bytes: Buffer, index: number, value: number, denominator: number): void {
  bytes.writeInt32LE(Math.round(value * denominator), index * 8)
  bytes.writeInt32LE(denominator, index * 8 + 4)
}

/** What an encoder is told, so that it stands in the pictures' own stream too; nothing for those that cannot say it. */
export function hdrSettings(encoder: string, { masteringDisplay: display, contentLight: light }: HdrInfo): string[] {
  const h265 = encoder === 'libx265'
  if (!h265 && encoder !== 'libsvtav1') return []
  const number = (value: number, unit: number) => (h265 ? String(Math.round(value * unit)) : value.toFixed(4))
  const at = ([x, y]: Chromaticity) => `(${number(x, 50_000)},${number(y, 50_000)})`
  const out: string[] = []
  if (display) {
    const colours = `G${at(display.green)}B${at(display.blue)}R${at(display.red)}WP${at(display.white)}`
    const range = `L(${number(display.brightest, 10_000)},${number(display.darkest, 10_000)})`
    out.push(`${h265 ? 'master-display' : 'mastering-display'}=${colours}${range}`)
  }
  if (light) out.push(`${h265 ? 'max-cll' : 'content-light'}=${light.maxCll},${light.maxFall}`)
  return out
}
