import { DflError, isDflError } from '@dfl/core'
import { type Device, type DeviceChoice, holdsTensors, threadsOf } from './devices/device.js'
import { forRunInPlace } from './devices/in-place.js'
import { onBackend } from './devices/on-backend.js'
import { chooseDevice } from './devices/probe.js'
import { inMemory, type OutputPort, onDevice, type StateGraph, type StateRunner } from './devices/runners.js'
import { locationsOf, sessionOf } from './devices/session.js'
import { tensorflowBackend } from './devices/tensorflow.js'
import { splitTail } from './fuse/tail.js'
import { PORTABLE } from './kernels/portable.js'
import { estimateOf, estimateOfProgram, expectToFit, type MemoryEstimate, memoryLimit } from './memory/estimate.js'
import { hasShapesToHide, hideShapes } from './memory/hide-shapes.js'
import { orderResults } from './memory/order.js'
import { computeInHalf } from './mixed/casts.js'
import { expectPrecision, type Precision } from './mixed/precision.js'
import type { NetworkPort, TensorData } from './network.js'
import { onnxRuntime, type Tensor } from './ort.js'
import { checkResult, checkShape, type InputPort, type InputValues, inputsOf, stateShapesOf, valuesOf } from './spec.js'
import type { State } from './state.js'
import type { tf } from './tf.js'
import { userLine } from './trace/explain.js'
import { record } from './trace/record.js'
import type { Value } from './trace/trace.js'

type Tensors = Record<string, tf.Tensor>

/** A pure function of state and inputs: what it gives back under `state` replaces the tensors of those names. */
export type Traceable = (state: Tensors, inputs: Tensors) => { state?: Tensors; outputs: Tensors }

/** What a function takes: names and shapes, which never change once it is compiled. */
export interface CompileSpec {
  /** Shapes of the state's float32 tensors. */
  state?: Readonly<Record<string, readonly number[]>>
  inputs: Readonly<Record<string, readonly number[] | { shape: readonly number[]; dtype: 'float32' | 'int32' }>>
}

/** How a function is compiled and run. */
export interface CompileOptions {
  /** Where it runs: `cpu` by default; `auto` for the quickest that works, which `device` of the result names. */
  device?: DeviceChoice
  /** Threads of one run; all cores by default. TensorFlow takes all of them unless TF_NUM_INTRAOP_THREADS tells it otherwise. */
  threads?: number
  /** `mixed` computes what learns, and what lies between, in 16-bit floats; all that goes in and comes out is float32 still. */
  precision?: Precision
  /** Name of an output. Where its values are not finite, the run leaves the state as it was. */
  guard?: string
  /** Builds the state's present values into the graph: faster for inference, blind to later training. */
  freeze?: State
  /** Folder and name prefix of a profile that ONNX Runtime writes when the function is disposed of; not on `tensorflow`. */
  profile?: string
}

/** A function that became a graph. */
export interface Compiled extends AsyncDisposable {
  /** Runs once: reads the state, replaces what the function replaces, gives back its outputs. */
  run(state: State | undefined, inputs: InputValues): Promise<Record<string, TensorData>>
  /**
   * The graph as an ONNX file: `input:…` and `state:…` in, `output:…` and `next:…` out. A tensor of the state that is read
   * as a matrix is `state:…@9x512`, for instance. State that the engine's own kernels
   * replace after the graph has run is not among the latter; what they read is, as `leaf:…`.
   */
  readonly onnx: Uint8Array
  readonly nodeCount: number
  /** Where it runs. */
  readonly device: Device
  /** What running it takes, known before anything of it is allocated: the first `run` does that. */
  readonly memory: MemoryEstimate
  /** Shapes and types of what `run` takes. */
  readonly inputs: Readonly<Record<string, NetworkPort>>
  /** Shapes and types of what `run` gives back. */
  readonly outputs: Readonly<Record<string, NetworkPort>>
}

/**
 * A graph of the function that ONNX Runtime runs: forward, backward and optimiser in one. On `tensorflow` the kernels that it
 * calls, one by one.
 *
 * `fn` is called once, with placeholders that have shapes but no values. It may use every covered op of TensorFlow.js,
 * `tf.grads` included, and has to be pure: what it reads besides its arguments becomes a constant.
 *
 * @throws DflError `UNSUPPORTED_OP` for an op that is not covered or a read of a placeholder's values, `MISSING_DEPENDENCY`
 *   for a device that does not work here, `BAD_STATE` for what takes more memory than the machine has,
 *   `BAD_OPTION` for a `precision` that does not go with the other options.
 */
export async function compile(fn: Traceable, spec: CompileSpec, options: CompileOptions = {}): Promise<Compiled> {
  // Nothing is waited for on the CPU, so that a call inside a function that is being recorded fails there.
  const device = (options.device ?? 'cpu') === 'cpu' ? 'cpu' : await chooseDevice(options.device!)
  // Awaited, so that errors tell the line of the caller.
  return await compileFor(fn, spec, {
    ...options,
    device,
    backend: device === 'tensorflow' ? tensorflowBackend() : undefined,
  })
}

