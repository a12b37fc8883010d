import { DflError } from '@dfl/core'
import { OnnxGraph } from '../onnx/graph.js'
import { permute4 } from './layout.js'
import { readWeights, type Weight, type WeightGroup } from './weights.js'

/** Means that dlib subtracts from R, G and B. */
const RGB_MEANS = [122.782, 117.001, 104.298]

/**
 * dlib's face recognition ResNet-29 as the bytes of an ONNX file, from the weights that face-api ships.
 *
 * Input `input`: [1, 150, 150, 3] float32, RGB, 0..255. Output `embedding`: [1, 128] float32;
 * two faces of one person lie less than 0.6 apart.
 *
 * @param weights  `face_recognition_model.bin`.
 * @param manifest  The parsed `face_recognition_model-weights_manifest.json`.
 * @throws DflError `CORRUPT_FILE` when weights and manifest do not belong together or a layer is missing.
 *
 * Source: D. King, dlib_face_recognition_resnet_model_v1 (CC0), https://github.com/davisking/dlib-models
 */
export function faceApiRecognitionToOnnx(weights: Uint8Array, manifest: readonly WeightGroup[]): Uint8Array {
  const parameters = readWeights(manifest, weights)
  const graph = new OnnxGraph()

  const parameter = (name: string): Weight => {
    const found = parameters.get(name)
    if (found) return found
    throw new DflError(
      'CORRUPT_FILE',
      `Expected the weight \`${name}\` in face-api's recognition model, but got a file without it. Use face_recognition_model.bin with its own manifest.`,
    )
  }

  /** A convolution with dlib's per-channel scale and bias folded into it. */
  const convolution = (x: string, name: string, options: { stride: 1 | 2; padded: boolean; relu: boolean }): string => {
    const filters = parameter(`${name}/conv/filters`)
    const scale = parameter(`${name}/scale/weights`).data
    const [height, width, inputs, outputs] = filters.shape as [number, number, number, number]
    const kernel = permute4(filters.data, filters.shape, [3, 2, 0, 1])
    scaleRows(kernel, scale)
    const shift = parameter(`${name}/scale/biases`).data
    const bias = Float32Array.from(parameter(`${name}/conv/bias`).data, (b, o) => b * scale[o]! + shift[o]!)
    const [py, px] = options.padded ? [(height - 1) >> 1, (width - 1) >> 1] : [0, 0]
    const y = graph.op('Conv', [x, graph.f32(kernel, [outputs, inputs, height, width]), graph.f32(bias, [outputs])], {
      kernel_shape: [height, width],
      strides: [options.stride, options.stride],
      pads: [py, px, py, px],
    })
    return options.relu ? graph.op('Relu', [y]) : y
  }

  const residual = (x: string, name: string): string => {
    const inner = convolution(x, `${name}/conv1`, { stride: 1, padded: true, relu: true })
    const outer = convolution(inner, `${name}/conv2`, { stride: 1, padded: true, relu: false })
    return graph.op('Relu', [graph.op('Add', [outer, x])])
  }

  let size = 150
  /** Halves the size; the shortcut is average-pooled and filled up with zero channels. */
  const residualDown = (x: string, name: string): string => {
    const [, , inputs] = parameter(`${name}/conv1/conv/filters`).shape as number[]
    const [, , , outputs] = parameter(`${name}/conv2/conv/filters`).shape as number[]
    const convolved = ((size - 3) >> 1) + 1
    const pooled = size >> 1
    const inner = convolution(x, `${name}/conv1`, { stride: 2, padded: false, relu: true })
    let outer = convolution(inner, `${name}/conv2`, { stride: 1, padded: true, relu: false })
    let shortcut = graph.op('AveragePool', [x], { kernel_shape: [2, 2], strides: [2, 2] })
    const missing = pooled - convolved
    if (missing > 0) outer = graph.op('Pad', [outer, graph.i64([0, 0, 0, 0, 0, 0, missing, missing])])
    if (outputs !== inputs) shortcut = graph.op('Pad', [shortcut, graph.i64([0, 0, 0, 0, 0, outputs! - inputs!, 0, 0])])
    size = pooled
    return graph.op('Relu', [graph.op('Add', [shortcut, outer])])
  }

  let x = graph.op('Transpose', [graph.input('input', 'float32', [1, size, size, 3])], { perm: [0, 3, 1, 2] })
  x = graph.op('Sub', [x, graph.f32(RGB_MEANS, [1, 3, 1, 1])])
  x = graph.op('Div', [x, graph.f32([255])])
  x = convolution(x, 'conv32_down', { stride: 2, padded: false, relu: true })
  x = graph.op('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2] })
  size = 35
  for (const name of ['conv32_1', 'conv32_2', 'conv32_3']) x = residual(x, name)
  x = residualDown(x, 'conv64_down')
  for (const name of ['conv64_1', 'conv64_2', 'conv64_3']) x = residual(x, name)
  x = residualDown(x, 'conv128_down')
  for (const name of ['conv128_1', 'conv128_2']) x = residual(x, name)
  x = residualDown(x, 'conv256_down')
  for (const name of ['conv256_1', 'conv256_2']) x = residual(x, name)
  x = residualDown(x, 'conv256_down_out')
  x = graph.op('ReduceMean', [x, graph.i64([2, 3])], { keepdims: 0 })
  const fc = parameter('fc')
  x = graph.op('MatMul', [x, graph.f32(Float32Array.from(fc.data), fc.shape)])
  graph.output('embedding', 'float32', [1, 128], x)
  return graph.build('dlib-resnet-29')
}

/** Multiplies each of as many rows as there are factors by its own. */
function scaleRows(rows: Float32Array, factors: ArrayLike<number>): void {
  const length = rows.length / factors.length
  for (let row = 0, i = 0; row < factors.length; row++) {
    const factor = factors[row]!
    for (const end = (row + 1) * length; i < end; i++) rows[i]! *= factor
  }
}
