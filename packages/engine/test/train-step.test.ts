import '@tensorflow/tfjs-backend-cpu'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compile, State, type Traceable, tf } from '../src/index.js'
import { expectClose, SEED, values } from './support.js'

type Tensors = Record<string, tf.Tensor>

const PARAMS: Record<string, number[]> = {
  'conv/weight': [3, 3, 3, 8],
  'conv/bias': [8],
  'dense/weight': [96, 7],
  'dense/bias': [7],
  scale: [],
}
const STATE = Object.fromEntries(
  Object.entries(PARAMS).flatMap(([name, shape]) => [name, `${name}/m`, `${name}/s`].map((key) => [key, shape])),
)
const INPUTS = { x: [2, 6, 8, 3], target: [2, 7], learningRate: [] }

const firstState = () =>
  Object.fromEntries(
    Object.entries(STATE).map(([name, shape], i) => [
      name,
      { shape, data: name in PARAMS ? values(shape, 'unit', i) : values(shape, 'unit', i).map(() => 0) },
    ]),
  )

/** A convolution whose channels become pixels, a dense layer, and one step of AdaBelief on all parameters. */
const step: Traceable = (state, { x, target, learningRate }) => {
  const names = Object.keys(PARAMS)
  const loss = (...params: tf.Tensor[]) => {
    const p = Object.fromEntries(names.map((name, i) => [name, params[i]!])) as Tensors
    const filter = p['conv/weight'] as tf.Tensor4D
    const y = tf.leakyRelu(
      tf.fused.conv2d({ x: x as tf.Tensor4D, filter, strides: 2, pad: 'same', bias: p['conv/bias']! }),
      0.1,
    ) // [2, 3, 4, 8]
    const pixels = tf.transpose(tf.reshape(y, [2, 3, 4, 2, 4]), [0, 1, 3, 2, 4])
    const flat = tf.reshape(pixels, [2, 96]) as tf.Tensor2D
    const painted = tf.sigmoid(tf.add(tf.matMul(flat, p['dense/weight'] as tf.Tensor2D), p['dense/bias']!))
    return tf.mean(tf.squaredDifference(tf.mul(painted, p.scale!), target!)) as tf.Scalar
  }
  const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => state[name]!))
  const next: Tensors = {}
  names.forEach((name, i) => {
    const [m, s] = [state[`${name}/m`]!, state[`${name}/s`]!]
    const nextM = tf.add(tf.mul(m, 0.9), tf.mul(grads[i]!, 0.1))
    const nextS = tf.add(tf.mul(s, 0.999), tf.mul(tf.square(tf.sub(grads[i]!, nextM)), 0.001))
    next[name] = tf.sub(state[name]!, tf.div(tf.mul(nextM, learningRate!), tf.add(tf.sqrt(nextS), 1e-6)))
    next[`${name}/m`] = nextM
    next[`${name}/s`] = nextS
  })
  return { state: next, outputs: { loss: value } }
}

const batch = (index: number) => ({
  x: values(INPUTS.x, 'unit', 100 + index),
  target: values(INPUTS.target, 'positive', 200 + index).map((v) => v / 3),
  learningRate: [0.01],
})

/** The same steps on TensorFlow.js's own backend. */
function eagerSteps(count: number) {
  tf.setBackend('cpu')
  let now = firstState() as Record<string, { shape: number[]; data: number[] }>
  const losses: number[] = []
  for (let i = 0; i < count; i++)
    now = tf.tidy(() => {
      const state = Object.fromEntries(Object.entries(now).map(([name, t]) => [name, tf.tensor(t.data, t.shape)]))
      const inputs = Object.fromEntries(
        Object.entries(batch(i)).map(([name, data]) => [name, tf.tensor(data, INPUTS[name as keyof typeof INPUTS])]),
      )
      const result = step(state, inputs)
      losses.push(result.outputs.loss!.dataSync()[0]!)
      return Object.fromEntries(
        Object.entries(result.state!).map(([name, t]) => [name, { shape: t.shape, data: Array.from(t.dataSync()) }]),
      ) as unknown as typeof now
    })
  return { state: now, losses }
}

