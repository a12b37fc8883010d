import { OnnxGraph } from '../onnx/index.js'
import { type InferenceSession, onnxRuntime, type Tensor } from '../ort.js'
import type { Resident } from '../state.js'
import { type Device, sessionOptionsOf } from './device.js'

/** A tensor of a state in a device's memory. */
export interface DeviceTensor extends Resident {
  /** The tensor under a shape of as many values; the same memory. */
  as(shape: readonly number[]): Tensor
}

/** The way of float32 tensors into a device's memory and back. */
export interface DeviceMemory extends AsyncDisposable {
  upload(data: Float32Array<ArrayBuffer>): Promise<DeviceTensor>
  /** Takes over a tensor that a graph left on the device. */
  adopt(tensor: Tensor): DeviceTensor
}

/**
 * Memory of a device whose tensors ONNX Runtime hands to JavaScript.
 *
 * Values move through graphs that do nothing, whose input is on one side and whose output on the other: reading such a tensor
 * itself (`getData`) ends the process in onnxruntime-node 1.30.
 */
export async function deviceMemory(device: Device): Promise<DeviceMemory> {
  const { InferenceSession, Tensor } = onnxRuntime()
  const session = (location: Tensor.DataLocation) =>
    InferenceSession.create(same(), {
      ...sessionOptionsOf(device),
      logSeverityLevel: 4,
      preferredOutputLocation: { y: location },
    })
  const sessions: InferenceSession[] = []
  const up = await session('gpu-buffer')
  sessions.push(up)
  const down = await session('cpu')
  sessions.push(down)
  const hold = (tensor: Tensor, newer: boolean): DeviceTensor => {
    const as = (shape: readonly number[]) =>
      Tensor.fromGpuBuffer(tensor.gpuBuffer, { dataType: 'float32', dims: shape as number[] })
    return {
      device,
      newer,
      as,
      download: async () => (await down.run({ x: as([tensor.size]) })).y!.data as Float32Array,
      dispose: () => tensor.dispose(),
    }
  }
  return {
    upload: async (data) => hold((await up.run({ x: new Tensor('float32', data, [data.length]) })).y!, false),
    adopt: (tensor) => hold(tensor, true),
    async [Symbol.asyncDispose]() {
      for (const one of sessions) await one.release()
    },
  }
}

/** A graph whose output is its input, a vector of any length. */
function same(): Uint8Array {
  const graph = new OnnxGraph()
  graph.input('x', 'float32', [undefined])
  graph.output('y', 'float32', [undefined], graph.op('Identity', ['x']))
  return graph.build()
}
