import { DflError } from '@dfl/core'
import { halvesToNumbers } from '../half.js'
import { corrupt, FlatTable } from './flatbuffer.js'

/** One tensor of a TFLite graph. */
export interface TfliteTensor {
  name: string
  shape: readonly number[]
  type: string
  /** Stored bytes of a constant; empty for values that are computed. */
  bytes: Uint8Array
  /** How the bytes of a sparse constant are to be read. */
  sparsity: FlatTable | undefined
}

/** One operator of a TFLite graph; inputs and outputs are positions in `tensors`, -1 for an input left out. */
export interface TfliteOperator {
  /** Name such as 'CONV_2D'; for custom operators their own name. */
  op: string
  inputs: readonly number[]
  outputs: readonly number[]
  options: FlatTable | undefined
  customOptions: Uint8Array
}

export interface TfliteFile {
  tensors: readonly TfliteTensor[]
  operators: readonly TfliteOperator[]
  inputs: readonly number[]
  outputs: readonly number[]
}

/** Built-in operators by number. Source: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/compiler/mlir/lite/schema/schema.fbs */
const BUILTIN_OPERATORS: Readonly<Record<number, string>> = {
  0: 'ADD',
  1: 'AVERAGE_POOL_2D',
  2: 'CONCATENATION',
  3: 'CONV_2D',
  4: 'DEPTHWISE_CONV_2D',
  5: 'DEPTH_TO_SPACE',
  6: 'DEQUANTIZE',
  14: 'LOGISTIC',
  17: 'MAX_POOL_2D',
  18: 'MUL',
  19: 'RELU',
  22: 'RESHAPE',
  23: 'RESIZE_BILINEAR',
  32: 'CUSTOM',
  34: 'PAD',
  40: 'MEAN',
  41: 'SUB',
  42: 'DIV',
  45: 'STRIDED_SLICE',
  54: 'PRELU',
  117: 'HARD_SWISH',
  124: 'DENSIFY',
}

const TYPES = ['float32', 'float16', 'int32', 'uint8', 'int64', 'string', 'bool', 'int16', 'complex64', 'int8']

/**
 * The first subgraph of a TFLite file.
 *
 * @throws DflError `CORRUPT_FILE` when the bytes are no TFLite file or it is damaged.
 */
export function readTflite(bytes: Uint8Array): TfliteFile {
  if (bytes.length < 8 || new TextDecoder().decode(bytes.subarray(4, 8)) !== 'TFL3')
    throw corrupt('TFLite', `${bytes.length} bytes without TFLite's mark 'TFL3'`)
  try {
    const model = FlatTable.root(bytes)
    const codes = model.tables(1).map((code) => {
      const number = code.int32(3) || code.int8(0)
      const name = BUILTIN_OPERATORS[number] ?? `number ${number}`
      return name === 'CUSTOM' ? code.string(1) : name
    })
    const buffers = model.tables(4)
    const graph = model.tables(2)[0]
    if (!graph) throw corrupt('TFLite', 'one without a graph')
    const tensors = graph.tables(0).map((table) => ({
      name: table.string(3),
      shape: table.int32s(0),
      type: TYPES[table.int8(1)] ?? 'unknown',
      bytes: buffers[table.int32(2)]?.bytes(0) ?? new Uint8Array(0),
      sparsity: table.table(6),
    }))
    const operators = graph.tables(3).map((table) => {
      const operator = {
        op: codes[table.int32(0)] ?? 'unknown',
        inputs: table.int32s(1),
        outputs: table.int32s(2),
        options: table.table(4),
        customOptions: table.bytes(5),
      }
      const wrong = [...operator.inputs, ...operator.outputs].find((i) => i < -1 || i >= tensors.length)
      if (wrong !== undefined)
        throw corrupt('TFLite', `an operator ${operator.op} that uses the missing tensor ${wrong}`)
      return operator
    })
    return { tensors, operators, inputs: graph.int32s(1), outputs: graph.int32s(2) }
  } catch (cause) {
    if (cause instanceof RangeError) throw corrupt('TFLite', `a damaged one: ${cause.message}`, cause)
    throw cause
  }
}

