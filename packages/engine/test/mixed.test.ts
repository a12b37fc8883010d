import { describe, expect, it } from 'vitest'
import {
  checkpoint,
  compile,
  halfToNumber,
  numberToHalf,
  type Precision,
  State,
  type Traceable,
  tf,
} from '../src/index.js'
import { PORTABLE } from '../src/kernels/portable.js'
import { bytesOfGraph } from '../src/memory/lifetimes.js'
import { shapesOf } from '../src/memory/shapes.js'
import { computeInHalf } from '../src/mixed/casts.js'
import type { GraphNode, OnnxGraph } from '../src/onnx/index.js'
import { record } from '../src/trace/record.js'
import { expectClose, values } from './support.js'

type Tensors = Record<string, tf.Tensor>
type Shapes = Record<string, number[]>

const PARAMS = { down: [3, 3, 3, 16], bias: [16], same: [3, 3, 16, 16], up: [3, 3, 3, 16], dense: [768, 5] } as const
const PATHS = Object.keys(PARAMS) as (keyof typeof PARAMS)[]
const STATE: Shapes = Object.fromEntries(
  PATHS.flatMap((path) => ['', 'm:', 'v:'].map((moment) => [moment + path, [...PARAMS[path]]])),
)
const INPUTS = { x: [4, 16, 16, 3], rate: [], scale: [] }

/**
 * A network with a convolution, one that is added to its own input, a transposed one and a dense layer; a loss of painted images,
 * of their blurs and of a product of them with themselves; and a step of Adam.
 */
const step: Traceable = (state, { x, rate, scale }) => {
  const outputs: Tensors = {}
  const loss = (...given: tf.Tensor[]) => {
    const p = Object.fromEntries(PATHS.map((path, i) => [path, given[i]!])) as Record<keyof typeof PARAMS, tf.Tensor4D>
    const down = tf.leakyRelu(tf.add(tf.conv2d(x as tf.Tensor4D, p.down, 2, 'same'), p.bias), 0.1) as tf.Tensor4D
    const same = tf.add(down, tf.relu(tf.conv2d(down, p.same, 1, 'same'))) as tf.Tensor4D
    const painted = tf.sigmoid(tf.conv2dTranspose(same, p.up, [4, 16, 16, 3], 2, 'same')) as tf.Tensor4D
    const box = tf.mul(tf.ones([3, 3, 3, 1]), 1 / 9) as tf.Tensor4D
    const blurred = tf.depthwiseConv2d(tf.sub(painted, x!) as tf.Tensor4D, box, 1, 'same')
    const flat = tf.reshape(painted, [4, 768]) as tf.Tensor2D
    const gram = tf.matMul(flat, flat, false, true)
    const code = tf.matMul(flat, p.dense as unknown as tf.Tensor2D)
    outputs.loss = tf.addN([
      tf.mean(tf.square(tf.sub(painted, x!))),
      tf.mean(tf.square(blurred)),
      tf.mul(tf.mean(tf.abs(gram)), 1e-4),
      tf.mul(tf.mean(tf.square(code)), 1e-3),
    ])
    return outputs.loss as tf.Scalar
  }
  const scaled = tf.grads(loss)(
    PATHS.map((path) => state[path]!),
    scale,
  )
  outputs.gradients = tf.addN(scaled.map((gradient) => tf.sum(tf.abs(gradient))))
  const next: Tensors = {}
  PATHS.forEach((path, i) => {
    const gradient = tf.div(scaled[i]!, scale!)
    const m = tf.add(tf.mul(state[`m:${path}`]!, 0.9), tf.mul(gradient, 0.1))
    const v = tf.add(tf.mul(state[`v:${path}`]!, 0.99), tf.mul(tf.square(gradient), 0.01))
    Object.assign(next, { [`m:${path}`]: m, [`v:${path}`]: v })
    next[path] = tf.sub(state[path]!, tf.div(tf.mul(m, rate!), tf.add(tf.sqrt(v), 1e-6)))
  })
  return { state: next, outputs }
}

const start = () =>
  new State(
    Object.fromEntries(
      Object.entries(STATE).map(([name, shape], i) => [
        name,
        { shape, data: values(shape, 'normal', i).map((v) => (name.includes(':') ? 0 : v / 8)) },
      ]),
    ),
  )
