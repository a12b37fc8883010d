import { DflError } from '@dfl/core'
import { OnnxGraph } from '../onnx/index.js'
import { onnxRuntime } from '../ort.js'
import { DEVICES, type Device, type DeviceChoice, missingDevice, missingPart, sessionOptionsOf } from './device.js'

/** What was found out about a device. */
export interface DeviceReport {
  device: Device
  works: boolean
  /** Milliseconds of one pass of a small chain of matrix products, where it works. */
  ms?: number
  /** Why it does not work. */
  reason?: string
}

const answers = new Map<Device, Promise<DeviceReport>>()
const times = new Map<Device, Promise<number>>()

/**
 * All devices, those that work here with the time they take for the same little work.
 *
 * Each is tried once in a process, as drivers take seconds to start. A device works if it computes the right numbers all by
 * itself. Pictures drawn by a processor (SwiftShader, lavapipe) count as a device, too; the time shows them.
 */
export async function listDevices(): Promise<DeviceReport[]> {
  const found: DeviceReport[] = []
  for (const device of DEVICES) {
    // One after another, so that they do not share the time.
    const report = await tried(device)
    found.push(report.works ? { ...report, ms: await once(times, device, () => timeOf(device)) } : report)
  }
  return found
}

/**
 * The device that a choice means here: itself, or with `auto` the quickest of those that work.
 *
 * @throws DflError `MISSING_DEPENDENCY` when a device was named that does not work.
 */
export async function chooseDevice(choice: DeviceChoice): Promise<Device> {
  if (choice === 'cpu') return 'cpu'
  if (choice === 'auto') {
    const working = (await listDevices()).filter(({ works }) => works)
    return working.sort((a, b) => a.ms! - b.ms!)[0]?.device ?? 'cpu'
  }
  if (!DEVICES.includes(choice))
    throw new DflError(
      'BAD_OPTION',
      `Expected one of ${[...DEVICES, 'auto'].join(', ')} as \`device\`, but got \`${choice}\`.`,
    )
  const { works, reason } = await tried(choice)
  if (!works) throw missingDevice(choice, reason!)
  return choice
}

const tried = (device: Device) => once(answers, device, () => attempt(device))

function once<T>(known: Map<Device, Promise<T>>, device: Device, work: () => Promise<T>): Promise<T> {
  const promise = known.get(device) ?? work()
  known.set(device, promise)
  return promise
}

async function attempt(device: Device): Promise<DeviceReport> {
  const reason = missingPart(device)
  if (reason) return { device, works: false, reason }
  try {
    const { values } = await runChain(device, { side: 16, products: 2, runs: 1 })
    const wrong = values.find((value) => !(Math.abs(value - 1) < 1e-3))
    return wrong === undefined
      ? { device, works: true }
      : { device, works: false, reason: `a wrong result, ${wrong} for 1` }
  } catch (error) {
    return { device, works: false, reason: firstWords((error as Error).message) }
  }
}

const timeOf = async (device: Device) => (await runChain(device, { side: 512, products: 4, runs: 3 })).ms

/** A matrix of ones times a matrix of 1/n, several times: ones; and the milliseconds of the quickest run. */
async function runChain(
  device: Device,
  { side, products, runs }: { side: number; products: number; runs: number },
): Promise<{ values: Float32Array; ms: number }> {
  const { InferenceSession, Tensor } = onnxRuntime()
  const graph = new OnnxGraph()
  graph.input('x', 'float32', [side, side])
  const mean = graph.f32(new Float32Array(side * side).fill(1 / side), [side, side])
  let value = 'x'
  for (let i = 0; i < products; i++) value = graph.op('MatMul', [value, mean])
  graph.output('y', 'float32', [side, side], value)
  const session = await InferenceSession.create(graph.build(), {
    ...sessionOptionsOf(device),
    logSeverityLevel: 4,
    // A device that leaves work to the CPU would seem to work.
    extra: device === 'cpu' ? {} : { session: { disable_cpu_ep_fallback: '1' } },
  })
  try {
    const x = new Tensor('float32', new Float32Array(side * side).fill(1), [side, side])
    let values = new Float32Array()
    let ms = Number.POSITIVE_INFINITY
    const start = performance.now()
    for (let run = 0; run < runs; run++) {
      const began = performance.now()
      if (run > 1 && began - start > 2000) break // The first one prepares, so it takes two to know that it is slow.
      values = (await session.run({ x })).y!.data as Float32Array<ArrayBuffer>
      ms = Math.min(ms, performance.now() - began)
    }
    return { values, ms }
  } finally {
    await session.release()
  }
}

/** What an error of ONNX Runtime says, without the place in its sources and without a full stop. */
const firstWords = (message: string) => message.split(' was false. ').at(-1)!.trim().split('\n')[0]!.replace(/\.$/, '')
