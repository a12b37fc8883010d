/** What a PNG says besides its pixels: colour, size of a pixel, texts, times. Source: https://www.w3.org/TR/png-3/#11Chunks */
const KEPT = ['cICP', 'mDCV', 'cLLI', 'iCCP', 'sRGB', 'gAMA', 'cHRM', 'pHYs', 'tEXt', 'zTXt', 'iTXt', 'tIME']
const COLOUR = KEPT.slice(0, 7)
const SIGNATURE = 8

/**
 * A PNG with what another PNG says of its colours, and its texts. A PNG of other bytes is given back as it is.
 *
 * Chunks are copied with their checksums, before the pixels.
 */
export function keepPngChunks(from: Uint8Array, to: Buffer): Buffer {
  const source = Buffer.from(from.buffer, from.byteOffset, from.byteLength)
  if (!source.subarray(0, SIGNATURE).equals(to.subarray(0, SIGNATURE))) return to
  const kept = chunksOf(source).filter(({ type }) => KEPT.includes(type))
  if (kept.length === 0) return to
  const own = chunksOf(to)
  const header = own[0]!
  // What the writer says of colours by itself would contradict.
  const rest = own.slice(1).filter(({ type }) => !COLOUR.includes(type) && type !== 'pHYs')
  const before = kept.filter(({ type }) => COLOUR.includes(type) || type === 'pHYs')
  const others = kept.filter((chunk) => !before.includes(chunk))
  return Buffer.concat([
    to.subarray(0, SIGNATURE),
    ...[header, ...before, ...others, ...rest].map(({ bytes }) => bytes),
  ])
}

/** Whole chunks, up to the first that is cut off. */
function chunksOf(png: Buffer): { type: string; bytes: Buffer }[] {
  const out: { type: string; bytes: Buffer }[] = []
  for (let at = SIGNATURE; at + 12 <= png.length; ) {
    const end = at + 12 + png.readUInt32BE(at)
    if (end > png.length) break
    out.push({ type: png.toString('latin1', at + 4, at + 8), bytes: png.subarray(at, end) })
    at = end
  }
  return out
}
