import { DflError } from '@dfl/core'
import { halvesToNumbers, numberToHalf } from './half.js'
import { sizeOf } from './trace/trace.js'

/** A tensor of a safetensors file: float32 in row-major order. */
export interface SavedTensor {
  data: Float32Array
  shape: readonly number[]
}

/** Larger headers than this are no model of ours. */
const MAX_HEADER_BYTES = 64 * 2 ** 20

/** Bytes of a value by the type a file names. */
const BYTES = { F32: 4, F16: 2 } as const

/**
 * The bytes of a safetensors file.
 *
 * @param metadata  Text that travels in the header under `__metadata__`.
 * @param stored  How values are written: float32 as they are, float16 in half the space and rounded to 11 bits.
 *
 * Source: https://github.com/huggingface/safetensors#format
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, SavedTensor>>,
  metadata: Readonly<Record<string, string>> = {},
  stored: 'float32' | 'float16' = 'float32',
): Uint8Array {
  const dtype = stored === 'float16' ? 'F16' : 'F32'
  const header: Record<string, unknown> = { __metadata__: metadata }
  let offset = 0
  for (const [name, { data, shape }] of Object.entries(tensors)) {
    const end = offset + BYTES[dtype] * data.length
    header[name] = { dtype, shape, data_offsets: [offset, end] }
    offset = end
  }
  const text = JSON.stringify(header)
  const head = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8))
  const out = new Uint8Array(8 + head.length + offset)
  new DataView(out.buffer).setBigUint64(0, BigInt(head.length), true)
  out.set(head, 8)
  let at = 8 + head.length
  for (const { data } of Object.values(tensors)) {
    const values = dtype === 'F16' ? Uint16Array.from(data, numberToHalf) : data
    out.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at)
    at += values.byteLength
  }
  return out
}

/**
 * The tensors, as float32, and the metadata of a safetensors file of float32 or float16.
 *
 * @param from  What the bytes are, for messages: a path.
 * @throws DflError `CORRUPT_FILE` for anything but whole float32 or float16 tensors inside the file.
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  from = 'the file',
): { tensors: Record<string, SavedTensor>; metadata: Record<string, string> } {
  const broken = (what: string, cause?: unknown) =>
    new DflError('CORRUPT_FILE', `Expected a safetensors file for \`${from}\`, but ${what}. Use an earlier copy.`, {
      cause,
    })
  if (bytes.length < 8) throw broken(`it has ${bytes.length} bytes`)
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true))
  if (length > MAX_HEADER_BYTES || 8 + length > bytes.length) throw broken(`its header claims ${length} bytes`)
  let header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))
  } catch (cause) {
    throw broken('its header is no JSON', cause)
  }
  const start = 8 + length
  const tensors: Record<string, SavedTensor> = {}
  let metadata: Record<string, string> = {}
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      metadata = entry as unknown as Record<string, string>
      continue
    }
    const [begin, end] = Array.isArray(entry?.data_offsets) ? entry.data_offsets : [Number.NaN, Number.NaN]
    const whole = Array.isArray(entry?.shape) && entry.shape.every((n) => Number.isInteger(n) && n >= 0)
    const valueBytes = entry?.dtype === 'F32' || entry?.dtype === 'F16' ? BYTES[entry.dtype] : Number.NaN
    if (!whole || !(begin >= 0) || start + end > bytes.length || end - begin !== valueBytes * sizeOf(entry.shape))
      throw broken(`the entry \`${name}\` does not describe float32 or float16 values inside it`)
    const values = entry.dtype === 'F16' ? new Uint16Array((end - begin) / 2) : new Float32Array((end - begin) / 4)
    // A copy, as the values need not lie on a multiple of their bytes. `slice` would not do: a Buffer's is a view.
    new Uint8Array(values.buffer).set(bytes.subarray(start + begin, start + end))
    tensors[name] = {
      data: values instanceof Float32Array ? values : halvesToNumbers(values),
      shape: entry.shape,
    }
  }
  return { tensors, metadata }
}
