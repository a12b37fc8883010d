import { DflError } from '@dfl/core'
import { sizeOf } from './trace/trace.js'

/** A tensor of a safetensors file: float32 in row-major order. */
export interface SavedTensor {
  data: Float32Array
  shape: readonly number[]
}

/** Larger headers than this are no model of ours. */
const MAX_HEADER_BYTES = 64 * 2 ** 20

/**
 * The bytes of a safetensors file that holds float32 tensors.
 *
 * @param metadata  Text that travels in the header under `__metadata__`.
 *
 * Source: https://github.com/huggingface/safetensors#format
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, SavedTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata }
  let offset = 0
  for (const [name, { data, shape }] of Object.entries(tensors)) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] }
    offset += data.byteLength
  }
  const text = JSON.stringify(header)
  const head = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8))
  const out = new Uint8Array(8 + head.length + offset)
  new DataView(out.buffer).setBigUint64(0, BigInt(head.length), true)
  out.set(head, 8)
  let at = 8 + head.length
  for (const { data } of Object.values(tensors)) {
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    at += data.byteLength
  }
  return out
}

/**
 * The tensors and the metadata of a safetensors file.
 *
 * @param from  What the bytes are, for messages: a path.
 * @throws DflError `CORRUPT_FILE` for anything but whole float32 tensors inside the file.
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
    if (
      !whole ||
      entry.dtype !== 'F32' ||
      !(begin >= 0) ||
      start + end > bytes.length ||
      end - begin !== 4 * sizeOf(entry.shape)
    )
      throw broken(`the entry \`${name}\` does not describe float32 values inside it`)
    const data = new Float32Array((end - begin) / 4)
    // A copy, as the values need not lie on a multiple of four bytes. `slice` would not do: a Buffer's is a view.
    new Uint8Array(data.buffer).set(bytes.subarray(start + begin, start + end))
    tensors[name] = { data, shape: entry.shape }
  }
  return { tensors, metadata }
}
