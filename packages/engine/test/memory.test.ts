import '@tensorflow/tfjs-backend-cpu'
import { describe, expect, it } from 'vitest'
import { checkpoint, compile, State, type Traceable, tf } from '../src/index.js'
import { expectToFit } from '../src/memory/estimate.js'
import { bytesOfGraph } from '../src/memory/lifetimes.js'
import { executionOrder, orderResults } from '../src/memory/order.js'
import { shapesOf } from '../src/memory/shapes.js'
import { OnnxGraph } from '../src/onnx/index.js'
import { expectClose, values } from './support.js'

/** A chain of `count` layers y = tanh(W·x) with the gradient of each weight, W itself read again by nobody. */
function chain(count: number, size: number): OnnxGraph {
  const graph = new OnnxGraph()
  const weights = Array.from({ length: count }, (_, i) => graph.input(`w${i}`, 'float32', [size, size]))
  const activations = [graph.input('x', 'float32', [size, size])]
  for (const weight of weights) activations.push(graph.op('Tanh', [graph.op('MatMul', [activations.at(-1)!, weight])]))
  graph.output('loss', 'float32', [], graph.op('ReduceMean', [activations.at(-1)!], { keepdims: 0 }))
  let dy = activations.at(-1)!
  for (let i = count - 1; i >= 0; i--) {
    const dz = graph.op('Mul', [dy, activations[i + 1]!])
    const dw = graph.op('Gemm', [activations[i]!, dz], { transA: 1 })
    if (i > 0) dy = graph.op('Gemm', [dz, weights[i]!], { transB: 1 })
    graph.output(`dw${i}`, 'float32', [size, size], dw)
  }
  return graph
}

const madeBy = (graph: OnnxGraph) => executionOrder(graph.nodes).flatMap(({ outputs }) => outputs)

describe('the memory of a graph', () => {
  it('is given up layer by layer: gradients are computed as soon as they can be', () => {
    const graph = chain(4, 8)
    const before = bytesOfGraph(graph).values
    orderResults(graph, (name) => name === 'loss')
    const order = madeBy(graph).filter((name) => name.startsWith('dw') || name === 'loss')
    expect(order).toEqual(['dw3', 'dw2', 'dw1', 'dw0', 'loss'])
    expect(bytesOfGraph(graph).values).toBeLessThan(before)
  })

  it('counts the values that are needed at one time, views not twice, outputs and inputs not at all', () => {
    const graph = new OnnxGraph()
    graph.input('x', 'float32', [10, 10])
    const a = graph.op('Tanh', ['x']) // 400 bytes
    const b = graph.op('Reshape', [a, graph.i64([100])])
    const c = graph.op('Tanh', [b]) // 800 with a
    const d = graph.op('Add', [c, b]) // 1200 with a and c
    graph.output('y', 'float32', [100], graph.op('Neg', [d]))
    expect(bytesOfGraph(graph)).toEqual({ values: 1200, constants: 8 })
  })

  it('knows the shape of every value that a convolutional train step has', async () => {
    const graph = chain(3, 4)
    const types = shapesOf(graph)
    for (const node of graph.nodes) for (const output of node.outputs) expect(types.get(output)).toBeDefined()
    expect(types.get('dw1')).toEqual({ type: 'float32', shape: [4, 4] })
    expect(types.get('loss')).toEqual({ type: 'float32', shape: [] })
  })
})

const PARAMS = { conv1: [3, 3, 8, 32], conv2: [3, 3, 32, 32], conv3: [3, 3, 32, 8] }
type Weights = Record<keyof typeof PARAMS, tf.Tensor4D>

/** Three convolutions of images large enough for the shapes of values to be hidden from ONNX Runtime. */
const step: Traceable = (state, { x }) => {
  const names = Object.keys(PARAMS) as (keyof typeof PARAMS)[]
  const loss = (...weights: tf.Tensor[]) => {
    const w = Object.fromEntries(names.map((name, i) => [name, weights[i]!])) as Weights
    const h1 = tf.leakyRelu(tf.conv2d(x as tf.Tensor4D, w.conv1, 1, 'same'), 0.1)
    const h2 = tf.leakyRelu(tf.conv2d(h1, w.conv2, 1, 'same'), 0.1)
    return tf.mean(tf.square(tf.sub(tf.conv2d(h2, w.conv3, 1, 'same'), x!))) as tf.Scalar
  }
  const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => state[name]!))
  return {
    state: Object.fromEntries(names.map((name, i) => [name, tf.sub(state[name]!, tf.mul(grads[i]!, 0.1))])),
    outputs: { loss: value },
  }
}

const stateOf = () =>
  new State(
    Object.fromEntries(
      Object.entries(PARAMS).map(([name, shape], i) => [
        name,
        { shape, data: values(shape, 'unit', i).map((v) => v / 10) },
      ]),
    ),
  )

