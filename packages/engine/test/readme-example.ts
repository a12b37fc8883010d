import { compile, State, tf } from '@dfl/engine'

// The line y = a · x + b, learned from its points.
const state = new State({ a: { data: [0], shape: [] }, b: { data: [0], shape: [] } })

await using step = await compile(
  (state, { x, y }) => {
    const loss = (a: tf.Tensor, b: tf.Tensor) => tf.mean<tf.Scalar>(tf.squaredDifference(tf.add(tf.mul(a, x!), b), y!))
    const { value, grads } = tf.valueAndGrads(loss)([state.a!, state.b!])
    const [a, b] = [state.a!, state.b!].map((param, i) => tf.sub(param, tf.mul(0.2, grads[i]!)))
    return { state: { a: a!, b: b! }, outputs: { loss: value } }
  },
  { state: { a: [], b: [] }, inputs: { x: [32], y: [32] } },
)

for (let i = 0; i < 200; i++) {
  const x = Array.from({ length: 32 }, () => Math.random() * 2 - 1)
  const { loss } = await step.run(state, { x, y: x.map((v) => 3 * v - 1) })
  if (i % 50 === 0) console.log('loss', loss!.data[0])
}
console.log(state.get('a').data[0], state.get('b').data[0]) // 3 and −1, nearly
