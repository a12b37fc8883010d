import { describe, expect, it } from 'vitest'
import { loadNetwork } from '../src/index.js'
import { OnnxGraph } from '../src/onnx/index.js'

describe('a written ONNX graph', () => {
  it('runs in ONNX Runtime under the names it was given', async () => {
    const graph = new OnnxGraph()
    const x = graph.input('pixels', 'float32', [undefined, 2])
    const sum = graph.op('Add', [x, graph.f32([10, 20], [2])])
    const reshaped = graph.op('Reshape', [graph.op('LeakyRelu', [sum], { alpha: { float: 0.5 } }), graph.i64([-1])])
    graph.output('activations', 'float32', [undefined], reshaped)
    await using network = await loadNetwork(graph.build('test'))
    expect([network.inputNames, network.outputNames]).toEqual([['pixels'], ['activations']])
    const { activations } = await network.run({ pixels: { data: Float32Array.of(1, 2, -30, -40), shape: [2, 2] } })
    expect(activations).toEqual({ data: Float32Array.of(11, 22, -10, -10), shape: [4] })
  })

  it('keeps names of any length and any letters, and numbers of any size', async () => {
    const long = 'gesicht '.repeat(40)
    const graph = new OnnxGraph()
    const x = graph.input('größe 臉', 'float32', [1])
    graph.output(long, 'int64', [3], graph.i64([-1, 2 ** 40, 2 ** 31]))
    graph.output('same', 'float32', [1], graph.op('Clip', [x, graph.f32([-1])]))
    const far = graph.op('Slice', [x, graph.i64([-(2 ** 31)]), graph.i64([2 ** 31])])
    graph.output('cast', 'float32', [1], graph.op('Cast', [far], { to: 1 }))
    graph.output('picked', 'float32', [1], graph.op('Gather', [x, graph.i64([0])], { axis: -1 }))
    await using network = await loadNetwork(graph.build())
    const out = await network.run({ 'größe 臉': { data: Float32Array.of(7), shape: [1] } })
    expect(out[long]!.data).toEqual(BigInt64Array.of(-1n, 2n ** 40n, 2n ** 31n))
    expect([out.same, out.cast, out.picked].map((port) => port!.data[0])).toEqual([7, 7, 7])
  })

  it('carries attributes of every kind, and outputs of several', async () => {
    const graph = new OnnxGraph()
    const x = graph.input('x', 'float32', [1, 1, 2, 2])
    const [first, second] = graph.ops('Split', [x], 2, { axis: 3, num_outputs: 2 })
    const wide = graph.op('Resize', [first!, '', graph.f32([1, 1, 1, 2], [4])], { mode: 'nearest' })
    const turned = graph.op('Transpose', [second!], { perm: [0, 1, 3, 2] })
    graph.output('wide', 'float32', [1, 1, 2, 2], wide)
    graph.output('turned', 'float32', [1, 1, 1, 2], turned)
    await using network = await loadNetwork(graph.build())
    const out = await network.run({ x: { data: Float32Array.of(1, 2, 3, 4), shape: [1, 1, 2, 2] } })
    expect(out.wide!.data).toEqual(Float32Array.of(1, 1, 3, 3))
    expect(out.turned!.data).toEqual(Float32Array.of(2, 4))
  })

  it('gives inputs, constants and one value under several names as outputs', async () => {
    const graph = new OnnxGraph()
    const x = graph.input('x', 'float32', [2])
    const y = graph.op('Neg', [x])
    graph.output('same', 'float32', [2], x)
    graph.output('constant', 'float32', [1], graph.f32([7], [1]))
    graph.output('y', 'float32', [2], y)
    graph.output('y_again', 'float32', [2], y)
    graph.output('abs', 'float32', [2], graph.op('Abs', [y])) // after `y` got the name of an output
    await using network = await loadNetwork(graph.build())
    const out = await network.run({ x: { data: Float32Array.of(1, -2), shape: [2] } })
    expect(
      Object.fromEntries(Object.entries(out).map(([name, { data }]) => [name, Array.from(data as Float32Array)])),
    ).toEqual({
      same: [1, -2],
      constant: [7],
      y: [-1, 2],
      y_again: [-1, 2],
      abs: [1, 2],
    })
  })

  it('loses on prune what no output needs, and nothing else', async () => {
    const graph = new OnnxGraph()
    const x = graph.input('x', 'float32', [2])
    const needed = graph.f32([1, 2], [2])
    graph.op('Add', [graph.op('Exp', [x]), graph.f32([5, 6], [2])])
    graph.output('y', 'float32', [2], graph.op('Mul', [x, needed]))
    graph.prune()
    expect(graph.nodes.map(({ op }) => op)).toEqual(['Mul'])
    expect([...graph.constants.keys()]).toEqual([needed])
    await using network = await loadNetwork(graph.build())
    const { y } = await network.run({ x: { data: Float32Array.of(3, 4), shape: [2] } })
    expect(y!.data).toEqual(Float32Array.of(3, 8))
  })
})

describe('a network', () => {
  it('says which input it misses and which it has', async () => {
    const graph = new OnnxGraph()
    graph.output(
      'y',
      'float32',
      [1],
      graph.op('Add', [graph.input('a', 'float32', [1]), graph.input('b', 'float32', [1])]),
    )
    await using network = await loadNetwork(graph.build())
    await expect(network.run({ a: { data: Float32Array.of(1), shape: [1] } })).rejects.toThrow(
      'Expected a tensor for `b`, but got none. Inputs of this network: a, b.',
    )
  })

  it('is refused where the bytes are no ONNX file', async () => {
    await expect(loadNetwork(Uint8Array.of(1, 2, 3))).rejects.toThrow(
      /^Expected an ONNX network, but ONNX Runtime said: .*\. Check where the file comes from\.$/s,
    )
  })
})
