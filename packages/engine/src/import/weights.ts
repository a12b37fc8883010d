import { halvesToNumbers } from '../half.js'
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
  const out = new Map<string, Weight>()
  let offset = 0
  for (const spec of groups.flatMap((group) => group.weights)) {
    const count = spec.shape.reduce((a, b) => a * b, 1)
    const type = spec.quantization?.dtype ?? spec.dtype
    const itemSize = ITEM_SIZES[type]
    if (!itemSize) throw corrupt('TensorFlow.js weights', `the element type '${type}' for \`${spec.name}\``)
    if (offset + count * itemSize > bytes.length)
      throw corrupt('TensorFlow.js weights', `only ${bytes.length} bytes, too few for \`${spec.name}\``)
    const stored = bytes.subarray(offset, offset + count * itemSize)
    offset += stored.length
    out.set(spec.name, { data: valuesOf(spec, type, stored), shape: spec.shape })
  }
  if (offset !== bytes.length)
    throw corrupt('TensorFlow.js weights', `${bytes.length} bytes where its manifest describes ${offset}`)
  return out
}

function valuesOf({ dtype, quantization }: WeightSpec, type: string, stored: Uint8Array): Weight['data'] {
  const wide = dtype === 'int32' ? Int32Array : Float32Array
  if (type === 'uint8' || type === 'bool') {
    // What each byte stands for is worked out once: there may be millions of them.
    const values = scaled(
      new Uint8Array(256).map((_, byte) => byte),
      quantization,
      wide,
    )
    const out = new wide(stored.length)
    for (let i = 0; i < stored.length; i++) out[i] = values[stored[i]!]!
    return out
  }
  const { buffer } = new Uint8Array(stored) // A copy begins where numbers of any width may begin.
  if (type === 'uint16') return scaled(new Uint16Array(buffer), quantization, wide)
  const plain =
    type === 'float32'
      ? new Float32Array(buffer)
      : type === 'int32'
        ? new Int32Array(buffer)
        : halvesToNumbers(new Uint16Array(buffer))
  return plain instanceof wide ? plain : new wide(plain)
}

function scaled(
  stored: Uint8Array | Uint16Array,
  { scale = 1, min = 0 }: { scale?: number; min?: number } = {},
  wide: Float32ArrayConstructor | Int32ArrayConstructor,
): Weight['data'] {
  const out = new wide(stored.length)
  for (let i = 0; i < stored.length; i++) out[i] = stored[i]! * scale + min
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
