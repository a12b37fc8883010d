import { DflError } from '@dfl/core'
import type { Compiled } from './compile.js'
import { type Device, type DeviceChoice, sessionOptionsOf, threadsOf } from './devices/device.js'
import { ELEMENT_TYPES } from './onnx/index.js'
import { type InferenceSession, onnxRuntime } from './ort.js'
import type { State } from './state.js'

/** A tensor outside the graph: row-major values and their shape. */
export interface TensorData {
  data: Float32Array | Int32Array | BigInt64Array | Uint8Array
  shape: readonly number[]
}

/** What a network takes or gives under a name. */
export interface NetworkPort {
  /** Undefined where the size is free. */
  shape: readonly (number | undefined)[]
  /** As ONNX calls it: float32, int32, int64, uint8, bool, … */
  dtype: string
}

/** A network ready to run: an ONNX file, one converted from another format, or a compiled function. */
export interface Network extends AsyncDisposable {
  readonly inputs: Readonly<Record<string, NetworkPort>>
  readonly outputs: Readonly<Record<string, NetworkPort>>
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  /** Where it runs. */
  readonly device: Device
  /** All outputs by name. Inputs are not copied: do not change them before the promise is fulfilled. */
  run(inputs: Readonly<Record<string, TensorData>>): Promise<Record<string, TensorData>>
}

/** How a network is run. */
export interface NetworkOptions {
  /** Where it runs: `cpu` by default; `auto` for the quickest that works; not `tensorflow`, which runs functions only. */
  device?: DeviceChoice
  /** Threads inside one run. With several runs under way at once, 1 is best. */
  threads?: number
}

/**
 * An ONNX network, ready to run.
 *
 * @param bytes  An ONNX file.
 * @throws DflError `CORRUPT_FILE` when the bytes are no ONNX graph that ONNX Runtime can run, `MISSING_DEPENDENCY` for a
 *   device that does not work here, `BAD_OPTION` for `tensorflow`.
 */
export async function loadNetwork(bytes: Uint8Array, options: NetworkOptions = {}): Promise<Network> {
  const ort = onnxRuntime()
  if (options.device === 'tensorflow')
    throw new DflError(
      'BAD_OPTION',
      'Expected a device of ONNX Runtime for an ONNX network, but got `tensorflow` as `device`. It runs functions that `compile` records; choose another for this.',
    )
  const device = await deviceOf(options.device)
  let session: InferenceSession
  try {
    session = await ort.InferenceSession.create(bytes, {
      ...sessionOptionsOf(device),
      intraOpNumThreads: threadsOf(options.threads, 1),
      interOpNumThreads: 1,
      graphOptimizationLevel: 'all',
      logSeverityLevel: 4,
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    })
  } catch (cause) {
    throw new DflError(
      'CORRUPT_FILE',
      `Expected an ONNX network, but ONNX Runtime said: ${(cause as Error).message}. Check where the file comes from.`,
      { cause },
    )
  }
  const ports = portsOf(session.inputMetadata)
  return {
    inputs: ports,
    outputs: portsOf(session.outputMetadata),
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    device,
    async run(inputs) {
      const feeds: Record<string, InstanceType<typeof ort.Tensor>> = {}
      for (const name of session.inputNames) {
        const tensor = inputs[name]
        if (!tensor)
          throw new DflError(
            'BAD_SHAPE',
            `Expected a tensor for \`${name}\`, but got none. Inputs of this network: ${session.inputNames.join(', ')}.`,
          )
        const port = ports[name]!
        checkPort(name, tensor, port)
        feeds[name] =
          port.dtype === 'bool'
            ? new ort.Tensor('bool', tensor.data as Uint8Array, tensor.shape as number[])
            : new ort.Tensor(tensor.data as Float32Array, tensor.shape as number[])
      }
      const results = await session.run(feeds)
      const out: Record<string, TensorData> = {}
      for (const name of session.outputNames)
        out[name] = { data: results[name]!.data as Float32Array, shape: results[name]!.dims }
      return out
    },
    async [Symbol.asyncDispose]() {
      await session.release()
    },
  }
}

/** The device that a choice means. Trying devices takes TensorFlow.js, which is not loaded where there is nothing to try. */
async function deviceOf(choice: DeviceChoice = 'cpu'): Promise<Device> {
  return choice === 'cpu' ? 'cpu' : (await import('./devices/probe.js')).chooseDevice(choice)
}

/**
 * A compiled function as a network: the same names, shapes and types, run the same way.
 *
 * @param state  What the function reads; left out where it was compiled with `freeze` or has none. Disposing of the
 *   network disposes of the function.
 */
export function networkOf(compiled: Compiled, state?: State): Network {
  return {
    inputs: compiled.inputs,
    outputs: compiled.outputs,
    inputNames: Object.keys(compiled.inputs),
    outputNames: Object.keys(compiled.outputs),
    device: compiled.device,
    run: (inputs) => compiled.run(state, inputs),
    [Symbol.asyncDispose]: () => compiled[Symbol.asyncDispose](),
  }
}

function portsOf(metadata: readonly InferenceSession.ValueMetadata[]): Record<string, NetworkPort> {
  return Object.fromEntries(
    metadata.map((port) => [
      port.name,
      port.isTensor
        ? {
            dtype: port.type,
            shape: port.shape.map((size) => (typeof size === 'number' && size >= 0 ? size : undefined)),
          }
        : { dtype: 'other', shape: [] },
    ]),
  )
}

const DTYPES: Readonly<Record<string, readonly string[]>> = {
  Float32Array: ['float32'],
  Int32Array: ['int32'],
  BigInt64Array: ['int64'],
  Uint8Array: ['uint8', 'bool'],
}

function checkPort(name: string, { data, shape }: TensorData, port: NetworkPort): void {
  const fits =
    shape.length === port.shape.length && port.shape.every((size, i) => size === undefined || size === shape[i])
  if (!fits)
    throw new DflError(
      'BAD_SHAPE',
      `Expected [${port.shape.map((size) => size ?? 'any')}] for \`${name}\`, but got [${shape}]. Bring it into that shape.`,
    )
  if (!DTYPES[data.constructor.name]?.includes(port.dtype) && port.dtype in ELEMENT_TYPES)
    throw new DflError(
      'BAD_SHAPE',
      `Expected ${port.dtype} values for \`${name}\`, but got ${data.constructor.name}. Give them as that type.`,
    )
}
