import { isDflError } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import {
  type CompileSpec,
  compile,
  exportOnnx,
  loadNetwork,
  networkOf,
  State,
  type TensorData,
  type Traceable,
  tf,
} from '../src/index.js'
import { expectClose, values } from './support.js'

const SHAPES: Record<string, number[]> = {
  'conv/weight': [3, 3, 3, 8],
  'conv/bias': [8],
  'deep/weight': [3, 3, 8, 1],
  'up/weight': [2, 2, 4, 8],
  'dense/weight': [4, 5],
}
const spec = { state: SHAPES, inputs: { image: [2, 8, 6, 3] } } satisfies CompileSpec

/** A convolution, a depthwise one, a pool, a transposed one, a resize and a product of matrices. */
const forward: Traceable = (state, { image }) => {
  const weight = (name: string) => state[`${name}/weight`] as tf.Tensor4D
  const wide = tf.relu(tf.add(tf.conv2d(image as tf.Tensor4D, weight('conv'), 1, 'same'), state['conv/bias']!))
  const deep = tf.maxPool(tf.depthwiseConv2d(wide as tf.Tensor4D, weight('deep'), 1, 'same'), 2, 2, 'valid')
  const up = tf.conv2dTranspose(deep, weight('up'), [2, 8, 6, 4], 2, 'same')
  const sized = tf.image.resizeBilinear(up, [5, 5], false, true)
  const mean = tf.softmax(tf.matMul(tf.mean(sized, [1, 2]) as tf.Tensor2D, state['dense/weight'] as tf.Tensor2D))
  return { outputs: { image: up, chance: mean, best: tf.argMax(mean, 1) } }
}

const newState = () =>
  new State(
    Object.fromEntries(
      Object.entries(SHAPES).map(([name, shape], i) => [name, { shape, data: values(shape, 'unit', i + 1) }]),
    ),
  )
const image: TensorData = { data: Float32Array.from(values([2, 8, 6, 3], 'normal', 9)), shape: [2, 8, 6, 3] }

describe('exportOnnx', () => {
  it.each([12, 13, 15, 17, 18, 20, 21])(
    'writes a forward function for opset %i that gives what the compiled one gives, under its own names',
    async (opset) => {
      const state = newState()
      await using compiled = await compile(forward, spec)
      const wanted = await compiled.run(state, { image })
      await using network = await loadNetwork(exportOnnx(forward, spec, { state, opset }))
      expect(network.inputs).toEqual({ image: { dtype: 'float32', shape: [2, 8, 6, 3] } })
      // An input has the name of this output already, so the output keeps its prefix.
      expect(network.outputNames).toEqual(['output:image', 'chance', 'best'])
      const out = await network.run({ image })
      expectClose(out['output:image']!.data as Float32Array, wanted.image!.data as Float32Array)
      expectClose(out.chance!.data as Float32Array, wanted.chance!.data as Float32Array)
      expect(out.best).toEqual(wanted.best)
    },
  )

  it('writes a whole train step, with state in and new state out', async () => {
    const step: Traceable = (state, inputs) => {
      const names = Object.keys(SHAPES)
      const loss = (...params: tf.Tensor[]) => {
        const given = Object.fromEntries(names.map((name, i) => [name, params[i]!]))
        const { image, chance } = forward(given, inputs).outputs
        return tf.add(tf.mean(tf.square(image!)), tf.mean(tf.log(chance!))) as tf.Scalar
      }
      const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => state[name]!))
      const next = names.map((name, i) => [name, tf.sub(state[name]!, tf.mul(grads[i]!, 0.1))])
      return { state: Object.fromEntries(next), outputs: { loss: value } }
    }
    const state = newState()
    const feeds = Object.fromEntries(Object.entries(state.snapshot()))
    await using network = await loadNetwork(exportOnnx(step, spec))
    const out = await network.run({ ...feeds, image })
    await using compiled = await compile(step, spec)
    const { loss } = await compiled.run(state, { image })
    expectClose(out.loss!.data as Float32Array, loss!.data as Float32Array)
    for (const name of Object.keys(SHAPES)) expectClose(out[`next:${name}`]!.data as Float32Array, state.get(name).data)
  })

  it('writes the gradient of a depthwise convolution with several kernels for each channel', async () => {
    const shapes = { x: [2, 6, 5, 2], w: [3, 2, 2, 3], dy: [2, 3, 3, 6] }
    const fn: Traceable = (_, { x, w, dy }) => {
      const loss = (x: tf.Tensor) =>
        tf.sum(tf.mul(tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, 'same'), dy!)) as tf.Scalar
      return { outputs: { gradient: tf.grad(loss)(x!) } }
    }
    const given = Object.fromEntries(
      Object.entries(shapes).map(([name, shape], i) => [
        name,
        { shape, data: Float32Array.from(values(shape, 'normal', i + 1)) },
      ]),
    )
    await using network = await loadNetwork(exportOnnx(fn, { inputs: shapes }))
    await using compiled = await compile(fn, { inputs: shapes })
    const [got, wanted] = [await network.run(given), await compiled.run(undefined, given)]
    expectClose(got.gradient!.data as Float32Array, wanted.gradient!.data as Float32Array)
  })

  it('holds the weights under their names', () => {
    const text = Buffer.from(exportOnnx(forward, spec, { state: newState() })).toString('latin1')
    for (const name of Object.keys(SHAPES)) expect(text).toContain(name)
    expect(text).not.toContain('com.microsoft')
  })

  it('says which opset an operator needs, and which there are', () => {
    const scatter: Traceable = (_, { x }) => ({
      outputs: { y: tf.scatterND(tf.tensor2d([[0], [0]], [2, 1], 'int32'), x!, [3]) },
    })
    const message = (opset: number) => {
      try {
        exportOnnx(scatter, { inputs: { x: [2] } }, { opset })
      } catch (error) {
        if (isDflError(error)) return error.message
      }
      return undefined
    }
    expect(message(13)).toBe(
      'Expected operators of opset 13, but got `ScatterElements` with a sum, which is part of opset 16. Export with `opset: 16` or a newer one.',
    )
    expect(message(11)).toBe('Expected a whole number from 12 to 28 for `opset`, but got 11. Most runtimes take 17.')
    expect(message(16)).toBeUndefined()
  })
})

describe('a network', () => {
  it('can be a compiled function, run the same way as a file', async () => {
    const state = newState()
    await using network = networkOf(await compile(forward, spec), state)
    expect(network.inputs).toEqual({ image: { shape: [2, 8, 6, 3], dtype: 'float32' } })
    expect(network.outputs).toEqual({
      image: { shape: [2, 8, 6, 4], dtype: 'float32' },
      chance: { shape: [2, 5], dtype: 'float32' },
      best: { shape: [2], dtype: 'int32' },
    })
    const out = await network.run({ image })
    expect(network.outputNames).toEqual(Object.keys(out))
    expect(out.chance!.shape).toEqual([2, 5])
  })

  it('says which shape and which type it wants', async () => {
    await using network = await loadNetwork(exportOnnx(forward, spec, { state: newState() }))
    await expect(network.run({ image: { ...image, shape: [1, 8, 6, 6] } })).rejects.toThrow(
      'Expected [2,8,6,3] for `image`, but got [1,8,6,6]. Bring it into that shape.',
    )
    await expect(network.run({ image: { ...image, data: new Int32Array(288) } })).rejects.toThrow(
      'Expected float32 values for `image`, but got Int32Array. Give them as that type.',
    )
  })
})
