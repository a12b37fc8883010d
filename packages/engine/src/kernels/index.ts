import type { Trace, Value } from '../trace/trace.js'
import { CONVOLUTION } from './convolution.js'
import { ELEMENTWISE } from './elementwise.js'
import { MATRIX } from './matrix.js'
import { REDUCTION } from './reduction.js'
import { SHAPE } from './shape.js'

/** Writes the nodes of one TensorFlow.js kernel into the trace and tells its result. */
// biome-ignore lint/suspicious/noExplicitAny: each kernel has attributes of its own
export type Lowering = (trace: Trace, inputs: Record<string, Value>, attrs: any) => Value | Value[]

/** Every TensorFlow.js kernel that can be compiled, by its name. */
export const LOWERINGS: Readonly<Record<string, Lowering>> = {
  ...ELEMENTWISE,
  ...REDUCTION,
  ...SHAPE,
  ...MATRIX,
  ...CONVOLUTION,
}
