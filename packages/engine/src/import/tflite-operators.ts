import { DflError } from '@dfl/core'
import { corrupt, type FlatTable } from './flatbuffer.js'
import { nchwAxis, nchwPads, permute4, tensorflowPadding } from './layout.js'
import type { ConvertTflite, TfliteConversion } from './tflite.js'
import type { TfliteOperator } from './tflite-file.js'

/** The value after the activation that TFLite fuses into an operator. */
function activate({ graph }: TfliteConversion, value: string, activation = 0): string {
  if (activation === 0) return value
  if (activation === 1) return graph.op('Relu', [value])
  if (activation === 3) return graph.op('Clip', [value, graph.f32([0]), graph.f32([6])])
  throw new DflError(
    'UNSUPPORTED_OP',
    `Expected none, RELU or RELU6 for a fused \`activation\`, but got number ${activation}. Convert the network to ONNX with another tool and load that.`,
  )
}

/** A constant that an operator cannot do without. */
function requireConstant(conversion: TfliteConversion, operator: TfliteOperator, input: number) {
  const values = conversion.constant(operator.inputs[input] ?? -1)
  if (values) return values
  throw new DflError(
    'UNSUPPORTED_OP',
    `Expected a constant for input ${input} of \`${operator.op}\`, but got a computed value. Convert the network to ONNX with another tool and load that.`,
  )
}

const floats = (values: Float32Array | Int32Array) =>
  values instanceof Float32Array ? values : Float32Array.from(values)

/** Attributes of a sliding window over the first input; field numbers 0 to 2 are the same in all of TFLite's windows. */
function sliding(
  conversion: TfliteConversion,
  operator: TfliteOperator,
  kernel: readonly [number, number],
  dilations: readonly [number, number] = [1, 1],
) {
  const options = operator.options!
  const kind = options.int8(0) === 0 ? 'SAME' : 'VALID'
  const [strideX, strideY] = [options.int32(1, 1), options.int32(2, 1)]
  const [, height, width] = conversion.shape(operator.inputs[0]!)
  const y = tensorflowPadding(kind, height!, { size: kernel[0], stride: strideY, dilation: dilations[0] })
  const x = tensorflowPadding(kind, width!, { size: kernel[1], stride: strideX, dilation: dilations[1] })
  return {
    kernel_shape: kernel,
    strides: [strideY, strideX],
    pads: [y.before, x.before, y.after, x.after],
  }
}

const convolution =
  (depthwise: boolean): ConvertTflite =>
  (conversion, operator) => {
    const { graph, shape, channelsFirst } = conversion
    const options = operator.options!
    const [x, filter, bias] = operator.inputs as [number, number, number | undefined]
    const filterShape = shape(filter)
    const [height, width] = [filterShape[1]!, filterShape[2]!]
    // [outputs, H, W, inputs], depthwise [1, H, W, outputs]
    const outputs = depthwise ? filterShape[3]! : filterShape[0]!
    const values = requireConstant(conversion, operator, 1)
    const kernel = permute4(values, filterShape, depthwise ? [3, 0, 1, 2] : [0, 3, 1, 2])
    const kernelShape = [outputs, depthwise ? 1 : filterShape[3]!, height, width]
    const first = depthwise ? 5 : 4
    const dilations = [options.int32(first + 1, 1), options.int32(first, 1)] as const
    const operands = [channelsFirst(x), graph.f32(kernel, kernelShape)]
    if (bias !== undefined && bias >= 0)
      operands.push(graph.f32(floats(requireConstant(conversion, operator, 2)), [outputs]))
    const y = graph.op('Conv', operands, {
      ...sliding(conversion, operator, [height, width], dilations),
      dilations,
      group: depthwise ? shape(x)[3]! : 1,
    })
    conversion.setChannelsFirst(operator.outputs[0]!, activate(conversion, y, options.int8(depthwise ? 4 : 3)))
  }

/**
 * MediaPipe's transposed convolution with a bias, always padded as 'SAME'.
 *
 * Source: its options are TfLiteTransposeConvParams as they lie in memory (padding, stride by width, by height, int32 each),
 * https://github.com/google-ai-edge/mediapipe/blob/master/mediapipe/util/tflite/operations/transpose_conv_bias.cc
 */
