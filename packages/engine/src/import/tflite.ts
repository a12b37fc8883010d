import { DflError } from '@dfl/core'
import { OnnxGraph } from '../onnx/graph.js'
import { corrupt } from './flatbuffer.js'
import { ATTENTION_OPERATORS } from './tflite-attention.js'
import { constantValues, readTflite, type TfliteOperator } from './tflite-file.js'
import { OPERATORS } from './tflite-operators.js'

/** What converters of single operators work with. Tensors are named by their position in the file. */
export interface TfliteConversion {
  graph: OnnxGraph
  /** Shape in the file: channels last. */
  shape(tensor: number): readonly number[]
  /** Values of a constant, in the file's layout; undefined if the tensor is computed. */
  constant(tensor: number): Float32Array | Int32Array | undefined
  /** Name of the value in the file's layout. */
  plain(tensor: number): string
  /** Name of the value of a 4D tensor with channels first. */
  channelsFirst(tensor: number): string
  /** Whether a computed value stands with channels first already. */
  isChannelsFirst(tensor: number): boolean
  setPlain(tensor: number, name: string): void
  setChannelsFirst(tensor: number, name: string): void
  setConstant(tensor: number, values: Float32Array | Int32Array): void
}

export type ConvertTflite = (conversion: TfliteConversion, operator: TfliteOperator) => void

/**
 * A TFLite network as the bytes of an ONNX file: float32 and float16 weights, dense or sparse.
 *
 * Inputs and outputs keep their names and their layout (channels last). Covers the operators of MediaPipe's face
 * detectors, face meshes (the mesh with attention and its three custom operators included) and selfie segmentation.
 *
 * @param bytes  A `.tflite` file.
 * @throws DflError `UNSUPPORTED_OP` for operators not known here, `CORRUPT_FILE` when the bytes are damaged.
 */
export function tfliteToOnnx(bytes: Uint8Array): Uint8Array {
  const file = readTflite(bytes)
  const graph = new OnnxGraph()
  const constants = new Map<number, Float32Array | Int32Array>()
  const plain = new Map<number, string>()
  const channelsFirst = new Map<number, string>()
  const shape = (tensor: number) => file.tensors[tensor]?.shape ?? []
  const missing = (tensor: number) =>
    corrupt('TFLite', `one that uses \`${file.tensors[tensor]?.name ?? tensor}\` before it is computed`)

  const conversion: TfliteConversion = {
    graph,
    shape,
    constant(tensor) {
      const known = constants.get(tensor)
      if (known) return known
      const stored = tensor >= 0 ? constantValues(file.tensors[tensor]!) : undefined
      if (stored) constants.set(tensor, stored)
      return stored
    },
    plain(tensor) {
      const known = plain.get(tensor)
      if (known) return known
      const constant = conversion.constant(tensor)
      const other = channelsFirst.get(tensor)
      if (!constant && !other) throw missing(tensor)
      const name = constant
        ? graph.f32(Float32Array.from(constant), shape(tensor))
        : graph.op('Transpose', [other!], { perm: [0, 2, 3, 1] })
      plain.set(tensor, name)
      return name
    },
    channelsFirst(tensor) {
      const known = channelsFirst.get(tensor)
      if (known) return known
      const name = graph.op('Transpose', [conversion.plain(tensor)], { perm: [0, 3, 1, 2] })
      channelsFirst.set(tensor, name)
      return name
    },
    isChannelsFirst: (tensor) => channelsFirst.has(tensor),
    setPlain: (tensor, name) => void plain.set(tensor, name),
    setChannelsFirst: (tensor, name) => void channelsFirst.set(tensor, name),
    setConstant: (tensor, values) => void constants.set(tensor, values),
  }

  for (const tensor of file.inputs) plain.set(tensor, graph.input(file.tensors[tensor]!.name, 'float32', shape(tensor)))
  for (const operator of file.operators) {
    const convert = OPERATORS[operator.op] ?? ATTENTION_OPERATORS[operator.op]
    if (!convert)
      throw new DflError(
        'UNSUPPORTED_OP',
        `Expected an operator that can be converted for \`${operator.op}\`, but got none. Known: ${[...Object.keys(OPERATORS), ...Object.keys(ATTENTION_OPERATORS)].join(', ')}. Convert the network to ONNX with another tool and load that.`,
        { data: { op: operator.op } },
      )
    try {
      convert(conversion, operator)
    } catch (cause) {
      if (cause instanceof RangeError || cause instanceof TypeError)
        throw corrupt('TFLite', `one with a damaged operator ${operator.op}: ${cause.message}`, cause)
      throw cause
    }
  }
  for (const tensor of file.outputs)
    graph.output(file.tensors[tensor]!.name, 'float32', shape(tensor), conversion.plain(tensor))
  return graph.build('tflite')
}
