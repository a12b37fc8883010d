import { DflError } from '@dfl/core'
import { type FlexValue, readFlexbuffer } from './flexbuffer.js'
import type { ConvertTflite, TfliteConversion } from './tflite.js'
import type { TfliteOperator } from './tflite-file.js'

// The mesh with attention looks again at the eyes and lips: it lays a turned box round the points of each, samples its
// features there, and maps the refined points back. MediaPipe does that with three operators of its own, written here
// with standard ones. Source: Grishchenko et al. 2020, "Attention Mesh", https://arxiv.org/abs/2006.10962, and the
// operators' description in https://github.com/google-ai-edge/mediapipe (Apache-2.0), mediapipe/util/tflite/operations

/** A number or list of numbers among the operator's options. */
function option(operator: TfliteOperator, options: FlexValue, name: string): number[] {
  const value = typeof options === 'object' && !Array.isArray(options) ? options[name] : undefined
  const numbers = (Array.isArray(value) ? value : [value]).map(Number)
  if (value !== undefined && numbers.every(Number.isFinite)) return numbers
  throw new DflError(
    'CORRUPT_FILE',
    `Expected numbers for the option \`${name}\` of ${operator.op}, but got ${JSON.stringify(value)}. Install the package that the network belongs to again.`,
  )
}

/** [1, 4, 4] transform of 3D points → the [1, 3, 2] matrix that takes rows [x, y, 1] to rows [x', y']. */
function planarMatrix({ graph, plain }: TfliteConversion, transform: number): string {
  const rows = graph.op('Slice', [plain(transform), graph.i64([0]), graph.i64([2]), graph.i64([1])])
  return graph.op('Transpose', [graph.op('Gather', [rows, graph.i64([0, 1, 3])], { axis: 2 })], { perm: [0, 2, 1] })
}

/** Landmarks → the transform from pixels of a region around some of them to pixels of the whole. */
const landmarksToTransformMatrix: ConvertTflite = (conversion, operator) => {
  const { graph } = conversion
  const options = readFlexbuffer(operator.customOptions)
  const number = (name: string) => option(operator, options, name)[0]!
  if (number('target_rotation_radians') !== 0)
    throw new DflError(
      'UNSUPPORTED_OP',
      `Expected 0 for \`target_rotation_radians\` of ${operator.op}, but got ${number('target_rotation_radians')}. Use the face mesh of @mediapipe/face_mesh 0.4.`,
    )
  const [width, height] = [number('output_width'), number('output_height')]
  const last = graph.i64([2])
  const xy = graph.op('Slice', [conversion.plain(operator.inputs[0]!), graph.i64([0]), graph.i64([2]), last])
  const point = (name: string) => graph.op('Gather', [xy, graph.i64([number(name)])], { axis: 1 })

  // The direction from the left to the right reference point is (cos, -sin) of the region's rotation.
  const across = graph.op('Sub', [point('right_rotation_idx'), point('left_rotation_idx')])
  const unit = graph.op('Div', [across, graph.op('ReduceL2', [across, last], { keepdims: 1 })])
  const cos = graph.op('Slice', [unit, graph.i64([0]), graph.i64([1]), last])
  const minusSin = graph.op('Slice', [unit, graph.i64([1]), graph.i64([2]), last])
  const sin = graph.op('Neg', [minusSin])
  const matrix = (a: string, b: string, c: string, d: string) =>
    graph.op('Concat', [graph.op('Concat', [a, b], { axis: 2 }), graph.op('Concat', [c, d], { axis: 2 })], { axis: 1 })

  // Upright bounding box of the region's points, and its centre turned back.
  const subset = graph.op('Gather', [xy, graph.i64(option(operator, options, 'subset_idxs'))], { axis: 1 })
  const upright = graph.op('MatMul', [subset, matrix(cos, sin, minusSin, cos)])
  const high = graph.op('ReduceMax', [upright, graph.i64([1])], { keepdims: 1 })
  const low = graph.op('ReduceMin', [upright, graph.i64([1])], { keepdims: 1 })
  const centre = graph.op('MatMul', [
    graph.op('Mul', [graph.op('Add', [high, low]), graph.f32([0.5])]),
    matrix(cos, minusSin, sin, cos),
  ])

  const scale = graph.op('Mul', [
    graph.op('Sub', [high, low]),
    graph.f32([number('scale_x') / width, number('scale_y') / height], [1, 1, 2]),
  ])
  const linear = graph.op('Mul', [matrix(cos, sin, minusSin, cos), scale])
  const toCentre = graph.op('MatMul', [linear, graph.f32([-width / 2, -height / 2], [1, 2, 1])])
  const shift = graph.op('Add', [toCentre, graph.op('Transpose', [centre], { perm: [0, 2, 1] })])
  const top = graph.op('Concat', [linear, graph.f32([0, 0], [1, 2, 1]), shift], { axis: 2 })
  const bottom = graph.f32([0, 0, 1, 0, 0, 0, 0, 1], [1, 2, 4])
  conversion.setPlain(operator.outputs[0]!, graph.op('Concat', [top, bottom], { axis: 1 }))
}

/** Features and a transform → features of the region, sampled bilinearly. */
const transformTensorBilinear: ConvertTflite = (conversion, operator) => {
  const { graph, shape } = conversion
  const [, height, width] = shape(operator.inputs[0]!)
  const [, outHeight, outWidth] = shape(operator.outputs[0]!)
  const centres: number[] = []
  for (let y = 0; y < outHeight!; y++) for (let x = 0; x < outWidth!; x++) centres.push(x + 0.5, y + 0.5, 1)
  const positions = graph.op('MatMul', [
    graph.f32(centres, [1, outHeight! * outWidth!, 3]),
    planarMatrix(conversion, operator.inputs[1]!),
  ])
  // ONNX wants -1..1 from edge to edge.
  const scaled = graph.op('Mul', [positions, graph.f32([2 / width!, 2 / height!], [1, 1, 2])])
  const grid = graph.op('Reshape', [
    graph.op('Sub', [scaled, graph.f32([1])]),
    graph.i64([1, outHeight!, outWidth!, 2]),
  ])
  const sampled = graph.op('GridSample', [conversion.channelsFirst(operator.inputs[0]!), grid], {
    mode: 'linear',
    padding_mode: 'zeros',
    align_corners: 0,
  })
  conversion.setChannelsFirst(operator.outputs[0]!, sampled)
}

/** 2D landmarks of a region and its transform → landmarks of the whole. */
const transformLandmarks: ConvertTflite = (conversion, operator) => {
  const { graph, shape } = conversion
  const [, count] = shape(operator.inputs[0]!)
  const ones = graph.f32(new Float32Array(count!).fill(1), [1, count!, 1])
  const homogeneous = graph.op('Concat', [conversion.plain(operator.inputs[0]!), ones], { axis: 2 })
  const mapped = graph.op('MatMul', [homogeneous, planarMatrix(conversion, operator.inputs[1]!)])
  conversion.setPlain(operator.outputs[0]!, mapped)
}

/** MediaPipe's custom operators, by their names in files. */
export const ATTENTION_OPERATORS: Readonly<Record<string, ConvertTflite>> = {
  Landmarks2TransformMatrix: landmarksToTransformMatrix,
  TransformTensorBilinear: transformTensorBilinear,
  TransformLandmarks: transformLandmarks,
}