/** Where a function runs: on a device of ONNX Runtime that works, or on a backend of TensorFlow.js that is ready. */
interface Place {
  device: Device
  backend: string | undefined
}

/** The same for a place that was found already. */
export async function compileFor(fn: Traceable, spec: CompileSpec, options: CompileOptions & Place): Promise<Compiled> {
  const { device, backend, freeze: frozen, guard } = options
  const threads = threadsOf(options.threads, 0)
  if (backend && options.profile)
    throw new DflError(
      'BAD_OPTION',
      `Expected a device of ONNX Runtime for \`profile\`, but got \`${device}\`. Leave the profile out, or choose another device.`,
    )
  const mixed = options.precision === 'mixed'
  if (options.precision && options.precision !== 'float32')
    await expectPrecision(options.precision, { device, frozen: !!frozen })
  if (frozen) await frozen.download(Object.keys(stateShapesOf(spec)))
  const stateShapes = frozen ? {} : stateShapesOf(spec)
  const inputs = inputsOf(spec)
  let replaced: string[] = []
  const define: Parameters<typeof record>[0] = (placeholder) => {
    const state: Tensors = {}
    for (const [name, shape] of Object.entries(stateShapesOf(spec))) {
      if (frozen) checkShape(name, frozen.get(name).shape, shape)
      const constant = frozen?.get(name).data
      state[name] = placeholder(
        name,
        constant ? { shape, dtype: 'float32', constant } : { shape, dtype: 'float32', name: `state:${name}` },
      )
    }
    const given: Tensors = {}
    for (const { name, shape, dtype } of inputs)
      given[name] = placeholder(name, { shape, dtype, name: `input:${name}` })
    const result = checkResult(fn(state, given))
    replaced = Object.keys(result.state ?? {})
    for (const name of replaced) checkShape(name, result.state![name]!.shape, stateShapes[name])
    return { ...prefixed('next:', result.state ?? {}), ...prefixed('output:', result.outputs) }
  }
  // The engine's own lowerings are made for ONNX Runtime's CPU kernels; other devices have the operators of ONNX itself. So does
  // mixed precision: tiles of convolutions need more digits than 16 bits have.
  const portable = device !== 'cpu' || mixed
  const { trace, outputs, program } = record(
    define,
    portable ? { kernels: PORTABLE, portable, program: backend !== undefined } : {},
  )
  const { graph } = trace
  for (const { name, shape, dtype } of inputs) graph.input(`input:${name}`, dtype, shape)
  const nextValues: Record<string, Value> = {}
  for (const name of replaced) nextValues[name] = outputs[`next:${name}`]!
  // Kernels work in the state's own memory. Where the state stays on a device, the graph does all of the update.
  const { groups, rest } = holdsTensors(device)
    ? { groups: [], rest: replaced }
    : splitTail(trace, nextValues, stateShapes)
  const leaves = [...new Set(groups.flatMap(({ pointers }) => pointers.flatMap((p) => ('leaf' in p ? [p.leaf] : []))))]
  for (const [name, value] of Object.entries(outputs)) {
    if (name.startsWith('output:') || rest.includes(name.slice('next:'.length)))
      graph.output(name, value.dtype, value.shape, trace.name(value))
  }
  for (const leaf of leaves) graph.output(`leaf:${leaf}`, 'float32', trace.shapeOf(leaf)!, leaf)
  graph.prune()
  const read = new Set(graph.nodes.flatMap((node) => node.inputs))
  const ports = [
    ...Object.entries(stateShapes).map(([state, shape]) => ({ name: `state:${state}`, state, shape })),
    ...[...trace.ports].map(([name, port]) => ({ name, ...port })),
  ].filter(({ name }) => read.has(name))
  for (const { name, shape } of ports) graph.input(name, 'float32', shape)
  const wanted = Object.entries(outputs)
    .filter(([name]) => name.startsWith('output:'))
    .map(([name, { shape, dtype }]) => ({ name, shape, dtype }))
  if (guard !== undefined) expectGuard(guard, wanted)
  if (mixed) computeInHalf(graph, (name) => name.startsWith('output:') && name !== `output:${guard}`)
  orderResults(graph, (output) => output.startsWith('output:'))
  const leafShapes = Object.fromEntries(leaves.map((leaf) => [leaf, trace.shapeOf(leaf)!]))
  // On the CPU alone: other devices plan with shapes.
  const hidden = device === 'cpu' && replaced.length > 0 && hasShapesToHide(graph)
  const replacing = [...Object.values(leafShapes), ...rest.map((name) => stateShapes[name]!)]
  const tensors = { state: Object.values(stateShapes), next: replacing }
  const memory = program
    ? estimateOfProgram(program, tensors)
    : estimateOf(graph, { hidden, onCpu: device === 'cpu', ...tensors })
  if (device === 'cpu') expectToFit(memory, memoryLimit())
  if (hidden) hideShapes(graph)
  const built = graph.build()
  const { bytes, onnx } = holdsTensors(device) ? { bytes: built, onnx: built } : forRunInPlace(built)
  // Where kernels do all the work (a running mean of the parameters, say), no graph is left to run.
  const session =
    graph.outputs.length > 0 && !program
      ? await sessionOf(bytes, {
          ...options,
          threads,
          ...(holdsTensors(device) ? { locations: locationsOf(wanted, rest) } : {}),
        })
      : undefined
  const parts: StateGraph = {
    session,
    stateShapes,
    ports,
    rest,
    groups,
    leafShapes,
    wanted,
    guard: guard === undefined ? undefined : `output:${guard}`,
  }
  const runner = program
    ? onBackend(backend!, program, parts.guard)
    : holdsTensors(device)
      ? await onDevice(device, parts)
      : inMemory(parts)
  return compiled(parts, {
    runner,
    onnx,
    inputs,
    device,
    memory,
    nodeCount: graph.nodes.length,
    profile: !!options.profile,
  })
}