describe('the memory of a train step', () => {
  it('is told before anything is allocated, and grows with the batch only where it does', async () => {
    const of = async (batch: number) => {
      await using compiled = await compile(step, { state: PARAMS, inputs: { x: [batch, 32, 32, 8] } })
      return compiled.memory
    }
    const [small, large] = [await of(2), await of(8)]
    const bytes = 4 * Object.values(PARAMS).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0)
    expect(small.state).toBe(bytes)
    expect(large.state).toBe(bytes)
    expect(large.next).toBe(bytes)
    expect(large.activations / small.activations).toBeGreaterThan(3)
    expect(large.total).toBe(large.state + large.next + large.activations + large.base)
  })

  it('is refused with its parts where the machine has less', async () => {
    const memory = { state: 3e9, next: 1e9, activations: 5e9, base: 3e8, total: 9.3e9 }
    expect(() => expectToFit(memory, 8e9)).toThrow(
      'Expected a function that fits into 8.0 GB of memory, but got one that takes about 9.3 GB: 3.0 for state, 1.0 for gradients, 5.0 for activations. Take a smaller batch or network; for activations alone, `checkpoint` parts of it.',
    )
    expect(() => expectToFit(memory, 9.3e9)).not.toThrow()
    // A product of matrices too large for any machine is not even tried.
    await expect(
      compile((_, { x }) => ({ outputs: { y: tf.mean(tf.mul(tf.reshape(x!, [1, -1]), tf.reshape(x!, [-1, 1]))) } }), {
        inputs: { x: [4_000_000] },
      }),
    ).rejects.toThrow(/fits into [\d.]+ GB of memory, but got one that takes about \d+\.\d GB/)
  })

  it('does not change what the step computes', async () => {
    const inputs = { x: [4, 32, 32, 8] }
    await using compiled = await compile(step, { state: PARAMS, inputs })
    // On other devices nothing is hidden from ONNX Runtime; without a state to replace neither.
    await using plain = await compile((state, given) => ({ outputs: { ...step(state, given).state } }), {
      state: PARAMS,
      inputs,
    })
    const [state, before] = [stateOf(), stateOf()]
    const x = values(inputs.x, 'unit', 7)
    await compiled.run(state, { x })
    const wanted = await plain.run(before, { x })
    for (const name of Object.keys(PARAMS)) expectClose(state.get(name).data, wanted[name]!.data as Float32Array)
  })
})

const LAYERS = Array.from({ length: 12 }, (_, i) => `w${i}`)
const DEEP = Object.fromEntries(LAYERS.map((name) => [name, [16, 16]]))

/** Dense layers and their gradients, with the inside of every three of them kept or computed again. */
const deep =
  (again: boolean): Traceable =>
  (state, { x }) => {
    const layers = (h: tf.Tensor, ...weights: tf.Tensor[]) =>
      weights.reduce((y, w) => tf.sigmoid(tf.matMul(y as tf.Tensor2D, w as tf.Tensor2D)), h)
    const loss = (...weights: tf.Tensor[]) => {
      let h = x!
      for (let i = 0; i < weights.length; i += 3) {
        const part = weights.slice(i, i + 3)
        h = again ? checkpoint(layers, [h, ...part]) : layers(h, ...part)
      }
      return tf.mean(tf.square(h)) as tf.Scalar
    }
    const { value, grads } = tf.valueAndGrads(loss)(LAYERS.map((name) => state[name]!))
    return {
      state: Object.fromEntries(LAYERS.map((name, i) => [name, tf.sub(state[name]!, grads[i]!)])),
      outputs: { loss: value },
    }
  }

describe('checkpoint', () => {
  const inputs = { x: [512, 16] }
  const x = values(inputs.x, 'unit', 3)
  const first = () =>
    new State(
      Object.fromEntries(LAYERS.map((name, i) => [name, { shape: [16, 16], data: values([16, 16], 'unit', i) }])),
    )

  it('changes neither the loss nor any gradient, and takes less memory', async () => {
    await using kept = await compile(deep(false), { state: DEEP, inputs })
    await using again = await compile(deep(true), { state: DEEP, inputs })
    const [a, b] = [first(), first()]
    const [wanted, got] = [await kept.run(a, { x }), await again.run(b, { x })]
    expectClose(got.loss!.data as Float32Array, wanted.loss!.data as Float32Array)
    for (const name of LAYERS) expectClose(b.get(name).data, a.get(name).data)
    expect(again.memory.activations).toBeLessThan(0.75 * kept.memory.activations)
    expect(again.nodeCount).toBeGreaterThan(kept.nodeCount)
  })

  it('computes the same without being compiled', () => {
    tf.setBackend('cpu')
    const run = (again: boolean) =>
      tf.tidy(() => {
        const state = Object.fromEntries(LAYERS.map((name) => [name, tf.tensor(first().get(name).data, [16, 16])]))
        return Array.from(deep(again)(state, { x: tf.tensor(x, [512, 16]) }).state!.w0!.dataSync())
      })
    expectClose(run(true), run(false))
  })
})
