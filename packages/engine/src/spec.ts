import { DflError } from '@dfl/core'
import type { CompileSpec, Traceable } from './compile.js'
import type { TensorData } from './network.js'
import { tf } from './tf.js'
import { userLine } from './trace/explain.js'
import { same, sizeOf } from './trace/trace.js'

/** An input of a compiled function. */
export interface InputPort {
  name: string
  shape: readonly number[]
  dtype: 'float32' | 'int32'
}

/** The values of inputs, row by row, by name. */
export type InputValues = Readonly<Record<string, ArrayLike<number> | TensorData>>

/** The inputs of a spec with their types. */
export function inputsOf(spec: CompileSpec): InputPort[] {
  if (!spec?.inputs)
    throw new DflError(
      'BAD_SHAPE',
      `Expected \`{ inputs }\` with a shape for each input as the spec, but got ${shown(spec)}${userLine()}. Write \`{ inputs: {} }\` for none.`,
    )
  return Object.entries(spec.inputs).map(([name, given]) => {
    const { shape, dtype } =
      typeof given === 'object' && given && 'shape' in given ? given : { shape: given, dtype: 'float32' as const }
    if (dtype !== 'float32' && dtype !== 'int32')
      throw new DflError(
        'BAD_SHAPE',
        `Expected float32 or int32 as the type of \`${name}\`, but got ${dtype}${userLine()}. Pass numbers, and compare them inside of the function for booleans.`,
      )
    return { name, shape: whole(name, shape), dtype }
  })
}

/** The shapes of a spec's state. */
export function stateShapesOf(spec: CompileSpec): Readonly<Record<string, readonly number[]>> {
  for (const [name, shape] of Object.entries(spec?.state ?? {})) whole(name, shape)
  return spec?.state ?? {}
}

function whole(name: string, shape: unknown): readonly number[] {
  if (Array.isArray(shape) && shape.every((size) => Number.isInteger(size) && size >= 0)) return shape
  throw new DflError(
    'BAD_SHAPE',
    `Expected a shape of whole numbers for \`${name}\`, but got ${Array.isArray(shape) ? `[${shape.map(String)}]` : shown(shape)}${userLine()}. Sizes are fixed when a function is compiled: write each of them.`,
  )
}

/** The values that `run` got for an input, if they are as many numbers as it was compiled for. */
export function valuesOf({ name, shape }: InputPort, given: InputValues[string] | undefined): ArrayLike<number> {
  const data = given && typeof given === 'object' && 'data' in given ? given.data : given
  const isList = typeof data === 'object' && typeof data.length === 'number'
  if (!isList || (data.length > 0 && typeof data[0] !== 'number'))
    throw new DflError(
      'BAD_SHAPE',
      `Expected ${sizeOf(shape)} numbers of shape [${shape}] for \`${name}\`, but got ${isList ? `a list of ${plural(data[0])}` : shown(given)}${userLine()}. Pass them to \`run\` as one flat array, row by row.`,
    )
  if (given !== data) checkShape(name, (given as TensorData).shape, shape)
  if (data.length !== sizeOf(shape))
    throw new DflError(
      'BAD_SHAPE',
      `Expected ${sizeOf(shape)} values of shape [${shape}] for \`${name}\`, but \`run\` got ${data.length}${userLine()}. The function was compiled for that shape; compile it again for another.`,
    )
  return data as ArrayLike<number>
}

const plural = (one: unknown) => (Array.isArray(one) ? 'arrays' : `${typeof one}s`)

/** What something is, in a word or two. */
function shown(value: unknown): string {
  if (value === undefined || value === null) return 'none'
  if (value instanceof tf.Tensor) return 'a tensor of TensorFlow.js, which has no values here'
  if (value instanceof Promise) return 'a promise'
  return typeof value === 'number' ? `the number ${value}` : typeof value
}

/** What a function gave back, if it is what `Traceable` promises: people write functions in JavaScript, too. */
export function checkResult(result: ReturnType<Traceable>): ReturnType<Traceable> {
  if (!result?.outputs)
    throw new DflError(
      'BAD_STATE',
      `Expected the compiled function to return \`{ outputs }\`, but got ${shown(result)}${userLine()}. Return the tensors themselves, without \`async\`.`,
    )
  for (const [name, tensor] of Object.entries({ ...result.state, ...result.outputs }))
    if (!(tensor instanceof tf.Tensor))
      throw new DflError(
        'BAD_STATE',
        `Expected the compiled function to return a tensor for \`${name}\`, but got ${shown(tensor)}${userLine()}. Return tensors only.`,
      )
  for (const [name, { dtype }] of Object.entries(result.state ?? {}))
    if (dtype !== 'float32')
      throw new DflError(
        'BAD_SHAPE',
        `Expected float32 as the type of \`${name}\` in the state, but got ${dtype}${userLine()}. Cast it: tf.cast(…, 'float32').`,
      )
  return result
}

/** Fails unless a tensor has the shape that the spec tells. */
export function checkShape(name: string, got: readonly number[], expected: readonly number[] | undefined): void {
  if (!expected)
    throw new DflError(
      'UNKNOWN_NAME',
      `Expected only tensors named in the spec's \`state\`, but got \`${name}\`${userLine()}. Add it there with its shape.`,
    )
  if (!same(got, expected))
    throw new DflError(
      'BAD_SHAPE',
      `Expected [${expected}] for \`${name}\`, but got [${got}]${userLine()}. Bring it into that shape.`,
    )
}
