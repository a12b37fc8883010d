import { type SimdKernel, simdModule } from '../fuse/simd.js'
import type { TailGroup } from '../fuse/tail.js'
import { type InferenceSession, onnxRuntime, type Tensor } from '../ort.js'
import type { State } from '../state.js'
import { sizeOf, type Value } from '../trace/trace.js'
import type { Device } from './device.js'
import { runInPlace } from './in-place.js'
import { type DeviceTensor, deviceMemory } from './tensors.js'

/** A graph and the parts of a state that it works on. */
export interface StateGraph {
  /** Nothing where kernels do all the work. */
  session: InferenceSession | undefined
  stateShapes: Readonly<Record<string, readonly number[]>>
  /** Inputs of the graph that are tensors of the state. */
  ports: readonly { name: string; state: string; shape: readonly number[] }[]
  /** State that the graph itself replaces, as `next:…`. */
  rest: readonly string[]
  /** State that kernels replace after the graph has run. */
  groups: readonly TailGroup[]
  /** What the graph leaves for them, as `leaf:…`. */
  leafShapes: Readonly<Record<string, readonly number[]>>
  /** The outputs that the caller gets. */
  wanted: readonly OutputPort[]
  /** The one of them on which it depends whether the state is replaced. */
  guard: string | undefined
}

/** An output of a graph. */
export interface OutputPort {
  name: string
  shape: readonly number[]
  dtype: Value['dtype']
}

/** Runs a graph once: reads the state, replaces what the graph replaces, gives back the wanted outputs. */
export interface StateRunner extends AsyncDisposable {
  /** Inputs that it is fed, as `input:…`. */
  readonly reads: ReadonlySet<string>
  /** @param numbers  The one value of an input of that name. */
  run(
    state: State | undefined,
    feeds: Record<string, Tensor>,
    numbers: (input: string) => number,
  ): Promise<Record<string, Pick<Tensor, 'data' | 'dims'>>>
}

/**
 * A runner whose state stays where it is, in the state's own memory: ONNX Runtime reads it there and writes gradients beside it,
 * kernels replace it there. A device with memory of its own gets what the graph reads and gives back what it writes, at each run.
 */
export function inMemory({
  session,
  stateShapes,
  ports,
  rest,
  groups,
  leafShapes,
  wanted,
  guard,
}: StateGraph): StateRunner {
  const { Tensor } = onnxRuntime()
  const runTail = tailRunner(groups)
  const touched = new Set([
    ...ports.map(({ state }) => state),
    ...rest,
    ...groups.flatMap(({ pointers }) => pointers.flatMap((p) => ('state' in p ? [p.state] : []))),
  ])
  const wrap = (data: Float32Array, shape: readonly number[]) => new Tensor('float32', data, shape as number[])
  return {
    reads: new Set(session?.inputNames),
    async run(state, feeds, numbers) {
      await state?.download(touched)
      // Memory that grows moves, so everything is in place before the first view of it is made.
      for (const [leaf, shape] of Object.entries(leafShapes)) state?.scratch(leaf, sizeOf(shape))
      for (const name of rest) state?.scratch(`next:${name}`, sizeOf(stateShapes[name]!))
      for (const { name, state: tensor, shape } of ports) feeds[name] = wrap(state!.get(tensor).data, shape)
      const fetches: Record<string, Tensor> = {}
      for (const [leaf, shape] of Object.entries(leafShapes))
        fetches[`leaf:${leaf}`] = wrap(scratch(state!, leaf, shape), shape)
      for (const name of rest)
        fetches[`next:${name}`] = wrap(scratch(state!, `next:${name}`, stateShapes[name]!), stateShapes[name]!)
      for (const { name, shape, dtype } of wanted) {
        const values = dtype === 'float32' ? Float32Array : dtype === 'int32' ? Int32Array : Uint8Array
        fetches[name] = new Tensor(dtype as 'float32', new values(sizeOf(shape)) as Float32Array, shape as number[])
      }
      if (session) await runInPlace(session, feeds, fetches)
      if (!holds(guard, fetches)) return fetches
      for (const name of rest) state!.get(name).data.set(fetches[`next:${name}`]!.data as Float32Array)
      if (groups.length > 0) runTail(state!, numbers)
      return fetches
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** A runner whose state stays in the device's memory from run to run; it goes there with the first and back when it is read. */
export async function onDevice(
  device: Device,
  { session, ports, rest, wanted, guard }: StateGraph,
): Promise<StateRunner> {
  const memory = await deviceMemory(device)
  const states = new Set<State>() // that have tensors there
  const resident = async (state: State, name: string) => {
    const known = state.resident(name)
    if (known?.device === device) return known as DeviceTensor
    await state.download([name])
    const tensor = await memory.upload(state.get(name).data)
    state.place(name, tensor)
    return tensor
  }
  return {
    reads: new Set(session?.inputNames),
    async run(state, feeds) {
      if (state && ports.length + rest.length > 0) states.add(state)
      for (const { name, state: tensor, shape } of ports) feeds[name] = (await resident(state!, tensor)).as(shape)
      const results =
        (await session?.run(feeds, [...wanted.map(({ name }) => name), ...rest.map((name) => `next:${name}`)])) ?? {}
      const replaces = holds(guard, results)
      for (const name of rest) {
        const next = memory.adopt(results[`next:${name}`]!)
        if (replaces) state!.place(name, next)
        else next.dispose()
      }
      return results as Record<string, Tensor>
    },
    async [Symbol.asyncDispose]() {
      for (const state of states) await state.withdraw()
      await memory[Symbol.asyncDispose]()
    },
  }
}

/** Whether the values of a guard are all numbers, if there is one. */
export const holds = (guard: string | undefined, results: Readonly<Record<string, Pick<Tensor, 'data'>>>): boolean =>
  guard === undefined || (results[guard]!.data as Float32Array).every(Number.isFinite)

/** Runs all kernels on a state. Kernels of one shape of chain share one function. */
function tailRunner(groups: readonly TailGroup[]): (state: State, numbers: (input: string) => number) => void {
  const keys = groups.map(({ kernel }) => JSON.stringify(kernel))
  const distinct = [...new Set(keys)]
  const kernelOf = (key: string): SimdKernel => groups[keys.indexOf(key)]!.kernel
  const module = new WebAssembly.Module(simdModule(distinct.map(kernelOf)))
  const instances = new WeakMap<State, Record<string, (...args: number[]) => void>>()
  return (state, numbers) => {
    let functions = instances.get(state)
    if (!functions) {
      functions = new WebAssembly.Instance(module, { env: { memory: state.memory } }).exports as Record<
        string,
        (...args: number[]) => void
      >
      instances.set(state, functions)
    }
    groups.forEach((group, i) => {
      const pointers = group.pointers.map((p) =>
        'state' in p ? state.address(p.state) : state.scratch(p.leaf, group.length).address,
      )
      const args = group.arguments.map((name) => numbers(name.slice('input:'.length)))
      functions![`k${distinct.indexOf(keys[i]!)}`]!(Math.ceil(group.length / 4) * 16, ...pointers, ...args)
    })
  }
}

/** Memory of the state that the graph writes into, as an array of a shape. */
function scratch(state: State, key: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const { address, length } = state.scratch(key, sizeOf(shape))
  return new Float32Array(state.memory.buffer, address, length)
}