/** Values of a constant tensor in row-major order, sparse ones filled up; undefined for computed tensors. */
export function constantValues(tensor: TfliteTensor): Float32Array | Int32Array | undefined {
  if (tensor.bytes.length === 0) return undefined
  const stored = storedValues(tensor)
  if (tensor.sparsity) return densify(stored, tensor.shape, tensor.sparsity)
  const count = tensor.shape.reduce((a, b) => a * b, 1)
  if (stored.length !== count)
    throw corrupt('TFLite', `${stored.length} values for \`${tensor.name}\`, which holds ${count}`)
  return stored
}

function storedValues(tensor: TfliteTensor): Float32Array | Int32Array {
  const { bytes, type } = tensor
  const copy = bytes.slice().buffer
  if (type === 'float32') return new Float32Array(copy)
  if (type === 'float16') return halvesToNumbers(new Uint16Array(copy))
  if (type === 'int32') return new Int32Array(copy)
  if (type === 'int64') return Int32Array.from(new BigInt64Array(copy), Number)
  throw new DflError(
    'UNSUPPORTED_OP',
    `Expected float32, float16, int32 or int64 for the constant \`${tensor.name}\`, but got ${type}. Use the float version of this network.`,
    { data: { type } },
  )
}

/** One level of a sparse tensor: all of `size` positions, or those that `indices` lists per `segments`. */
interface Level {
  sparse: boolean
  size: number
  segments: readonly number[]
  indices: readonly number[]
}

/**
 * The dense values of a block-sparse tensor.
 *
 * Source: TFLite's SparsityParameters in its schema; the scheme of Kjolstad et al. 2017, https://doi.org/10.1145/3133901
 */
function densify(stored: Float32Array | Int32Array, shape: readonly number[], sparsity: FlatTable): Float32Array {
  const order = sparsity.int32s(0)
  const blockMap = sparsity.int32s(1)
  const levels: Level[] = sparsity.tables(2).map((level) => ({
    sparse: level.int8(0) === 1,
    size: level.int32(1),
    segments: indexVector(level, 2),
    indices: indexVector(level, 4),
  }))
  if (levels.length !== order.length || order.length !== shape.length + blockMap.length)
    throw corrupt('TFLite', 'a sparse tensor whose levels do not match its shape')
  const blockSizes = blockMap.map((_, i) => levels[shape.length + i]!.size)
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1))
  // How far one step on each level moves in the dense array.
  const steps = order.map((axis) => {
    if (axis >= shape.length) return strides[blockMap[axis - shape.length]!]!
    const block = blockMap.indexOf(axis)
    return strides[axis]! * (block >= 0 ? blockSizes[block]! : 1)
  })
  const out = new Float32Array(shape.reduce((a, b) => a * b, 1))
  const fill = (depth: number, from: number, offset: number): void => {
    if (depth === levels.length) {
      out[offset] = stored[from]!
      return
    }
    const level = levels[depth]!
    const step = steps[depth]!
    if (level.sparse)
      for (let i = level.segments[from]!; i < level.segments[from + 1]!; i++)
        fill(depth + 1, i, offset + level.indices[i]! * step)
    else for (let i = 0; i < level.size; i++) fill(depth + 1, from * level.size + i, offset + i * step)
  }
  fill(0, 0, 0)
  return out
}

/** A list of positions, stored in one of three widths: a union of its type at `field` and its table behind it. */
function indexVector(level: FlatTable, field: number): number[] {
  const kind = level.uint8(field)
  const table = level.table(field + 1)
  if (!table) return []
  return kind === 1 ? table.int32s(0) : kind === 2 ? table.uint16s(0) : [...table.bytes(0)]
}
