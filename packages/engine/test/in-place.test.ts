import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, expect, it } from 'vitest'
import { forRunInPlace, runInPlace } from '../src/devices/in-place.js'
import { compile, tf } from '../src/index.js'
import { onnxRuntime } from '../src/ort.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

/** The ONNX file of y = 2x for four numbers. */
async function doubling(): Promise<Uint8Array> {
  await using compiled = await compile((_, { x }) => ({ outputs: { y: tf.mul(x!, 2) } }), { inputs: { x: [4] } })
  return compiled.onnx
}

describe('runInPlace', () => {
  it('writes the outputs where the caller wants them, and nothing is copied', async () => {
    const { Tensor, InferenceSession } = onnxRuntime()
    const { bytes } = forRunInPlace(await doubling())
    const session = await InferenceSession.create(bytes)
    const [input] = session.inputNames
    const feeds = { [input!]: new Tensor('float32', Float32Array.of(1, 2, 3, 4), [4]) }
    const memory = new Float32Array(4)
    await runInPlace(session, feeds, { 'output:y': new Tensor('float32', memory, [4]) })
    expect([...memory]).toEqual([2, 4, 6, 8])
    // onnxruntime-node itself ends there with an error, before its first copy.
    const empty = Object.fromEntries(session.outputNames.map((name) => [name, null]))
    await expect(session.run(feeds, empty)).rejects.toThrow('Non tensor type')
    await session.release()
  })

  it('tells other errors', async () => {
    const { Tensor, InferenceSession } = onnxRuntime()
    const session = await InferenceSession.create(forRunInPlace(await doubling()).bytes)
    const feeds = { [session.inputNames[0]!]: new Tensor('float32', new Float32Array(3), [3]) }
    const fetches = { 'output:y': new Tensor('float32', new Float32Array(4), [4]) }
    await expect(runInPlace(session, feeds, fetches)).rejects.toThrow(/[Gg]ot.* 3.*Expected.* 4|invalid dimensions/)
    await session.release()
  })

  it('leaves the file for other runtimes as it was', async () => {
    const onnx = await doubling()
    const both = forRunInPlace(onnx)
    expect(Buffer.compare(both.onnx, onnx)).toBe(0)
    const session = await onnxRuntime().InferenceSession.create(both.onnx)
    expect(session.outputNames).toEqual(['output:y'])
    await session.release()
  })
})
