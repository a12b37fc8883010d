import { DflError } from '@dfl/core'
import type { InferenceSession } from '../ort.js'

/** Where a function can run: ONNX Runtime's execution providers by their names, and TensorFlow, which calls op by op. */
export const DEVICES = ['cpu', 'webgpu', 'cuda', 'dml', 'coreml', 'tensorflow'] as const

/** One of `DEVICES`. */
export type Device = (typeof DEVICES)[number]

/** A device, or `auto` for the quickest of ONNX Runtime's that works. */
export type DeviceChoice = Device | 'auto'

/** What every session for a device is created with. */
export function sessionOptionsOf(device: Device): InferenceSession.SessionOptions {
  return device === 'cpu' ? {} : { executionProviders: [device] }
}

/**
 * How many threads a session gets; 0 means all cores.
 *
 * @throws DflError `BAD_OPTION` for what is no number of threads.
 */
export function threadsOf(given: number | undefined, otherwise: number): number {
  if (given === undefined || (Number.isInteger(given) && given >= 0)) return given ?? otherwise
  throw new DflError(
    'BAD_OPTION',
    `Expected a whole number of at least 0 as \`threads\`, but got ${given}. 0 takes all cores.`,
  )
}

/** Whether tensors can stay in a device's memory from run to run: in Node, ONNX Runtime offers that for WebGPU only. */
export const holdsTensors = (device: Device): boolean => device === 'webgpu' || device === 'tensorflow'
