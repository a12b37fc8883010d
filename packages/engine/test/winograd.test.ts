import { describe, expect, it } from 'vitest'
import { compile, tf } from '../src/index.js'
import { type Case, compiled, eager, expectSame, given } from './support.js'

interface Shape {
  name: string
  image: [number, number, number, number]
  filter: [number, number, number, number]
  stride?: number
  pad: number | 'same' | 'valid'
}

/** Large enough that tiles are quicker, of sizes that tiles do not divide. */
const SHAPES: Shape[] = [
  { name: '3x3', image: [2, 18, 15, 40], filter: [3, 3, 40, 40], pad: 1 },
  { name: '3x3 with bare edges', image: [2, 20, 18, 40], filter: [3, 3, 40, 40], pad: 'valid' },
  { name: '3x3 with a wide edge', image: [2, 15, 14, 40], filter: [3, 3, 40, 40], pad: 2 },
  { name: '5x5 with stride 2 on a small map', image: [2, 28, 28, 16], filter: [5, 5, 16, 64], stride: 2, pad: 2 },
  { name: '5x5 with stride 2', image: [2, 33, 30, 8], filter: [5, 5, 8, 32], stride: 2, pad: 2 },
  {
    name: "5x5 with stride 2 and padding 'same'",
    image: [2, 34, 31, 8],
    filter: [5, 5, 8, 32],
    stride: 2,
    pad: 'same',
  },
]

const convolution = ({ stride = 1, pad }: Shape, x: tf.Tensor, filter: tf.Tensor) =>
  tf.conv2d(
    x as tf.Tensor4D,
    filter as tf.Tensor4D,
    stride,
    pad,
    'NHWC',
    1,
    typeof pad === 'number' ? 'floor' : undefined,
  )

const inputsOf = ({ image, filter }: Shape) => ({ x: given(image, 1), filter: given(filter, 2) })

describe.each(SHAPES)('A convolution in tiles, $name,', (shape) => {
  const forward: Case = {
    given: { ...inputsOf(shape), bias: given([shape.filter[3]], 3) },
    fn: ({ x, filter, bias }) => tf.add(convolution(shape, x!, filter!), bias!),
  }
  const gradients: Case = {
    given: inputsOf(shape),
    fn: ({ x, filter }) =>
      tf.grads((image, weights) => tf.sum(tf.square(convolution(shape, image!, weights!))))([x!, filter!]),
  }

  it('gives what TensorFlow.js gives', async () => {
    expectSame(await compiled(forward), (await eager(forward)).results)
  })

  it('has the gradients that TensorFlow.js has', async () => {
    expectSame(await compiled(gradients), (await eager(gradients)).results)
  })

  it('is done in tiles', async () => {
    await using graph = await compile((_, inputs) => ({ outputs: { y: [forward.fn(inputs)].flat()[0]! } }), {
      inputs: forward.given,
    })
    expect(Buffer.from(graph.onnx).includes('MatMul')).toBe(true)
  })
})
