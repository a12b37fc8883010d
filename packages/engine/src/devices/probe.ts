import { DflError } from '@dfl/core'
import { ELEMENT_TYPES, OnnxGraph } from '../onnx/index.js'
import { onnxRuntime } from '../ort.js'
import { tf } from '../tf.js'
import { DEVICES, type Device, type DeviceChoice, sessionOptionsOf } from './device.js'
import { missingDevice, missingPart } from './missing-device.js'
import { within } from './on-backend.js'
import { tensorflowBackend } from './tensorflow.js'

/** What was found out about a device. */
export interface DeviceReport {
  device: Device
  works: boolean
  /** Milliseconds of one pass of a small chain of matrix products, where it works. */
  ms?: number
  /** The same with products of 16-bit floats; missing where the device has no arithmetic in them. */
  halfMs?: number
  /** Why it does not work. */
  reason?: string
}

const answers = new Map<Device, Promise<DeviceReport>>()
const times = new Map<Device, Promise<number>>()
const halfTimes = new Map<Device, Promise<number | undefined>>()
const halves = new Map<Device, Promise<string | undefined>>()

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
    const report = await timed(device)
    const halfMs = report.works ? await once(halfTimes, device, () => halfTimeOf(device)) : undefined
    found.push(halfMs === undefined ? report : { ...report, halfMs })
  }
  return found
}

/**
 * The quickest of the devices that work, which `auto` is. TensorFlow is none of them: its products of matrices are nearly as
 * quick, but a train step on it takes twice as long as on the CPU, which these times do not show.
 */
export function quickestOf(reports: readonly DeviceReport[]): Device {
  const working = reports.filter(({ device, works }) => works && isForAuto(device))
  return working.sort((a, b) => a.ms! - b.ms!)[0]?.device ?? 'cpu'
}

const isForAuto = (device: Device) => device !== 'tensorflow'

/**
 * The device that a choice means here: itself, or with `auto` the quickest of those that work.
 *
 * @throws DflError `MISSING_DEPENDENCY` when a device was named that does not work.
 */
export async function chooseDevice(choice: DeviceChoice): Promise<Device> {
  if (choice === 'cpu') return 'cpu'
  if (choice === 'auto') {
    const reports: DeviceReport[] = []
    for (const device of DEVICES.filter(isForAuto)) reports.push(await timed(device))
    return quickestOf(reports)
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

/** Why a device that works has no arithmetic in 16-bit floats; nothing where it has. The CPU has it by way of 32 bits. */
export const computesInHalf = (device: Device): Promise<string | undefined> =>
  once(halves, device, async () =>
    device === 'tensorflow' ? 'TensorFlow.js has no 16-bit tensors' : problemOf(device, 'float16'),
  )

function once<T>(known: Map<Device, Promise<T>>, device: Device, work: () => Promise<T>): Promise<T> {
  const promise = known.get(device) ?? work()
  known.set(device, promise)
  return promise
}

async function attempt(device: Device): Promise<DeviceReport> {
  const reason = missingPart(device)
  if (reason) return { device, works: false, reason }
  const problem = await problemOf(device, 'float32')
  return problem === undefined ? { device, works: true } : { device, works: false, reason: problem }
}

/** What goes wrong when a device multiplies, if something does. */
async function problemOf(device: Device, type: FloatType): Promise<string | undefined> {
  try {
    const { values } = await runChain(device, { type, side: 16, products: 2, runs: 1 })
    const wrong = values.find((value) => !(Math.abs(value - 1) < 1e-3))
    return wrong === undefined ? undefined : `a wrong result, ${wrong} for 1`
  } catch (error) {
    return firstWords((error as Error).message)
  }
}

/** What was found out about a device, with its time if it works. */
async function timed(device: Device): Promise<DeviceReport> {
  const report = await tried(device)
  return report.works ? { ...report, ms: await once(times, device, () => timeOf(device, 'float32')) } : report
}

const timeOf = async (device: Device, type: FloatType) =>
  (await runChain(device, { type, side: 512, products: 4, runs: 3 })).ms

const halfTimeOf = async (device: Device) =>
  (await computesInHalf(device)) === undefined ? timeOf(device, 'float16') : undefined

type FloatType = 'float32' | 'float16'

/** Some products of matrices, ready to be computed. */
interface Chain {
  run(): Promise<Float32Array>
  release(): Promise<void>
}

/** A matrix of ones times a matrix of 1/n, several times: ones; and the milliseconds of the quickest run. */
async function runChain(
  device: Device,
  { type, side, products, runs }: { type: FloatType; side: number; products: number; runs: number },
): Promise<{ values: Float32Array; ms: number }> {
  const { run, release } = await (device === 'tensorflow'
    ? chainOnTensorFlow(side, products)
    : chainOnOnnxRuntime(device, { type, side, products }))
  try {
    let values = new Float32Array()
    let ms = Number.POSITIVE_INFINITY
    const start = performance.now()
    for (let i = 0; i < runs; i++) {
      const began = performance.now()
      if (i > 1 && began - start > 2000) break // The first one prepares, so it takes two to know that it is slow.
      values = (await run()) as Float32Array<ArrayBuffer>
      ms = Math.min(ms, performance.now() - began)
    }
    return { values, ms }
  } finally {
    await release()
  }
}

async function chainOnOnnxRuntime(
  device: Device,
  { type, side, products }: { type: FloatType; side: number; products: number },
): Promise<Chain> {
  const { InferenceSession, Tensor } = onnxRuntime()
  const graph = new OnnxGraph()
  graph.input('x', 'float32', [side, side])
  const cast = (value: string, to: FloatType) => graph.op('Cast', [value], { to: ELEMENT_TYPES[to] })
  const same = graph.f32(new Float32Array(side * side).fill(1 / side), [side, side])
  const mean = type === 'float32' ? same : cast(same, type)
  let value = type === 'float32' ? 'x' : cast('x', type)
  for (let i = 0; i < products; i++) value = graph.op('MatMul', [value, mean])
  graph.output('y', 'float32', [side, side], type === 'float32' ? value : cast(value, 'float32'))
  const session = await InferenceSession.create(graph.build(), {
    ...sessionOptionsOf(device),
    logSeverityLevel: 4,
    // A device that leaves work to the CPU would seem to work.
    extra: device === 'cpu' ? {} : { session: { disable_cpu_ep_fallback: '1' } },
  })
  const x = new Tensor('float32', new Float32Array(side * side).fill(1), [side, side])
  return {
    run: async () => (await session.run({ x })).y!.data as Float32Array,
    release: () => session.release(),
  }
}

async function chainOnTensorFlow(side: number, products: number): Promise<Chain> {
  const backend = tensorflowBackend()
  return {
    run: async () =>
      within(backend, () => {
        const mean = tf.fill([side, side], 1 / side) as tf.Tensor2D
        let value = tf.ones([side, side]) as tf.Tensor2D
        for (let i = 0; i < products; i++) value = tf.matMul(value, mean)
        return value.dataSync() as Float32Array
      }),
    release: async () => {},
  }
}

/** What an error of ONNX Runtime says, without the place in its sources and without a full stop. */
const firstWords = (message: string) => message.split(' was false. ').at(-1)!.trim().split('\n')[0]!.replace(/\.$/, '')
