import { DflError } from '@dfl/core'
import { LOWERINGS, type Lowering } from '../kernels/index.js'
import { tf } from '../tf.js'
import { explain, reader, refuseAssigning, refuseDraws, unsupported, userLine } from './explain.js'
import { type Program, Tape } from './tape.js'
import { sizeOf, Trace, type Value } from './trace.js'

/** The backend on which functions are recorded, which is there from the start. */
export const BACKEND = 'dfl-record'

/** A TensorFlow.js backend whose kernels write nodes of a graph instead of computing. */
class RecordingBackend extends tf.KernelBackend {
  trace: Trace | undefined
  /** Where the calls themselves are noted, for a function that another backend will run. */
  tape: Tape | undefined
  /** Lowerings that stand in for the usual ones. */
  kernels: Readonly<Record<string, Lowering>> = {}
  /** What went wrong where nothing could be thrown. */
  failure: unknown
  /** Which trace made a tensor that has a name in a graph. */
  readonly makers = new WeakMap<object, Trace>()
  readonly data = new tf.DataStorage<Value>(this, tf.engine())

  override numDataIds(): number {
    return this.data.numDataIds()
  }
  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    if (this.trace) refuseDraws()
    if (dtype === 'string' || dtype === 'complex64') throw unsupported(`a tensor of type ${dtype}`)
    const id = {}
    this.data.set(id, {
      shape,
      dtype: dtype as Value['dtype'],
      constant: (values as ArrayLike<number>) ?? new Float32Array(sizeOf(shape)),
    })
    return id
  }
  override move(id: object, values: tf.BackendValues, shape: number[], dtype: tf.DataType): void {
    this.data.set(id, { shape, dtype: dtype as Value['dtype'], constant: values as ArrayLike<number> })
  }
  override readSync(id: object): tf.BackendValues {
    const { constant, shape } = this.data.get(id)
    if (constant?.length === sizeOf(shape)) return constant as Float32Array
    if (!this.trace)
      throw new DflError(
        'BAD_STATE',
        `Expected a tensor that has values, but ${reader()} got one of shape [${shape}] that \`compile\` made while it recorded${userLine()}. Return it under \`outputs\` and take its values from what \`run\` gives back.`,
      )
    throw new DflError(
      'UNSUPPORTED_OP',
      `Expected a function that only builds new tensors, but ${reader()} read the values of a traced one of shape [${shape}]${userLine()}. Move the decision into the graph (tf.where) or pass the value as an input.`,
    )
  }
  override async read(id: object): Promise<tf.BackendValues> {
    try {
      return this.readSync(id)
    } catch (error) {
      if (!this.trace) throw error
      // `data()` promises. What waits for it would go on after the recording, so the recording fails instead.
      this.failure ??= error
      return new Promise(() => {})
    }
  }
  override incRef(): void {}
  decRef(): void {}
  override refCount(): number {
    return 1
  }
  override disposeData(): boolean {
    return false
  }
  override memory() {
    return { unreliable: true }
  }
  override floatPrecision(): 32 {
    return 32
  }
  override epsilon(): number {
    return 1e-7
  }
}

let backend: RecordingBackend | undefined

// TensorFlow.js looks for a backend as soon as a tensor is made, before anything is compiled. This one is made then.
tf.registerBackend(BACKEND, recordingBackend, 0)

/** The recording backend, with one kernel per known lowering. */
function recordingBackend(): RecordingBackend {
  if (backend) return backend
  const made = new RecordingBackend()
  backend = made
  for (const [kernelName, lower] of Object.entries(LOWERINGS)) {
    tf.registerKernel({
      kernelName,
      backendName: BACKEND,
      kernelFunc: ({ inputs, attrs }) => {
        if (!made.trace)
          throw new DflError(
            'BAD_STATE',
            `Expected TensorFlow.js ops inside a function given to \`compile\`, but \`${kernelName}\` ran outside of one${userLine()}. Compile the function that calls it.`,
          )
        const values: Record<string, Value> = {}
        for (const [key, info] of Object.entries(inputs))
          if (info) values[key] = tracedValue(made, info as tf.TensorInfo)
        const result = (made.kernels[kernelName] ?? lower)(made.trace, values, (attrs ?? {}) as never)
        const infos = Array.isArray(result) ? result.map((v) => infoOf(made, v)) : infoOf(made, result)
        made.tape?.call(kernelName, { inputs, attributes: attrs ?? {}, outputs: [infos].flat() })
        return infos
      },
    })
  }
  return made
}

function tracedValue(to: RecordingBackend, info: tf.TensorInfo): Value {
  const maker = to.makers.get(info.dataId)
  if (maker && maker !== to.trace)
    throw new DflError(
      'BAD_STATE',
      `Expected tensors made inside the compiled function, but got one of shape [${info.shape}] that another compiled function made${userLine()}. Pass it as an input or as state.`,
    )
  return { ...to.data.get(info.dataId), shape: info.shape, dtype: info.dtype as Value['dtype'] }
}

function infoOf(to: RecordingBackend, value: Value): tf.TensorInfo {
  const dataId = {}
  to.trace?.note(value)
  to.data.set(dataId, value)
  if (value.name !== undefined) to.makers.set(dataId, to.trace!)
  return { dataId, shape: value.shape as number[], dtype: value.dtype }
}

/**
 * Runs `fn` once on placeholders and gives back the graph of what it did.
 *
 * @param fn  Gets a way to make placeholders; whatever tensors it returns are the outputs.
 * @returns With `program` also the calls themselves, for another backend.
 */
export function record(
  fn: (placeholder: (name: string, value: Value) => tf.Tensor) => Record<string, tf.Tensor>,
  options: { kernels?: Readonly<Record<string, Lowering>>; portable?: boolean; program?: boolean } = {},
): { trace: Trace; outputs: Record<string, Value>; program?: Program } {
  const recorder = recordingBackend()
  if (recorder.trace)
    throw new DflError(
      'BAD_STATE',
      'Expected `compile` outside of a compiled function, but it was called inside one. Call the inner function directly.',
    )
  const previous = tf.engine().backendName
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 50 // TensorFlow.js calls deeply, and errors name the user's line.
  const trace = new Trace(options.portable)
  recorder.trace = trace
  recorder.kernels = options.kernels ?? {}
  const tape = options.program ? new Tape((info) => tracedValue(recorder, info)) : undefined
  recorder.tape = tape
  tf.setBackend(BACKEND)
  const engine = tf.engine()
  engine.startScope('dfl-compile')
  const allowAssigning = refuseAssigning()
  try {
    const tensors = fn((_, value) => engine.makeTensorFromTensorInfo(infoOf(recorder, value)))
    const outputs: Record<string, Value> = {}
    for (const [name, tensor] of Object.entries(tensors)) outputs[name] = tracedValue(recorder, tensor)
    if (recorder.failure) throw recorder.failure
    return { trace, outputs, program: tape?.program(tensors) }
  } catch (error) {
    throw explain(recorder.failure ?? error)
  } finally {
    recorder.failure = undefined
    allowAssigning()
    engine.endScope()
    recorder.trace = undefined
    recorder.tape = undefined
    Error.stackTraceLimit = stackTraceLimit
    if (previous && previous !== BACKEND) tf.setBackend(previous)
  }
}