describe('a compiled train step', () => {
  it('gives the losses, parameters and moments that TensorFlow.js gives, step after step', async () => {
    const wanted = eagerSteps(5)
    await using compiled = await compile(step, { state: STATE, inputs: INPUTS })
    const state = new State(firstState())
    const losses: number[] = []
    for (let i = 0; i < 5; i++) losses.push((await compiled.run(state, batch(i))).loss!.data[0] as number)
    expectClose(losses, wanted.losses)
    for (const name of Object.keys(STATE)) expectClose(state.get(name).data, wanted.state[name]!.data)
    expect(losses[4]).not.toBeCloseTo(losses[0]!, 3)
  })

  it('reads every tensor before it replaces any', async () => {
    const swap: Traceable = ({ a, b, c }) => ({
      state: { a: b!, b: tf.add(a!, c!), c: tf.mul(tf.sum(a!), tf.ones([3])) },
      outputs: { old: a! },
    })
    await using compiled = await compile(swap, { state: { a: [3], b: [3], c: [3] }, inputs: {} })
    const state = new State({
      a: { data: [1, 2, 3], shape: [3] },
      b: { data: [4, 5, 6], shape: [3] },
      c: { data: [10, 20, 30], shape: [3] },
    })
    const { old } = await compiled.run(state, {})
    expect(Array.from(old!.data as Float32Array)).toEqual([1, 2, 3])
    expect(['a', 'b', 'c'].map((name) => Array.from(state.get(name).data))).toEqual([
      [4, 5, 6],
      [11, 22, 33],
      [6, 6, 6],
    ])
  })

  it('replaces tensors of any length, by constants, inputs and values that are outputs too', async () => {
    for (const length of [1, 3, 4, 5, 17]) {
      const fn: Traceable = ({ w, kept, counter }, { x, rate }) => {
        const moved = tf.sub(w!, tf.mul(rate!, x!))
        return {
          state: { w: moved, kept: x!, zeros: tf.zeros([length]), counter: tf.add(counter!, 1) },
          outputs: { moved, again: moved, kept: kept! },
        }
      }
      const shapes = { w: [length], kept: [length], zeros: [length], counter: [] }
      await using compiled = await compile(fn, { state: shapes, inputs: { x: [length], rate: [] } })
      const state = new State(
        Object.fromEntries(
          Object.entries(shapes).map(([name, shape]) => [name, { shape, data: values(shape, 'unit', 1) }]),
        ),
      )
      const [before, x] = [Array.from(state.get('w').data), values([length], 'normal', 2)]
      const moved = before.map((w, i) => w - 0.5 * x[i]!)
      const counter = state.get('counter').data[0]!
      const out = await compiled.run(state, { x, rate: [0.5] })
      expectClose(out.moved!.data as Float32Array, moved)
      expectClose(out.again!.data as Float32Array, moved)
      expectClose(out.kept!.data as Float32Array, before)
      expectClose(state.get('w').data, moved)
      expectClose(state.get('kept').data, x)
      expect(Array.from(state.get('zeros').data)).toEqual(x.map(() => 0))
      expect(state.get('counter').data[0]).toBeCloseTo(counter + 1, 6)
    }
  })

  it('leaves what it does not give back as it was', async () => {
    await using compiled = await compile((state) => ({ state: { a: tf.add(state.a!, state.b!) }, outputs: {} }), {
      state: { a: [2], b: [2] },
      inputs: {},
    })
    const state = new State({ a: { data: [1, 2], shape: [2] }, b: { data: [3, 4], shape: [2] } })
    await compiled.run(state, {})
    await compiled.run(state, {})
    expect(Array.from(state.get('a').data)).toEqual([7, 10])
    expect(Array.from(state.get('b').data)).toEqual([3, 4])
  })

  it('takes turns with another on one state without taking more memory', async () => {
    const make = (size: number) =>
      compile(
        ({ w }, { x }) => ({
          state: { w: tf.mul(w!, tf.relu(tf.slice(tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D), [0, 0], [1, 1]))) },
          outputs: {},
        }),
        { state: { w: [1, 1] }, inputs: { x: [size, size] } },
      )
    await using small = await make(2)
    await using large = await make(3)
    const state = new State({ w: { data: [1], shape: [1, 1] } })
    const turn = async () => {
      await small.run(state, { x: [1, 0, 0, 1] })
      await large.run(state, { x: [1, 0, 0, 0, 1, 0, 0, 0, 1] })
    }
    await turn()
    const bytes = state.memory.buffer.byteLength
    for (let i = 0; i < 200; i++) await turn()
    expect(state.memory.buffer.byteLength).toBe(bytes)
    expect(state.get('w').data[0]).toBe(1)
  })

  it('gives what TensorFlow.js gives for any order of operations on tensors that read one another', async () => {
    await fc.assert(
      fc.asyncProperty(fc.gen(), async (g) => {
        const integer = (max: number) => g(fc.integer, { min: 0, max })
        const size = integer(8) + 1
        const shapes: Record<string, number[]> = { a: [size], b: [size], c: [size], d: [2, size], e: [] }
        const given: Record<string, number[]> = { x: [size], rate: [] }
        // Each operation takes two of the tensors there are: the state, the inputs, numbers and earlier results.
        const program = Array.from({ length: 4 + integer(8) }, () => [integer(11), integer(99), integer(99)] as const)
        const results = Object.keys(shapes).map((name) => [name, integer(99)] as const)
        const fn: Traceable = (state, inputs) => {
          const values = [...Object.values(state), ...Object.values(inputs), tf.scalar(0.5), tf.fill([size], 2)]
          for (const [op, i, j] of program)
            values.push(OPERATIONS[op]!(values[i % values.length]!, values[j % values.length]!))
          const next = results.flatMap(([name, i]) => {
            const fitting = values.filter(({ shape }) => shape.join() === shapes[name]!.join())
            return i % 4 === 0 ? [] : [[name, fitting.at(-1 - (i % fitting.length))!] as const]
          })
          return { state: Object.fromEntries(next), outputs: { last: values.at(-1)!, e: state.e! } }
        }
        const start = Object.fromEntries(
          Object.entries(shapes).map(([name, shape], i) => [name, { shape, data: values(shape, 'positive', i) }]),
        )
        const inputs = Object.fromEntries(
          Object.entries(given).map(([name, shape]) => [name, values(shape, 'unit', 9)]),
        )
        await using compiled = await compile(fn, { state: shapes, inputs: given }, { threads: 1 })
        const state = new State(start)
        const out = await compiled.run(state, inputs)
        await tf.setBackend('cpu')
        tf.tidy(() => {
          const tensors = (from: Record<string, number[]>, data: (name: string) => number[]) =>
            Object.fromEntries(Object.keys(from).map((name) => [name, tf.tensor(data(name), from[name])]))
          const wanted = fn(
            tensors(shapes, (name) => start[name]!.data),
            tensors(given, (name) => inputs[name]!),
          )
          for (const name of Object.keys(shapes))
            expectClose(state.get(name).data, wanted.state![name]?.dataSync() ?? start[name]!.data)
          for (const name of ['last', 'e'])
            expectClose(out[name]!.data as Float32Array, wanted.outputs[name]!.dataSync())
        })
      }),
      { seed: SEED, numRuns: 40, interruptAfterTimeLimit: 20_000 },
    )
  })
})

const OPERATIONS: ((a: tf.Tensor, b: tf.Tensor) => tf.Tensor)[] = [
  tf.add,
  tf.sub,
  tf.mul,
  tf.mul,
  (a, b) => tf.div(a, tf.add(tf.abs(b), 1)),
  tf.minimum,
  tf.maximum,
  tf.abs,
  tf.neg,
  (a) => tf.sqrt(tf.abs(a)),
  (a) => tf.tanh(a),
  (a) => tf.sum(tf.tanh(a)),
]
