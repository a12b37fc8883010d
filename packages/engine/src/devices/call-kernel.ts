import { tf } from '../tf.js'

type Tensors = Readonly<Record<string, tf.Tensor>>
type Attributes = Readonly<Record<string, unknown>>

/** What to do by hand where a kernel is asked for a padding by numbers, and can only leave it out. */
interface Padding {
  /** The input that gets the padding. */
  pads?: string
  /** What it is padded with; 0 if not given. */
  value?: number
  /** The result is a gradient of the padded tensor, whose padding is cut off. */
  cuts?: boolean
}

/** Kernels that take numbers as `pad`: TensorFlow's know `same` and `valid` only, and some compute something else for numbers. */
const PADDED: Readonly<Record<string, Padding>> = {
  Conv2D: { pads: 'x' },
  FusedConv2D: { pads: 'x' },
  DepthwiseConv2dNative: { pads: 'x' },
  FusedDepthwiseConv2D: { pads: 'x' },
  Conv3D: { pads: 'x' },
  Conv2DBackpropFilter: { pads: 'x' },
  DepthwiseConv2dNativeBackpropFilter: { pads: 'x' },
  Conv3DBackpropFilterV2: { pads: 'x' },
  Conv2DBackpropInput: { cuts: true },
  DepthwiseConv2dNativeBackpropInput: { cuts: true },
  Conv3DBackpropInputV2: { cuts: true },
  MaxPool: { pads: 'x', value: Number.NEGATIVE_INFINITY },
  MaxPoolGrad: { pads: 'input', value: Number.NEGATIVE_INFINITY, cuts: true },
}

/**
 * What a kernel of the current backend gives, as all backends would give it: a padding by numbers is done before, and an
 * axis counted from the end is counted from the start.
 */
export function callKernel(
  kernel: string,
  inputs: Tensors | readonly tf.Tensor[],
  attributes: Attributes,
): tf.Tensor | tf.Tensor[] {
  const run = (tensors: typeof inputs, given: Attributes) =>
    tf.engine().runKernel(kernel, tensors as tf.NamedTensorMap, given as tf.NamedAttrMap) as tf.Tensor | tf.Tensor[]
  const named = inputs as Tensors
  if (kernel === 'GatherV2' && (attributes.axis as number) < 0)
    return run(named, { ...attributes, axis: (attributes.axis as number) + named.x!.rank })
  const { pad, dimRoundingMode = 'floor' } = attributes
  const padding = PADDED[kernel]
  // The sizes of `valid` are rounded down; for others the kernel has to say what it can do.
  if (!padding || typeof pad === 'string' || dimRoundingMode !== 'floor') return run(inputs, attributes)
  const { pads, value, cuts } = padding
  const shape = pads ? named[pads]!.shape : (attributes.inputShape as number[])
  const around = sidesOf(pad as number | [number, number][], shape.length)
  const wide = shape.map((size, axis) => size + around[axis]![0] + around[axis]![1])
  const result = run(pads ? { ...named, [pads]: tf.pad(named[pads]!, around, value) } : named, {
    ...attributes,
    pad: 'valid',
    ...(attributes.inputShape ? { inputShape: wide } : {}),
  }) as tf.Tensor
  const before = around.map(([size]) => size)
  return cuts ? tf.slice(result, before, shape) : result
}

/** What comes before and after each axis of a tensor whose first axis are images and whose last one are channels. */
const sidesOf = (pad: number | readonly [number, number][], rank: number): [number, number][] =>
  Array.from({ length: rank }, (_, axis) => {
    if (typeof pad !== 'number') return [...pad[axis]!]
    return axis === 0 || axis === rank - 1 ? [0, 0] : [pad, pad]
  })
