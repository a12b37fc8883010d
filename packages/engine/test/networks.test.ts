import { expect, it } from 'vitest'

it('networks are loaded and run without TensorFlow.js', async () => {
  const { loadNetwork } = await import('../src/networks.js')
  const { OnnxGraph } = await import('../src/onnx/index.js')
  const graph = new OnnxGraph()
  graph.output('y', 'float32', [1], graph.op('Neg', [graph.input('x', 'float32', [1])]))
  await using network = await loadNetwork(graph.build())
  const { y } = await network.run({ x: { data: Float32Array.of(3), shape: [1] } })
  expect(y!.data).toEqual(Float32Array.of(-3))
  // TensorFlow.js says here that it is there.
  expect('_tfengine' in globalThis).toBe(false)
  await import('../src/index.js')
  expect('_tfengine' in globalThis).toBe(true)
})