const transposedConvolution: ConvertTflite = (conversion, operator) => {
  const { graph, shape, channelsFirst } = conversion
  const { buffer, byteOffset, byteLength } = operator.customOptions
  if (byteLength < 12) throw corrupt('TFLite', `${byteLength} bytes of options for \`${operator.op}\``)
  const options = new DataView(buffer, byteOffset, byteLength)
  const strides = [options.getInt32(8, true), options.getInt32(4, true)]
  const [x, filter] = operator.inputs as [number, number]
  const filterShape = shape(filter) // [outputs, H, W, inputs]
  const [outputs, height, width, inputs] = filterShape as [number, number, number, number]
  const kernel = permute4(requireConstant(conversion, operator, 1), filterShape, [3, 0, 1, 2])
  const [, rows, columns] = shape(x)
  const [, outRows, outColumns] = shape(operator.outputs[0]!)
  const cut = [
    Math.max(0, (rows! - 1) * strides[0]! + height - outRows!),
    Math.max(0, (columns! - 1) * strides[1]! + width - outColumns!),
  ] as const
  const before = cut.map((pixels) => pixels >> 1)
  const operands = [
    channelsFirst(x),
    graph.f32(kernel, [inputs, outputs, height, width]),
    graph.f32(floats(requireConstant(conversion, operator, 2)), [outputs]),
  ]
  const y = graph.op('ConvTranspose', operands, {
    ...{ kernel_shape: [height, width], strides },
    pads: [...before, ...cut.map((pixels, i) => pixels - before[i]!)],
  })
  conversion.setChannelsFirst(operator.outputs[0]!, y)
}

const pooling =
  (op: 'MaxPool' | 'AveragePool'): ConvertTflite =>
  (conversion, operator) => {
    const options = operator.options!
    const window = sliding(conversion, operator, [options.int32(4), options.int32(3)])
    const y = conversion.graph.op(op, [conversion.channelsFirst(operator.inputs[0]!)], window)
    conversion.setChannelsFirst(operator.outputs[0]!, activate(conversion, y, options.int8(5)))
  }

/** Elementwise operators of two operands; 4D ones are computed with channels first. */
const elementwise =
  (op: 'Add' | 'Mul' | 'Sub' | 'Div'): ConvertTflite =>
  (conversion, operator) => {
    const { graph } = conversion
    const output = operator.outputs[0]!
    const image = conversion.shape(output).length === 4
    const operands = operator.inputs.map((input) => {
      const constant = conversion.constant(input)
      if (!constant) return image ? conversion.channelsFirst(input) : conversion.plain(input)
      const shape = conversion.shape(input)
      if (!image) return graph.f32(floats(constant), shape)
      const full = [...Array(4 - shape.length).fill(1), ...shape] as number[]
      return graph.f32(permute4(constant, full, [0, 3, 1, 2]), [full[0]!, full[3]!, full[1]!, full[2]!])
    })
    const y = activate(conversion, graph.op(op, operands), operator.options?.int8(0))
    if (image) conversion.setChannelsFirst(output, y)
    else conversion.setPlain(output, y)
  }

/** Operators on single values, which keep the layout that the input has. */
const unary =
  (op: 'Relu' | 'Sigmoid' | 'HardSwish'): ConvertTflite =>
  (conversion, operator) => {
    const [input, output] = [operator.inputs[0]!, operator.outputs[0]!]
    if (conversion.isChannelsFirst(input))
      conversion.setChannelsFirst(output, conversion.graph.op(op, [conversion.channelsFirst(input)]))
    else conversion.setPlain(output, conversion.graph.op(op, [conversion.plain(input)]))
  }

/** DEQUANTIZE and DENSIFY, which here only mark constants that are stored small. */
const decompress: ConvertTflite = (conversion, operator) => {
  conversion.setConstant(operator.outputs[0]!, requireConstant(conversion, operator, 0))
}

const bit = (mask: number, index: number) => ((mask >> index) & 1) === 1

