import type { Raster } from './types.js'

/** Makes arrays of samples. */
export interface ArrayKind<T> {
  new (length: number): T
  new (memory: ArrayBufferLike, at: number, length: number): T
}

/** What makes arrays of the kind of `data`: by what it is, as a Buffer is a Uint8Array too. */
export function arrayKind<T extends Raster['data']>(data: T): ArrayKind<T> {
  const kind = data instanceof Float32Array ? Float32Array : data instanceof Uint16Array ? Uint16Array : Uint8Array
  return kind as unknown as ArrayKind<T>
}
