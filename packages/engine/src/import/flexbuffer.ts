/** A value of a FlexBuffer: numbers, strings by key, lists. */
export type FlexValue = number | string | FlexValue[] | { [key: string]: FlexValue }

/** Type numbers of the format, as far as options of TFLite's custom operators use them. */
const INT = 1
const UINT = 2
const FLOAT = 3
const STRING = 5
const INDIRECT_INT = 6
const INDIRECT_UINT = 7
const INDIRECT_FLOAT = 8
const MAP = 9
const VECTOR = 10
const VECTOR_INT = 11
const VECTOR_UINT = 12
const VECTOR_FLOAT = 13
const BOOL = 26

/**
 * The root value of a FlexBuffer, a schemaless sibling of FlatBuffers.
 *
 * @throws RangeError where the bytes point outside themselves or hold a type that is not known here.
 *
 * Source: https://flatbuffers.dev/flatbuffers_internals/#flexbuffers
 */
export function readFlexbuffer(bytes: Uint8Array): FlexValue {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = bytes.length

  const unsigned = (at: number, width: number): number =>
    width === 1
      ? view.getUint8(at)
      : width === 2
        ? view.getUint16(at, true)
        : width === 4
          ? view.getUint32(at, true)
          : Number(view.getBigUint64(at, true))
  const signed = (at: number, width: number): number =>
    width === 1
      ? view.getInt8(at)
      : width === 2
        ? view.getInt16(at, true)
        : width === 4
          ? view.getInt32(at, true)
          : Number(view.getBigInt64(at, true))
  const float = (at: number, width: number): number =>
    width === 8 ? view.getFloat64(at, true) : view.getFloat32(at, true)

  const list = <T>(start: number, width: number, item: (at: number, index: number) => T): T[] => {
    const count = unsigned(start - width, width)
    if (start + count * width > end) throw new RangeError(`a list of ${count} items that runs past the end`)
    return Array.from({ length: count }, (_, i) => item(start + i * width, i))
  }
  const text = (start: number): string => {
    const stop = bytes.indexOf(0, start)
    if (start < 0 || stop < 0) throw new RangeError('a key without an end')
    return new TextDecoder().decode(bytes.subarray(start, stop))
  }

  /** The value at `at`, stored in `width` bytes there; `packed` holds its type and the width of what it points at. */
  const value = (at: number, width: number, packed: number): FlexValue => {
    const type = packed >> 2
    const innerWidth = 1 << (packed & 3)
    const target = () => at - unsigned(at, width)
    if (type === INT) return signed(at, width)
    if (type === UINT || type === BOOL) return unsigned(at, width)
    if (type === FLOAT) return float(at, width)
    if (type === STRING) return text(target())
    if (type === INDIRECT_INT) return signed(target(), innerWidth)
    if (type === INDIRECT_UINT) return unsigned(target(), innerWidth)
    if (type === INDIRECT_FLOAT) return float(target(), innerWidth)
    if (type === VECTOR_INT) return list(target(), innerWidth, (p) => signed(p, innerWidth))
    if (type === VECTOR_UINT) return list(target(), innerWidth, (p) => unsigned(p, innerWidth))
    if (type === VECTOR_FLOAT) return list(target(), innerWidth, (p) => float(p, innerWidth))
    if (type !== VECTOR && type !== MAP) throw new RangeError(`a value of the unknown type ${type}`)
    const start = target()
    const count = unsigned(start - innerWidth, innerWidth)
    const items = list(start, innerWidth, (p, i) => value(p, innerWidth, view.getUint8(start + count * innerWidth + i)))
    if (type === VECTOR) return items
    const keysAt = start - 3 * innerWidth
    const keyWidth = unsigned(start - 2 * innerWidth, innerWidth)
    const keys = list(keysAt - unsigned(keysAt, innerWidth), keyWidth, (p) => text(p - unsigned(p, keyWidth)))
    return Object.fromEntries(items.map((item, i) => [keys[i]!, item]))
  }

  const rootWidth = view.getUint8(end - 1)
  return value(end - 2 - rootWidth, rootWidth, view.getUint8(end - 2))
}
