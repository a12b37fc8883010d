import '@tensorflow/tfjs-backend-cpu'
import { beforeEach, describe, expect, it } from 'vitest'
import { type CompileSpec, compile, State, type Traceable, tf } from '../src/index.js'
import { values } from './support.js'

const double: Traceable = (_, { x }) => ({ outputs: { y: tf.mul(x!, 2) } })
const spec = { inputs: { x: [2, 2] } } satisfies CompileSpec

beforeEach(async () => {
  await tf.setBackend('cpu')
})

describe('compile', () => {
  it('gives a function that can be run again and again with other values', async () => {
    await using compiled = await compile(double, spec)
    const first = await compiled.run(undefined, { x: [1, 2, 3, 4] })
    const second = await compiled.run(undefined, { x: Float32Array.of(5, 6, 7, 8) })
    const third = await compiled.run(undefined, { x: { data: Float32Array.of(0, 0, 0, 1), shape: [2, 2] } })
    expect(first.y!.shape).toEqual([2, 2])
    expect([first, second, third].map(({ y }) => Array.from(y!.data as Float32Array))).toEqual([
      [2, 4, 6, 8],
      [10, 12, 14, 16],
      [0, 0, 0, 2],
    ])
  })

  it('takes whole numbers and gives them back', async () => {
    await using compiled = await compile(
      (_, { rows, picks }) => ({
        outputs: { picked: tf.gather(rows!, picks as tf.Tensor1D), next: tf.add(picks!, tf.scalar(1, 'int32')) },
      }),
      { inputs: { rows: [3, 2], picks: { shape: [2], dtype: 'int32' } } },
    )
    const { picked, next } = await compiled.run(undefined, { rows: [1, 2, 3, 4, 5, 6], picks: [2, 0] })
    expect(Array.from(picked!.data as Float32Array)).toEqual([5, 6, 1, 2])
    expect(next!.data).toEqual(Int32Array.of(3, 1))
  })

  it('gives constants, inputs and one tensor under two names as outputs', async () => {
    await using compiled = await compile((_, { x }) => {
      const y = tf.neg(x!)
      return {
        outputs: {
          x: x!,
          y,
          again: y,
          wide: tf.broadcastTo(y, [2, 2, 2]),
          ones: tf.ones([3]),
          two: tf.fill([1, 2], 2),
        },
      }
    }, spec)
    const out = await compiled.run(undefined, { x: [1, 2, 3, 4] })
    expect(
      Object.fromEntries(Object.entries(out).map(([name, { data }]) => [name, Array.from(data as Float32Array)])),
    ).toEqual({
      x: [1, 2, 3, 4],
      y: [-1, -2, -3, -4],
      again: [-1, -2, -3, -4],
      wide: [-1, -2, -3, -4, -1, -2, -3, -4],
      ones: [1, 1, 1],
      two: [2, 2],
    })
  })

  it('takes tensors from outside as constants and leaves them usable', async () => {
    const outside = tf.tensor1d([10, 20])
    await using compiled = await compile((_, { x }) => ({ outputs: { y: tf.add(x!, outside) } }), spec)
    const { y } = await compiled.run(undefined, { x: [1, 2, 3, 4] })
    expect(Array.from(y!.data as Float32Array)).toEqual([11, 22, 13, 24])
    expect(Array.from(tf.add(outside, 1).dataSync())).toEqual([11, 21])
    outside.dispose()
  })

  it('records equal operations once and drops those that no output needs', async () => {
    const nodes = async (fn: Traceable) => {
      await using compiled = await compile(fn, spec)
      return compiled.nodeCount
    }
    const once = await nodes((_, { x }) => ({ outputs: { y: tf.exp(x!) } }))
    const twice = await nodes((_, { x }) => {
      tf.sin(x!)
      return { outputs: { y: tf.maximum(tf.exp(x!), tf.exp(x!)) } }
    })
    expect(twice).toBe(once + 1)
  })

  it('leaves no tensors behind and puts the backend back, whether it succeeds or fails', async () => {
    const before = tf.memory().numTensors
    const train: Traceable = ({ w }, { x }) => {
      const gradient = tf.grad((p: tf.Tensor) => tf.sum(tf.square(tf.mul(p, x!))))(w!)
      return { state: { w: tf.sub(w!, gradient) }, outputs: { y: tf.mul(w!, x!) } }
    }
    await using _ = await compile(train, { state: { w: [2, 2] }, ...spec })
    expect(tf.memory().numTensors).toBe(before)
    await expect(compile((_, { x }) => ({ outputs: { y: tf.fft(tf.complex(x!, x!)) } }), spec)).rejects.toThrow()
    expect(tf.memory().numTensors).toBe(before)
    expect(tf.getBackend()).toBe('cpu')
    expect(tf.tidy(() => tf.add(1, 2).dataSync()[0])).toBe(3)
  })

  it('with frozen state gives the same outputs without the state', async () => {
    const fn: Traceable = ({ w, b }, { x }) => ({
      outputs: { y: tf.sigmoid(tf.add(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D), b!)) },
    })
    const shapes = { w: [2, 3], b: [3] }
    const state = new State(
      Object.fromEntries(
        Object.entries(shapes).map(([name, shape]) => [name, { shape, data: values(shape, 'normal', 1) }]),
      ),
    )
    await using open = await compile(fn, { state: shapes, ...spec })
    await using frozen = await compile(fn, { state: shapes, ...spec }, { freeze: state })
    const input = { x: [1, -2, 0.5, 3] }
    const wanted = await open.run(state, input)
    expect((await frozen.run(undefined, input)).y).toEqual(wanted.y)
    state.set('b', { data: [9, 9, 9], shape: [3] })
    expect((await frozen.run(undefined, input)).y).toEqual(wanted.y)
    expect((await open.run(state, input)).y).not.toEqual(wanted.y)
  })

  it('writes the graph as an ONNX file', async () => {
    const { loadNetwork } = await import('../src/index.js')
    await using compiled = await compile(double, spec)
    await using network = await loadNetwork(compiled.onnx)
    expect([network.inputNames, network.outputNames]).toEqual([['input:x'], ['output:y']])
    const out = await network.run({ 'input:x': { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] } })
    expect(Array.from(out['output:y']!.data as Float32Array)).toEqual([2, 4, 6, 8])
  })
})
