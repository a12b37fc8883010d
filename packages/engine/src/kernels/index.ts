import type { Trace, Value } from '../trace/trace.js'
import { CONVOLUTION } from './convolution.js'
import { CONVOLUTION_3D } from './convolution3d.js'
import { DEPTHWISE } from './depthwise.js'
import { ELEMENTWISE } from './elementwise.js'
import { MATRIX } from './matrix.js'
import { NORMALISE } from './normalise.js'
import { POOLING } from './pooling.js'
import { REARRANGE } from './rearrange.js'
import { REDUCTION } from './reduction.js'
import { RESIZE } from './resize.js'
import { SCATTER } from './scatter.js'
import { SHAPE } from './shape.js'

/** Writes the nodes of one TensorFlow.js kernel into the trace and tells its result. */
// biome-ignore lint/suspicious/noExplicitAny: each kernel has attributes of its own
export type Lowering = (trace: Trace, inputs: Record<string, Value>, attrs: any) => Value | Value[]

/** Every TensorFlow.js kernel that can be compiled, by its name. */
export const LOWERINGS: Readonly<Record<string, Lowering>> = {
  ...ELEMENTWISE,
  ...REDUCTION,
  ...SHAPE,
  ...REARRANGE,
  ...SCATTER,
  ...MATRIX,
  ...CONVOLUTION,
  ...DEPTHWISE,
  ...CONVOLUTION_3D,
  ...POOLING,
  ...RESIZE,
  ...NORMALISE,
}
