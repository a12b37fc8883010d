import { DflError } from '@dfl/core'
import type { Resident, State } from '../state.js'
import { tf } from '../tf.js'
import { BACKEND } from '../trace/record.js'
import type { Call, Program } from '../trace/tape.js'
import type { Value } from '../trace/trace.js'
import { callKernel } from './call-kernel.js'
import { holds, type StateRunner } from './runners.js'

/** A tensor of a state in a backend's memory. */
interface BackendTensor extends Resident {
  readonly tensor: tf.Tensor
}

/**
 * A runner on a backend of TensorFlow.js: it calls the kernels that were recorded, one after another, and gives up each value
 * after its last reader. The state stays in the backend's memory from run to run; it goes there with the first, and back when
 * it is read.
 *
 * All copies of TensorFlow.js in a process share one engine and one list of kernels, so the backend may come from another.
 *
 * @param backend  Its name; it has to be registered and ready.
 * @param guard  The output that has to be finite for the state to be replaced, as `output:…`.
 * @throws DflError `UNSUPPORTED_OP` for a kernel that the backend does not have.
 */
export function onBackend(backend: string, { calls, given, constants, results }: Program, guard?: string): StateRunner {
  expectKernels(backend, calls)
  const fixed = within(backend, () =>
    constants.map(({ id, value }) => [id, tf.keep(tensorOf(value, value.constant!))] as const),
  )
  const read = given.filter(({ name }) => name.startsWith('state:')).map(({ name }) => name.slice('state:'.length))
  const states = new Set<State>() // that have tensors there
  return {
    reads: new Set(given.map(({ name }) => name).filter((name) => name.startsWith('input:'))),
    async run(state, feeds) {
      for (const name of read) if (!residentOf(state!, name)) await state!.download([name]) // of another device
      if (state) states.add(state)
      // From here on nothing is waited for: all of it happens, or nothing.
      const outputs: Awaited<ReturnType<StateRunner['run']>> = {}
      const next = within(backend, () => {
        const tensors = new Map<number, tf.Tensor>(fixed)
        for (const { id, name, value } of given)
          tensors.set(
            id,
            name.startsWith('state:')
              ? stateTensor(state!, name.slice('state:'.length), value)
              : tensorOf(value, feeds[name]!.data as Float32Array),
          )
        for (const call of calls) follow(call, tensors)
        for (const [name, id] of Object.entries(results))
          if (name.startsWith('output:')) outputs[name] = valuesOf(tensors.get(id)!)
        if (!holds(guard, outputs)) return []
        return Object.entries(results).flatMap(([name, id]) =>
          name.startsWith('next:') ? [[name.slice('next:'.length), tf.keep(tf.clone(tensors.get(id)!))] as const] : [],
        )
      })
      for (const [name, tensor] of next) state!.place(name, hold(tensor, true))
      return outputs
    },
    async [Symbol.asyncDispose]() {
      for (const state of states) await state.withdraw()
      for (const [, tensor] of fixed) tensor.dispose()
    },
  }
}

/** What `work` gives on a backend; tensors that it does not keep are gone after it, and the backend is as before. */
export function within<T>(backend: string, work: () => T): T {
  const before = tf.engine().backendName ?? BACKEND
  void tf.setBackend(backend)
  try {
    let result: T | undefined
    tf.tidy(() => {
      result = work()
    })
    return result as T
  } finally {
    void tf.setBackend(before)
  }
}

/** Calls a kernel, and gives up what nothing reads after it. */
function follow({ kernel, inputs, attributes, outputs, last }: Call, tensors: Map<number, tf.Tensor>): void {
  const tensorAt = (id: number) => tensors.get(id)!
  const named = Array.isArray(inputs)
    ? inputs.map(tensorAt)
    : Object.fromEntries(Object.entries(inputs).map(([name, id]) => [name, tensorAt(id)]))
  ;[callKernel(kernel, named, attributes)].flat().forEach((tensor, i) => {
    tensors.set(outputs[i]!, tensor)
  })
  for (const id of last) {
    tensorAt(id).dispose()
    tensors.delete(id)
  }
}

function expectKernels(backend: string, calls: readonly Call[]): void {
  const missing = new Set(calls.map(({ kernel }) => kernel).filter((kernel) => !tf.getKernel(kernel, backend)))
  if (missing.size === 0) return
  throw new DflError(
    'UNSUPPORTED_OP',
    `Expected ops that TensorFlow's package for Node has kernels for, but got ${[...missing].map((name) => `\`${name}\``).join(', ')}. Write it with other ops, or choose another device.`,
    { data: { op: [...missing][0] } },
  )
}

const residentOf = (state: State, name: string): BackendTensor | undefined => {
  const resident = state.resident(name)
  return resident?.device === 'tensorflow' ? (resident as BackendTensor) : undefined
}

/** A tensor of the state where the kernels read it. */
function stateTensor(state: State, name: string, value: Value): tf.Tensor {
  const known = residentOf(state, name)
  if (known) return known.tensor
  const tensor = tf.keep(tensorOf(value, state.get(name).data))
  state.place(name, hold(tensor, false))
  return tensor
}

const hold = (tensor: tf.Tensor, newer: boolean): BackendTensor => ({
  device: 'tensorflow',
  newer,
  tensor,
  download: async () => (await tensor.data()) as Float32Array,
  dispose: () => tensor.dispose(),
})

/** A tensor of a copy of the values: a backend may keep what it is given. */
const tensorOf = ({ shape, dtype }: Value, values: ArrayLike<number>): tf.Tensor =>
  tf.tensor(copyOf(values, dtype), shape as number[], dtype)

/** A copy of a tensor's values: a backend may give what it keeps, and whole numbers as others. */
const valuesOf = (tensor: tf.Tensor) => ({
  data: copyOf(tensor.dataSync(), tensor.dtype as Value['dtype']),
  dims: tensor.shape,
})

function copyOf(values: ArrayLike<number>, dtype: Value['dtype']): Float32Array | Int32Array | Uint8Array {
  if (dtype === 'float32') return new Float32Array(values)
  return dtype === 'int32' ? new Int32Array(values) : new Uint8Array(values)
}