/** Fails unless the guard is one of the outputs. */
function expectGuard(guard: string, wanted: readonly OutputPort[]): void {
  if (wanted.some(({ name }) => name === `output:${guard}`)) return
  throw new DflError(
    'UNKNOWN_NAME',
    `Expected the name of an output as \`guard\`, but got \`${guard}\`. The function gives ${wanted.map(({ name }) => `\`${name.slice('output:'.length)}\``).join(', ') || 'none'}.`,
  )
}

/** What only shows while a function runs: an index beyond its tensor, no memory left. */
function failed(cause: unknown, device: Device): never {
  if (isDflError(cause)) throw cause
  const runtime = device === 'tensorflow' ? 'TensorFlow' : 'ONNX Runtime'
  const said = (cause as Error).message
    .replace(/^Invalid TF_Status: \d+\s+Message: /, '')
    .replace(/\s+/g, ' ')
    .replace(/\.$/, '')
  throw new DflError(
    'BAD_STATE',
    `Expected values that the function can work with, but ${runtime} said${userLine()}: ${said}. The state is as it was; look for indices beyond their tensor.`,
    { cause },
  )
}

interface Parts {
  runner: StateRunner
  onnx: Uint8Array
  inputs: readonly InputPort[]
  device: Device
  memory: MemoryEstimate
  nodeCount: number
  profile: boolean
}

function compiled(
  { session, stateShapes, wanted }: StateGraph,
  { runner, onnx, inputs, device, memory, nodeCount, profile }: Parts,
): Compiled {
  const { Tensor } = onnxRuntime()
  let disposed = false
  return {
    onnx,
    nodeCount,
    device,
    memory,
    inputs: Object.fromEntries(inputs.map(({ name, shape, dtype }) => [name, { shape, dtype }])),
    outputs: Object.fromEntries(
      wanted.map(({ name, shape, dtype }) => [name.slice('output:'.length), { shape, dtype }]),
    ),
    async run(state, given) {
      if (disposed)
        throw new DflError(
          'BAD_STATE',
          `Expected a compiled function, but \`run\` got one that was disposed of${userLine()}. Keep it as long as it runs.`,
        )
      const feeds: Record<string, Tensor> = {}
      const values: Record<string, ArrayLike<number>> = {}
      for (const port of inputs) {
        const { name, shape, dtype } = port
        const data = valuesOf(port, given?.[name])
        values[name] = data
        if (runner.reads.has(`input:${name}`))
          feeds[`input:${name}`] =
            dtype === 'int32'
              ? new Tensor('int32', Int32Array.from(data), shape as number[])
              : new Tensor('float32', owned(data), shape as number[])
      }
      for (const [name, shape] of Object.entries(stateShapes)) {
        if (!state)
          throw new DflError(
            'BAD_STATE',
            `Expected a state with \`${name}\`, but \`run\` got none${userLine()}. Pass the state it was compiled for.`,
          )
        checkShape(name, state.shapeOf(name), shape)
      }
      const results = await runner
        .run(state, feeds, (name) => values[name]![0]!)
        .catch((cause) => failed(cause, device))
      const out: Record<string, TensorData> = {}
      for (const { name } of wanted)
        out[name.slice('output:'.length)] = { data: results[name]!.data as Float32Array, shape: results[name]!.dims }
      return out
    },
    async [Symbol.asyncDispose]() {
      if (disposed) return
      disposed = true
      await runner[Symbol.asyncDispose]()
      if (profile) session?.endProfiling()
      await session?.release()
    },
  }
}

/** As a Float32Array on memory that ONNX Runtime takes: shared memory is copied. */
function owned(data: ArrayLike<number>): Float32Array {
  if (!(data instanceof Float32Array)) return Float32Array.from(data)
  return data.buffer instanceof ArrayBuffer ? data : data.slice()
}

function prefixed(prefix: string, tensors: Tensors): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]))
}
