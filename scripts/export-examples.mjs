/** Writes a small network and its train step as ONNX files for every operator set: `node scripts/export-examples.mjs FOLDER`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exportOnnx, State, tf } from '../packages/engine/dist/index.js'

const folder = process.argv[2] ?? 'onnx-examples'
mkdirSync(folder, { recursive: true })

const shapes = {
  'conv/weight': [3, 3, 3, 8],
  'deep/weight': [3, 3, 8, 1],
  'up/weight': [2, 2, 4, 8],
  'dense/weight': [4, 5],
}
const spec = { state: shapes, inputs: { image: [2, 8, 6, 3] } }
const size = (shape) => shape.reduce((a, b) => a * b, 1)
const state = new State(
  Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      { shape, data: Array.from({ length: size(shape) }, (_, i) => Math.sin(i)) },
    ]),
  ),
)

const forward = (weights, { image }) => {
  const wide = tf.relu(tf.conv2d(image, weights['conv/weight'], 1, 'same'))
  const deep = tf.maxPool(tf.depthwiseConv2d(wide, weights['deep/weight'], 1, 'same'), 2, 2, 'valid')
  const up = tf.conv2dTranspose(deep, weights['up/weight'], [2, 8, 6, 4], 2, 'same')
  const sized = tf.image.resizeBilinear(up, [5, 5], false, true)
  const chance = tf.softmax(tf.matMul(tf.mean(sized, [1, 2]), weights['dense/weight']))
  return { outputs: { chance, best: tf.argMax(chance, 1) } }
}

const trainStep = (weights, inputs) => {
  const names = Object.keys(shapes)
  const loss = (...params) =>
    tf.mean(tf.log(forward(Object.fromEntries(names.map((name, i) => [name, params[i]])), inputs).outputs.chance))
  const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => weights[name]))
  const next = names.map((name, i) => [name, tf.sub(weights[name], tf.mul(grads[i], 0.1))])
  return { state: Object.fromEntries(next), outputs: { loss: value } }
}

for (let opset = 12; opset <= 28; opset++) {
  writeFileSync(join(folder, `forward-${opset}.onnx`), exportOnnx(forward, spec, { state, opset }))
  writeFileSync(join(folder, `train-step-${opset}.onnx`), exportOnnx(trainStep, spec, { opset }))
}
