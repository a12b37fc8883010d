import { DflError } from '@dfl/core'
import { type InferenceSession, onnxRuntime } from './ort.js'

/** A tensor outside the graph: row-major values and their shape. */
export interface TensorData {
  data: Float32Array | Int32Array | BigInt64Array | Uint8Array
  shape: readonly number[]
}

/** An ONNX network ready to run. */
export interface Network extends AsyncDisposable {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  /** All outputs by name. Inputs are not copied: do not change them before the promise is fulfilled. */
  run(inputs: Readonly<Record<string, TensorData>>): Promise<Record<string, TensorData>>
}

/** How a network is run. */
export interface NetworkOptions {
  /** Threads inside one run. With several runs under way at once, 1 is best. */
  threads?: number
}

/**
 * An ONNX network on the CPU.
 *
 * @param bytes  An ONNX file.
 * @throws DflError `CORRUPT_FILE` when the bytes are no ONNX graph that ONNX Runtime can run.
 */
export async function loadNetwork(bytes: Uint8Array, options: NetworkOptions = {}): Promise<Network> {
  const ort = onnxRuntime()
  let session: InferenceSession
  try {
    session = await ort.InferenceSession.create(bytes, {
      intraOpNumThreads: options.threads ?? 1,
      interOpNumThreads: 1,
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    })
  } catch (cause) {
    throw new DflError(
      'CORRUPT_FILE',
      `Expected an ONNX network, but ONNX Runtime said: ${(cause as Error).message}. Check where the file comes from.`,
      { cause },
    )
  }
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    async run(inputs) {
      const feeds: Record<string, InstanceType<typeof ort.Tensor>> = {}
      for (const name of session.inputNames) {
        const tensor = inputs[name]
        if (!tensor)
          throw new DflError(
            'BAD_SHAPE',
            `Expected a tensor for \`${name}\`, but got none. Inputs of this network: ${session.inputNames.join(', ')}.`,
          )
        feeds[name] = new ort.Tensor(tensor.data as Float32Array, tensor.shape as number[])
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
