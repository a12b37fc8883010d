/**
 * Values of a 4D array with its axes in a new order.
 *
 * @param permutation  Position in `shape` of each new axis, as ONNX Transpose takes it.
 */
export function permute4(
  data: ArrayLike<number>,
  shape: readonly number[],
  permutation: readonly [number, number, number, number],
): Float32Array {
  // Axes of one entry may stand anywhere: kernels of 1 x 1, which most are, stay as they are.
  const longer = permutation.filter((axis) => shape[axis]! > 1)
  if (longer.every((axis, i) => i === 0 || axis > longer[i - 1]!)) return new Float32Array(data)
  const strides = [shape[1]! * shape[2]! * shape[3]!, shape[2]! * shape[3]!, shape[3]!, 1]
  const [n0, n1, n2, n3] = permutation.map((axis) => shape[axis]!) as [number, number, number, number]
  const [s0, s1, s2, s3] = permutation.map((axis) => strides[axis]!) as [number, number, number, number]
  const out = new Float32Array(data.length)
  // The longer steps outside: what is read next then lies close to what was read.
  if (s0 >= s1) {
    let p = 0
    for (let a = 0; a < n0; a++)
      for (let b = 0; b < n1; b++)
        for (let c = 0; c < n2; c++)
          for (let d = 0, from = a * s0 + b * s1 + c * s2; d < n3; d++, from += s3) out[p++] = data[from]!
  } else
    for (let b = 0; b < n1; b++)
      for (let a = 0; a < n0; a++) {
        let p = (a * n1 + b) * n2 * n3
        for (let c = 0; c < n2; c++)
          for (let d = 0, from = a * s0 + b * s1 + c * s2; d < n3; d++, from += s3) out[p++] = data[from]!
      }
  return out
}

/** Axis of NHWC → the same axis of NCHW. Negative axes count from the end. */
export const nchwAxis = (nhwcAxis: number): number => [0, 2, 3, 1][(nhwcAxis + 4) % 4]!

/** NHWC pads of all four axes, [before, after] each, flat → ONNX pads of NCHW: all befores, then all afters. */
export function nchwPads(pads: ArrayLike<number>): number[] {
  const order = [0, 3, 1, 2]
  return [...order.map((axis) => pads[2 * axis]!), ...order.map((axis) => pads[2 * axis + 1]!)]
}

/** How TensorFlow pads a sliding window along one axis. */
export interface Padding {
  before: number
  after: number
  /** Length of the result. */
  output: number
}

/**
 * TensorFlow's padding along one axis: 'SAME' keeps ceil(length / stride), 'VALID' pads nothing.
 *
 * Source: https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding
 */
export function tensorflowPadding(
  kind: 'SAME' | 'VALID',
  length: number,
  window: { size: number; stride: number; dilation?: number },
): Padding {
  const extent = (window.size - 1) * (window.dilation ?? 1) + 1
  if (kind === 'VALID') return { before: 0, after: 0, output: Math.floor((length - extent) / window.stride) + 1 }
  const output = Math.ceil(length / window.stride)
  const total = Math.max((output - 1) * window.stride + extent - length, 0)
  return { before: total >> 1, after: total - (total >> 1), output }
}