/** How TFLite's built-in operators become ONNX nodes. */
export const OPERATORS: Readonly<Record<string, ConvertTflite>> = {
  ADD: elementwise('Add'),
  MUL: elementwise('Mul'),
  SUB: elementwise('Sub'),
  DIV: elementwise('Div'),
  RELU: unary('Relu'),
  LOGISTIC: unary('Sigmoid'),
  HARD_SWISH: unary('HardSwish'),
  CONV_2D: convolution(false),
  DEPTHWISE_CONV_2D: convolution(true),
  Convolution2DTransposeBias: transposedConvolution,
  MAX_POOL_2D: pooling('MaxPool'),
  AVERAGE_POOL_2D: pooling('AveragePool'),
  DEQUANTIZE: decompress,
  DENSIFY: decompress,

  PAD(conversion, operator) {
    const pads = conversion.graph.i64(nchwPads(requireConstant(conversion, operator, 1)))
    const y = conversion.graph.op('Pad', [conversion.channelsFirst(operator.inputs[0]!), pads], { mode: 'constant' })
    conversion.setChannelsFirst(operator.outputs[0]!, y)
  },

  PRELU(conversion, operator) {
    const slopes = floats(requireConstant(conversion, operator, 1))
    const y = conversion.graph.op('PRelu', [
      conversion.channelsFirst(operator.inputs[0]!),
      conversion.graph.f32(slopes, [slopes.length, 1, 1]),
    ])
    conversion.setChannelsFirst(operator.outputs[0]!, y)
  },

  RESHAPE(conversion, operator) {
    const output = operator.outputs[0]!
    const target = conversion.graph.i64(conversion.shape(output))
    conversion.setPlain(output, conversion.graph.op('Reshape', [conversion.plain(operator.inputs[0]!), target]))
  },

  CONCATENATION(conversion, operator) {
    const { graph, channelsFirst, plain } = conversion
    const output = operator.outputs[0]!
    const axis = operator.options!.int32(0)
    if (conversion.shape(output).length === 4 && operator.inputs.every(conversion.isChannelsFirst))
      conversion.setChannelsFirst(
        output,
        graph.op('Concat', operator.inputs.map(channelsFirst), { axis: nchwAxis(axis) }),
      )
    else conversion.setPlain(output, graph.op('Concat', operator.inputs.map(plain), { axis }))
  },

  RESIZE_BILINEAR(conversion, operator) {
    const { graph, shape, channelsFirst } = conversion
    const [batch, , , channels] = shape(operator.inputs[0]!)
    const [height, width] = requireConstant(conversion, operator, 1)
    const alignCorners = operator.options!.uint8(2) === 1
    const halfPixel = operator.options!.uint8(3) === 1
    const size = graph.i64([batch!, channels!, height!, width!])
    const y = graph.op('Resize', [channelsFirst(operator.inputs[0]!), '', '', size], {
      mode: 'linear',
      coordinate_transformation_mode: alignCorners ? 'align_corners' : halfPixel ? 'half_pixel' : 'asymmetric',
    })
    conversion.setChannelsFirst(operator.outputs[0]!, y)
  },

  DEPTH_TO_SPACE(conversion, operator) {
    const blocksize = operator.options!.int32(0)
    const y = conversion.graph.op('DepthToSpace', [conversion.channelsFirst(operator.inputs[0]!)], {
      blocksize,
      mode: 'DCR',
    })
    conversion.setChannelsFirst(operator.outputs[0]!, y)
  },

  MEAN(conversion, operator) {
    const { graph, channelsFirst } = conversion
    const axes = Array.from(requireConstant(conversion, operator, 1), nchwAxis)
    const y = graph.op('ReduceMean', [channelsFirst(operator.inputs[0]!), graph.i64(axes)], { keepdims: 1 })
    if (conversion.shape(operator.outputs[0]!).length === 4) conversion.setChannelsFirst(operator.outputs[0]!, y)
    else
      conversion.setPlain(
        operator.outputs[0]!,
        graph.op('Reshape', [y, graph.i64(conversion.shape(operator.outputs[0]!))]),
      )
  },

  STRIDED_SLICE(conversion, operator) {
    const { graph, shape, plain } = conversion
    const options = operator.options as FlatTable
    const size = shape(operator.inputs[0]!)
    const begin = Array.from(requireConstant(conversion, operator, 1), (v, i) => (bit(options.int32(0), i) ? 0 : v))
    const end = Array.from(requireConstant(conversion, operator, 2), (v, i) =>
      bit(options.int32(1), i) ? size[i]! : v,
    )
    const axes = graph.i64(begin.map((_, i) => i))
    const steps = graph.i64([...requireConstant(conversion, operator, 3)])
    const sliced = graph.op('Slice', [plain(operator.inputs[0]!), graph.i64(begin), graph.i64(end), axes, steps])
    const target = graph.i64(shape(operator.outputs[0]!))
    conversion.setPlain(operator.outputs[0]!, graph.op('Reshape', [sliced, target]))
  },
}
