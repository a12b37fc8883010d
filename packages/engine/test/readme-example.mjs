import { compile, State, tf } from '@dfl/engine'

// A net of one hidden layer learns whether points lie inside of a circle.
const shapes = { w1: [2, 16], b1: [16], w2: [16, 1] }
const random = (shape) => ({ shape, data: Array.from(Array(tf.util.sizeFromShape(shape)), () => Math.random() - 0.5) })
const state = new State(Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, random(shape)])))

function learn({ w1, b1, w2 }, { x, y }) {
  const loss = (w1, b1, w2) => tf.losses.sigmoidCrossEntropy(y, x.matMul(w1).add(b1).elu().matMul(w2))
  const { value, grads } = tf.valueAndGrads(loss)([w1, b1, w2])
  const [nw1, nb1, nw2] = [w1, b1, w2].map((weight, i) => weight.sub(grads[i].mul(0.5)))
  return { state: { w1: nw1, b1: nb1, w2: nw2 }, outputs: { loss: value } }
}
const step = await compile(learn, { state: shapes, inputs: { x: [64, 2], y: [64, 1] } }, { threads: 1 })

for (let i = 0; i < 300; i++) {
  const x = Array.from(Array(128), () => Math.random() * 2 - 1)
  const y = Array.from(Array(64), (_, p) => (Math.hypot(x[2 * p], x[2 * p + 1]) < 0.7 ? 1 : 0))
  const { loss } = await step.run(state, { x, y })
  if (i % 60 === 0) console.log('loss', loss.data[0].toFixed(3))
}
