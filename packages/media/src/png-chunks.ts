/** What a PNG says besides its pixels: colour, size of a pixel, texts, times. Source: https://www.w3.org/TR/png-3/#11Chunks */
const KEPT = ['cICP', 'mDCV', 'cLLI', 'iCCP', 'sRGB', 'gAMA', 'cHRM', 'pHYs', 'tEXt', 'zTXt', 'iTXt', 'tIME']
const COLOUR = KEPT.slice(0, 7)
/** The first bytes of every PNG. */
export const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/**
 * A PNG with what another PNG says of its colours, and its texts. A PNG of other bytes is given back as it is.
 *
 * Chunks are copied with their checksums, before the pixels.
 */
export function keepPngChunks(from: Uint8Array, to: Buffer): Buffer {
  const source = Buffer.from(from.buffer, from.byteOffset, from.byteLength)
  if (![source, to].every((file) => file.subarray(0, SIGNATURE.length).equals(SIGNATURE))) return to
  const kept = chunksOf(source).filter(({ type }) => KEPT.includes(type))
  if (kept.length === 0) return to
  const own = chunksOf(to)
  const header = own[0]!
  // What the writer says of colours by itself would contradict.
  const rest = own.slice(1).filter(({ type }) => !COLOUR.includes(type) && type !== 'pHYs')
  const before = kept.filter(({ type }) => COLOUR.includes(type) || type === 'pHYs')
  const others = kept.filter((chunk) => !before.includes(chunk))
  return Buffer.concat([SIGNATURE, ...[header, ...before, ...others, ...rest].map(({ bytes }) => bytes)])
}

/** Size of the picture in a PNG in pixels; nothing for other files, and for one that EXIF may turn. */
export function plainPngSize(bytes: Uint8Array): { width: number; height: number } | undefined {
  const png = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!png.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return undefined
  const chunks = chunksOf(png)
  if (chunks[0]?.type !== 'IHDR' || chunks.some(({ type }) => type === 'eXIf')) return undefined
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20) }
}

/** Whole chunks, up to the first that is cut off. */
function chunksOf(png: Buffer): { type: string; bytes: Buffer }[] {
  const out: { type: string; bytes: Buffer }[] = []
  for (let at = SIGNATURE.length; at + 12 <= png.length; ) {
    const end = at + 12 + png.readUInt32BE(at)
    if (end > png.length) break
    out.push({ type: png.toString('latin1', at + 4, at + 8), bytes: png.subarray(at, end) })
    at = end
  }
  return out
}
