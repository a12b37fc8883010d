import type { PickleValue } from './read-pickle.js'

/** An array of numbers as NumPy pickles it. */
export interface NdArray {
  kind: 'ndarray'
  /** 'f4', 'f8', 'i4', 'u1', … */
  type: string
  bigEndian: boolean
  /** Whether the first index runs fastest. */
  columnsFirst: boolean
  shape: readonly number[]
  bytes: Uint8Array
}

/** A number type of NumPy. */
export interface Dtype {
  kind: 'dtype'
  type: string
  bigEndian: boolean
}

/** What a pickle may name. Nothing of it runs: each stands for a way to lay out data. */
const CALLS: Readonly<Record<string, (args: readonly PickleValue[]) => PickleValue | undefined>> = {
  'numpy.core.multiarray._reconstruct': emptyArray,
  'numpy._core.multiarray._reconstruct': emptyArray,
  'numpy.core.multiarray.scalar': scalar,
  'numpy._core.multiarray.scalar': scalar,
  'numpy.core.numeric._frombuffer': fromBuffer,
  'numpy._core.numeric._frombuffer': fromBuffer,
  'numpy.dtype': ([type]) =>
    typeof type === 'string' && /^[|<>=]?[biuf]\d$/.test(type)
      ? { kind: 'dtype', type: type.replace(/^[|<>=]/, ''), bigEndian: type.startsWith('>') }
      : undefined,
  '_codecs.encode': ([text, encoding]) =>
    typeof text === 'string' && (encoding === 'latin1' || encoding === 'latin-1')
      ? Uint8Array.from(Buffer.from(text, 'latin1'))
      : undefined,
  'collections.OrderedDict': (args) => (args.length === 0 ? new Map() : undefined),
  'builtins.set': listOf,
  'builtins.frozenset': listOf,
  'builtins.list': listOf,
  'builtins.tuple': listOf,
  'builtins.bytes': bytesOf,
  'builtins.bytearray': bytesOf,
}

/** Classes that only stand beside the calls, as NumPy's own array class does. */
const CLASSES: readonly string[] = ['numpy.ndarray']

/** Enumerations of DeepFaceLab: a member is pickled as a call with its number. */
const ENUMERATION = /(^|\.)(FaceType|SampleType)$/

/** Whether a pickle may name this. */
export const isKnownName = (name: string): boolean =>
  Object.hasOwn(CALLS, name) || CLASSES.includes(name) || ENUMERATION.test(name)

/** The data that a call of `name` lays out; nothing where its arguments are not as they should be. */
export function layOut(name: string, args: readonly PickleValue[]): PickleValue | undefined {
  if (ENUMERATION.test(name)) return typeof args[0] === 'number' ? args[0] : undefined
  return Object.hasOwn(CALLS, name) ? CALLS[name]!(args) : undefined
}

/** Fills `value` with its pickled state; false where that is not as it should be. */
export function fill(value: PickleValue, state: PickleValue): boolean {
  if (!isObject(value) || !Array.isArray(state)) return false
  if (value.kind === 'dtype') {
    if (typeof state[1] !== 'string') return false
    value.bigEndian = state[1] === '>'
    return true
  }
  if (value.kind !== 'ndarray') return false
  const [, shape, dtype, columnsFirst, bytes] = state
  const made = arrayOf(shape, dtype, columnsFirst === true || columnsFirst === 1, bytes)
  if (made) Object.assign(value, made)
  return made !== undefined
}

/** The numbers of an array, row by row. Whole numbers of 8 bytes lose what a double cannot hold. */
export function numbersOf({ type, bigEndian, columnsFirst, shape, bytes }: NdArray): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const width = Number(type.slice(1))
  const read = (i: number): number => {
    const at = i * width
    const little = !bigEndian
    switch (type) {
      case 'f4':
        return view.getFloat32(at, little)
      case 'f8':
        return view.getFloat64(at, little)
      case 'i1':
        return view.getInt8(at)
      case 'i2':
        return view.getInt16(at, little)
      case 'i4':
        return view.getInt32(at, little)
      case 'i8':
        return Number(view.getBigInt64(at, little))
      case 'u2':
        return view.getUint16(at, little)
      case 'u4':
        return view.getUint32(at, little)
      case 'u8':
        return Number(view.getBigUint64(at, little))
      default:
        return view.getUint8(at)
    }
  }
  const values = Array.from({ length: bytes.byteLength / width }, (_, i) => read(i))
  if (!columnsFirst || shape.length !== 2) return values
  const [rows, columns] = shape as [number, number]
  return values.map((_, i) => values[(i % columns) * rows + Math.floor(i / columns)]!)
}

/** The numbers of an array of real numbers as float32, row by row. */
export function float32Of(array: NdArray): Float32Array<ArrayBuffer> {
  const { type, bigEndian, columnsFirst, bytes } = array
  if (type !== 'f4' || bigEndian || columnsFirst) return Float32Array.from(numbersOf(array))
  return new Float32Array(bytes.slice().buffer)
}

const isObject = (value: PickleValue): value is NdArray | Dtype =>
  typeof value === 'object' && value !== null && 'kind' in value

const TYPES = ['b1', 'u1', 'i1', 'u2', 'i2', 'u4', 'i4', 'u8', 'i8', 'f4', 'f8']

function arrayOf(
  shape: PickleValue | undefined,
  dtype: PickleValue | undefined,
  columnsFirst: boolean,
  bytes: PickleValue | undefined,
): NdArray | undefined {
  if (!Array.isArray(shape) || !(bytes instanceof Uint8Array) || dtype === undefined) return undefined
  if (!isObject(dtype) || dtype.kind !== 'dtype' || !TYPES.includes(dtype.type) || shape.length > 8) return undefined
  if (!shape.every((side) => Number.isSafeInteger(side) && (side as number) >= 0)) return undefined
  const sides = shape as number[]
  const count = sides.reduce((product, side) => product * side, 1)
  if (count * Number(dtype.type.slice(1)) !== bytes.length) return undefined
  return { kind: 'ndarray', type: dtype.type, bigEndian: dtype.bigEndian, columnsFirst, shape: sides, bytes }
}

function emptyArray(): NdArray {
  return { kind: 'ndarray', type: 'u1', bigEndian: false, columnsFirst: false, shape: [0], bytes: new Uint8Array() }
}

function fromBuffer([bytes, dtype, shape, order]: readonly PickleValue[]): NdArray | undefined {
  return arrayOf(shape, dtype, order === 'F', bytes)
}

function scalar([dtype, bytes]: readonly PickleValue[]): number | undefined {
  const array = arrayOf([], dtype, false, bytes)
  return array && numbersOf(array)[0]
}

function listOf([items = []]: readonly PickleValue[]): PickleValue | undefined {
  return Array.isArray(items) ? items : undefined
}

function bytesOf([bytes = new Uint8Array()]: readonly PickleValue[]): PickleValue | undefined {
  return bytes instanceof Uint8Array ? bytes : undefined
}
