import { DflError } from '@dfl/core'
import type { CompileOptions } from '../compile.js'
import { type InferenceSession, onnxRuntime } from '../ort.js'
import { type Device, sessionOptionsOf } from './device.js'
import type { OutputPort } from './runners.js'

/** A session of ONNX Runtime for a graph. */
export function sessionOf(
  onnx: Uint8Array,
  options: CompileOptions & { device: Device; threads: number; locations?: Record<string, 'cpu' | 'gpu-buffer'> },
): Promise<InferenceSession> {
  const { device, threads, locations, freeze, profile } = options
  return onnxRuntime()
    .InferenceSession.create(onnx, {
      ...sessionOptionsOf(device),
      ...(locations ? { preferredOutputLocation: locations } : {}),
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      // A pattern is one more block of memory, as large as all that the first run took piece by piece.
      enableMemPattern: false,
      logSeverityLevel: 4,
      // Numbers too small to matter must not slow the processor down by the hundredfold. Threads that wait awake make a train
      // step an eighth faster; beside decoders and encoders, where frozen functions run, they would take cores away.
      extra: { session: { set_denormal_as_zero: '1', intra_op: { allow_spinning: freeze ? '0' : '1' } } },
      ...(profile ? { enableProfiling: true, profileFilePrefix: profile } : {}),
    })
    .catch(refused)
}

/** Where each output of a graph is to lie: what the caller gets here, the state there. */
export function locationsOf(
  wanted: readonly OutputPort[],
  rest: readonly string[],
): Record<string, 'cpu' | 'gpu-buffer'> {
  return Object.fromEntries([
    ...wanted.map(({ name }) => [name, 'cpu'] as const),
    ...rest.map((name) => [`next:${name}`, 'gpu-buffer'] as const),
  ])
}

/** Shapes are checked while recording, so what ONNX Runtime does not take is a mistake of the engine's. */
function refused(cause: Error): never {
  throw new DflError(
    'BAD_STATE',
    `Expected a graph that ONNX Runtime takes, but it said: ${cause.message}. This is a mistake of @dfl/engine's: please report it, with the function.`,
    { cause },
  )
}