const given = (i: number, scale = 1024) => ({
  x: values(INPUTS.x, 'unit', i).map((v) => (v + 1) / 2),
  rate: [0.003],
  scale: [scale],
})

/** The graph that `step` becomes on any device. */
function graphOf(
  precision: Precision,
  fn = step,
  { state, inputs } = { state: STATE, inputs: INPUTS as Shapes },
): OnnxGraph {
  const { trace, outputs } = record(
    (placeholder) => {
      const made = (prefix: string, shapes: Record<string, readonly number[]>) =>
        Object.fromEntries(
          Object.entries(shapes).map(([name, shape]) => [
            name,
            placeholder(name, { shape, dtype: 'float32', name: `${prefix}:${name}` }),
          ]),
        )
      const result = fn(made('state', state), made('input', inputs))
      const named = (prefix: string, tensors: Tensors = {}) =>
        Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`${prefix}:${name}`, tensor]))
      return { ...named('next', result.state), ...named('output', result.outputs) }
    },
    { kernels: PORTABLE, portable: true },
  )
  const { graph } = trace
  for (const [name, shape] of Object.entries(state)) graph.input(`state:${name}`, 'float32', shape)
  for (const [name, shape] of Object.entries(inputs)) graph.input(`input:${name}`, 'float32', shape)
  for (const [port, { shape }] of trace.ports) graph.input(port, 'float32', shape)
  for (const [name, value] of Object.entries(outputs)) graph.output(name, 'float32', value.shape, trace.name(value))
  graph.prune()
  if (precision === 'mixed') computeInHalf(graph, (name) => name === 'output:loss')
  return graph
}

describe('the graph of mixed precision', () => {
  const graph = graphOf('mixed')
  const types = shapesOf(graph)
  const typesOf = (names: readonly string[]) => names.filter(Boolean).map((name) => types.get(name)!.type)
  const isHalf = ({ inputs, outputs }: GraphNode) => typesOf([...inputs, ...outputs]).includes('float16')
  const halves = (op: string) => graph.nodes.filter((node) => node.op === op).map(isHalf)

  it('has float32 inputs and outputs, and operators whose floats are of one type', () => {
    for (const { type } of [...graph.inputs, ...graph.outputs]) expect(type).toBe('float32')
    for (const { name, type } of graph.outputs) expect(types.get(name)?.type).toBe(type)
    for (const node of graph.nodes) {
      if (node.op === 'Cast') continue
      const floats = typesOf([...node.inputs, ...node.outputs]).filter((type) => type.startsWith('float'))
      expect(new Set(floats).size, `${node.op} ${floats}`).toBe(floats.length > 0 ? 1 : 0)
    }
  })

  it('computes what learns and what lies between in 16 bits: layers, their activations, their gradients', () => {
    // Of three layers each with its two gradients, but for the image's; the dense layer with both.
    // The transposed convolution that is no layer belongs to a blur of the loss.
    expect(halves('ConvTranspose')).toEqual([true, false, true])
    expect(halves('LeakyRelu')).toEqual([true])
    expect(halves('Relu')).toEqual([true])
    expect(halves('Gemm').filter(Boolean)).toHaveLength(6)
    expect(halves('Gather').every(Boolean)).toBe(true)
  })

  it('computes losses with their blurs and products, sums, roots and the update in 32 bits', () => {
    for (const op of ['Sigmoid', 'ReduceMean', 'ReduceSum', 'Sqrt', 'Div', 'Abs'])
      expect([op, ...new Set(halves(op))]).toEqual([op, false])
    const blurs = graph.nodes.filter(({ op, attributes }) => op === 'Conv' && attributes.group === 3)
    expect(blurs.map(isHalf)).toEqual([false])
    const grams = graph.nodes.filter(
      ({ op, outputs }) => (op === 'Gemm' || op === 'MatMul') && types.get(outputs[0]!)!.shape.join() === '4,4',
    )
    expect(grams.map(isHalf)).toEqual([false])
    for (const { name } of graph.outputs.filter(({ name }) => name.startsWith('next:'))) {
      const maker = graph.nodes.find(({ outputs }) => outputs.includes(name))!
      expect(isHalf(maker), name).toBe(false)
    }
  })

  it('rounds each value once, and widens none that is rounded again', () => {
    const casts = graph.nodes.filter(({ op }) => op === 'Cast')
    const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)))
    const keys = casts.map(({ inputs, attributes }) => `${inputs[0]} to ${attributes.to}`)
    expect(new Set(keys).size).toBe(keys.length)
    const pairs = casts.filter(({ inputs }) => makers.get(inputs[0]!)?.op === 'Cast')
    expect(pairs.map(({ inputs }) => typesOf(makers.get(inputs[0]!)!.inputs)[0])).toEqual(pairs.map(() => 'bool'))
    const ofWeights = casts.filter(({ inputs }) => inputs[0]!.startsWith('state:'))
    expect(ofWeights.map(({ inputs }) => inputs[0]!.replace(/@.*/, '')).sort()).toEqual(
      ['state:dense', 'state:down', 'state:same', 'state:up', 'state:bias'].sort(),
    )
  })
})

