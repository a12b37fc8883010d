import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { DflError } from '@dfl/core'
import type * as Ort from 'onnxruntime-node'

export type { InferenceSession, Tensor } from 'onnxruntime-node'

let ort: typeof Ort | undefined

/** ONNX Runtime, loaded at the first call. The only place that names the package. */
export function onnxRuntime(): typeof Ort {
  if (ort) return ort
  try {
    ort = createRequire(import.meta.url)('onnxruntime-node') as typeof Ort
  } catch (cause) {
    throw new DflError(
      'MISSING_DEPENDENCY',
      `Expected the package \`onnxruntime-node\` to load on ${process.platform}-${process.arch}, but got an error: ${(cause as Error).message}. Install it again, or use a machine that it supports.`,
      { cause },
    )
  }
  return ort
}

/** The folder of ONNX Runtime's libraries for this machine. */
export const runtimeFolder = () =>
  join(
    dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')),
    ...['bin/napi-v6', process.platform, process.arch],
  )
