import { halfToNumber } from '../half.js'
import { corrupt } from './flatbuffer.js'

/** One weight of a TensorFlow.js weights manifest. */
export interface WeightSpec {
  name: string
  shape: readonly number[]
  dtype: string
  /** How the stored numbers become values: value = stored · scale + min, or 16-bit floats. */
  quantization?: { dtype: string; scale?: number; min?: number }
}

/** A group of weights whose bytes stand one after another in the files of `paths`. */
export interface WeightGroup {
  paths: readonly string[]
  weights: readonly WeightSpec[]
}

/** Values of one weight in row-major order. */
export interface Weight {
  data: Float32Array | Int32Array
  shape: readonly number[]
}

/**
 * All weights by name, as float32 (int32 where the file says so).
 *
 * @param bytes  The files of all groups, joined in order.
 * @throws DflError `CORRUPT_FILE` when `bytes` is shorter or longer than the manifest says.
 */
export function readWeights(groups: readonly WeightGroup[], bytes: Uint8Array): Map<string, Weight> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const out = new Map<string, Weight>()
  let offset = 0
  for (const spec of groups.flatMap((group) => group.weights)) {
    const count = spec.shape.reduce((a, b) => a * b, 1)
    const stored = spec.quantization?.dtype ?? spec.dtype
    const itemSize = ITEM_SIZES[stored]
    if (!itemSize) throw corrupt('TensorFlow.js weights', `the element type '${stored}' for \`${spec.name}\``)
    if (offset + count * itemSize > bytes.length)
      throw corrupt('TensorFlow.js weights', `only ${bytes.length} bytes, too few for \`${spec.name}\``)
    const { scale = 1, min = 0 } = spec.quantization ?? {}
    const data = spec.dtype === 'int32' ? new Int32Array(count) : new Float32Array(count)
    for (let i = 0; i < count; i++) {
      const at = offset + i * itemSize
      if (stored === 'float32') data[i] = view.getFloat32(at, true)
      else if (stored === 'float16') data[i] = halfToNumber(view.getUint16(at, true))
      else if (stored === 'int32') data[i] = view.getInt32(at, true)
      else data[i] = (itemSize === 1 ? view.getUint8(at) : view.getUint16(at, true)) * scale + min
    }
    offset += count * itemSize
    out.set(spec.name, { data, shape: spec.shape })
  }
  if (offset !== bytes.length)
    throw corrupt('TensorFlow.js weights', `${bytes.length} bytes where its manifest describes ${offset}`)
  return out
}

const ITEM_SIZES: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  float16: 2,
  uint16: 2,
  uint8: 1,
  bool: 1,
}