describe('the memory of mixed precision', () => {
  it('is less, as values are half as large, but for what a CPU makes 32 bits wide while it works on it', () => {
    const [floats, mixed] = [bytesOfGraph(graphOf('float32')), bytesOfGraph(graphOf('mixed'))]
    expect(mixed.values).toBeLessThan(0.75 * floats.values)
    expect(bytesOfGraph(graphOf('mixed'), 2).values).toBeGreaterThan(mixed.values)
    expect(bytesOfGraph(graphOf('float32'), 2)).toEqual(floats)
  })
})

describe('a train step in mixed precision', () => {
  const spec = { state: STATE, inputs: INPUTS }
  const mixed = { precision: 'mixed', guard: 'gradients', threads: 1 } as const

  it('goes the way of float32 for 100 steps, to 2 % of the loss, with float32 weights', async () => {
    await using inMixed = await compile(step, spec, mixed)
    await using inFloats = await compile(step, spec, { threads: 1 })
    const [a, b] = [start(), start()]
    const losses: [number, number][] = []
    for (let i = 0; i < 100; i++) {
      const [one, other] = [await inMixed.run(a, given(i)), await inFloats.run(b, given(i))]
      losses.push([one.loss!.data[0] as number, other.loss!.data[0] as number])
    }
    for (const [one, other] of losses) expect(Math.abs(one / other - 1)).toBeLessThan(0.02)
    expect(losses[0]![0]).not.toBe(losses[0]![1])
    expect(losses.at(-1)![0]).toBeLessThan(0.75 * losses[0]![0])
    for (const name of a.names) expect(a.get(name).data).toBeInstanceOf(Float32Array)
    // Digits that 16-bit floats do not have.
    expect(Array.from(a.get('same').data).some((v) => halfToNumber(numberToHalf(v)) !== v)).toBe(true)
  })

  it('leaves the state as it was where the guard is not finite', async () => {
    await using compiled = await compile(step, spec, mixed)
    const state = start()
    await compiled.run(state, given(0))
    const before = state.snapshot()
    const { gradients } = await compiled.run(state, given(1, 2 ** 60)) // beyond what 16 bits hold
    expect(Number.isFinite(gradients!.data[0])).toBe(false)
    for (const name of state.names) expect(state.get(name).data, name).toEqual(before[name]!.data)
    await compiled.run(state, given(1))
    for (const path of PATHS) expect(state.get(path).data, path).not.toEqual(before[path]!.data)
  })

  it('keeps small gradients that would vanish without a scale', async () => {
    const fn: Traceable = ({ w }, { x, scale }) => {
      const [gradient] = tf.grads(
        (w) => tf.mul(tf.mean(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D)), 1e-8) as tf.Scalar,
      )([w!], scale)
      return { state: { w: tf.sub(w!, tf.div(gradient!, scale!)) }, outputs: { all: tf.sum(tf.abs(gradient!)) } }
    }
    const inputs = { x: [8, 4], scale: [] }
    await using compiled = await compile(fn, { state: { w: [4, 2] }, inputs }, { ...mixed, guard: 'all' })
    const moved = async (scale: number) => {
      const state = new State({ w: { shape: [4, 2], data: new Float32Array(8) } })
      await compiled.run(state, { x: new Float32Array(32).fill(1), scale: [scale] })
      return state.get('w').data
    }
    expect(await moved(1)).toEqual(new Float32Array(8))
    for (const value of await moved(2 ** 15)) expect(value / -(8 * (1e-8 / 16))).toBeCloseTo(1, 2)
  })

  it('keeps 32 bits where a number is too large or too small for 16', async () => {
    const fn: Traceable = ({ a, b }, { x }) => {
      const product = (x: tf.Tensor, w: tf.Tensor) => tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D)
      const first = product(x!, a!)
      return { outputs: { loss: product(tf.sub(tf.mul(first, 100_000), tf.mul(first, 99_996)), b!) } }
    }
    const spec = { state: { a: [4, 4], b: [4, 4] }, inputs: { x: [4, 4] } }
    const state = new State({
      a: { shape: [4, 4], data: values([4, 4], 'unit', 1) },
      b: { shape: [4, 4], data: values([4, 4], 'unit', 2) },
    })
    const given = { x: values([4, 4], 'unit', 3) }
    await using inMixed = await compile(fn, spec, { precision: 'mixed' })
    await using inFloats = await compile(fn, spec)
    const [got, wanted] = [await inMixed.run(state, given), await inFloats.run(state, given)]
    expectClose(got.loss!.data as Float32Array, wanted.loss!.data as Float32Array, 2e-2)
    const graph = graphOf('mixed', fn, spec)
    const types = shapesOf(graph)
    const typesOf = (op: string) => graph.nodes.filter((n) => n.op === op).map((n) => types.get(n.outputs[0]!)!.type)
    expect([typesOf('Gemm'), typesOf('Sub')]).toEqual([['float16', 'float16'], ['float32']])
  })

  it('computes layers that are computed twice so, too', async () => {
    const layers = (x: tf.Tensor, ...weights: tf.Tensor[]) =>
      weights.reduce((y, w) => tf.relu(tf.matMul(y as tf.Tensor2D, w as tf.Tensor2D)), x)
    const twice: Traceable = ({ a, b }, { x }) => {
      const loss = (...weights: tf.Tensor[]) => tf.mean(tf.square(checkpoint(layers, [x!, ...weights]))) as tf.Scalar
      const [da, db] = tf.grads(loss)([a!, b!])
      return { state: { a: tf.sub(a!, da!), b: tf.sub(b!, db!) }, outputs: {} }
    }
    const spec = { state: { a: [8, 8], b: [8, 8] }, inputs: { x: [16, 8] } }
    await using inMixed = await compile(twice, spec, { precision: 'mixed' })
    await using inFloats = await compile(twice, spec)
    const first = () =>
      new State({
        a: { shape: [8, 8], data: values([8, 8], 'unit', 1) },
        b: { shape: [8, 8], data: values([8, 8], 'unit', 2) },
      })
    const [a, b] = [first(), first()]
    const given = { x: values([16, 8], 'unit', 3) }
    await inMixed.run(a, given)
    await inFloats.run(b, given)
    for (const name of a.names) expectClose(a.get(name).data, b.get(name).data, 1e-3)
    const { nodes } = graphOf('mixed', twice, spec)
    const types = shapesOf(graphOf('mixed', twice, spec))
    const products = nodes.filter(({ op }) => op === 'Gemm').map(({ outputs }) => types.get(outputs[0]!)!.type)
    // Forward, forward again but for what the last activation takes, three gradients.
    expect(new Set(products)).toEqual(new Set(['float16']))
    expect(products.length).toBeGreaterThan(5)
  })

  it('is refused for what cannot be computed so', async () => {
    const fn: Traceable = ({ w }, { x }) => ({ outputs: { y: tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D) } })
    const small = { state: { w: [2, 2] }, inputs: { x: [2, 2] } }
    await expect(compile(fn, small, { precision: 'half' as 'mixed' })).rejects.toThrow(
      'Expected one of float32, mixed as `precision`, but got `half`.',
    )
    const freeze = new State({ w: { shape: [2, 2], data: [1, 0, 0, 1] } })
    await expect(compile(fn, small, { precision: 'mixed', freeze })).rejects.toThrow(
      "Expected `precision: 'float32'` with `freeze`, but got `mixed`. It tells weights by their being state, which frozen ones are not: leave one of the two out.",
    )
    await expect(compile(fn, small, { guard: 'loss' })).rejects.toThrow(
      'Expected the name of an output as `guard`, but got `loss`. The function gives `y`.',
    )
  })
})
