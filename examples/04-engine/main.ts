import { Random } from '@dfl/core'
import { compile, State, tf } from '@dfl/engine'

// [1]
const random = new Random(1)
const values = (count: number, scale: number) => Float32Array.from({ length: count }, () => scale * random.normal())
const state = new State({
  w1: { data: values(2 * 32, 1), shape: [2, 32] },
  b1: { data: new Float32Array(32), shape: [32] },
  w2: { data: values(32, 0.2), shape: [32, 1] },
})

// [2]
const step = await compile(
  ({ w1, b1, w2 }, { x, y, rate }) => {
    const loss = (...[w1, b1, w2]: tf.Tensor[]) => {
      const hidden = tf.tanh(tf.add(tf.matMul(x as tf.Tensor2D, w1 as tf.Tensor2D), b1))
      const guess = tf.sigmoid(tf.matMul(hidden as tf.Tensor2D, w2 as tf.Tensor2D))
      return tf.mean(tf.squaredDifference(guess, y)) as tf.Scalar
    }
    const params = [w1, b1, w2]
    const { value, grads } = tf.valueAndGrads(loss)(params)
    const [n1, n2, n3] = params.map((p, i) => tf.sub(p, tf.mul(grads[i]!, rate)))
    return { state: { w1: n1!, b1: n2!, w2: n3! }, outputs: { loss: value } }
  },
  { state: { w1: [2, 32], b1: [32], w2: [32, 1] }, inputs: { x: [64, 2], y: [64, 1], rate: [] } },
)
console.log(`one graph of ${step.nodeCount} nodes, ${step.onnx.length} bytes of ONNX`)

// [3]
for (let i = 0; i <= 2000; i++) {
  const x = Float32Array.from({ length: 128 }, () => random.uniform(-1, 1))
  const y = Float32Array.from({ length: 64 }, (_, k) => (x[2 * k]! * x[2 * k + 1]! > 0 ? 1 : 0))
  const { loss } = await step.run(state, { x, y, rate: [0.5] })
  if (i % 500 === 0) console.log(`step ${i}  loss ${Number(loss!.data[0]).toFixed(3)}`)
}
await step[Symbol.asyncDispose]()

// [1] The state is what lives from step to step. It has names, lies outside the graph and can be saved at any moment.
// [2] The function runs once, on placeholders with shapes and no values. Forward pass, TensorFlow.js's own gradients and
//     the update become one ONNX graph; what the update does element by element becomes a loop of SIMD instructions.
// [3] The net learns which of two numbers' signs agree (XOR), which no single layer can.
