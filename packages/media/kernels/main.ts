/*
 * The loops between samples of video and RGB, in AssemblyScript: TypeScript's syntax for WebAssembly, with vectors of four
 * numbers. Nothing is kept between calls: the caller says where everything lies.
 */

export { bitmapRow, paintChroma, paintLuma, sumColumns, usePaint } from './paint'
export { chromaRow, chromaSamples, rgbRow, useFactors } from './rgb'

/** Where memory begins that the caller may use as it likes. */
export function firstFree(): usize {
  return __heap_base
}
