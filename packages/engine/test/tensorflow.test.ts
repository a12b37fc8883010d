import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { compileFor } from '../src/compile.js'
import { missingTensorFlow, tensorflowBackend } from '../src/devices/tensorflow.js'
import { checkpoint, compile, dropout, loadNetwork, networkOf, State, type Traceable, tf } from '../src/index.js'
import { expectClose, kernelByKernel, values } from './support.js'

// TensorFlow's place is taken by TensorFlow.js's own CPU backend, which has the same kernels and no library to be installed.
beforeEach(async () => {
  await tf.setBackend('cpu')
})

const PARAMS: Record<string, number[]> = { kernel: [5, 5, 3, 4], bias: [4], dense: [64, 2] }
const PATHS = Object.keys(PARAMS)
const spec = {
  state: { ...PARAMS, ...Object.fromEntries(PATHS.map((path) => [`v:${path}`, PARAMS[path]!])), fixed: [2] },
  inputs: { x: [2, 8, 8, 3], y: [2, 2], step: [] },
}

/** A convolution with padding by numbers, dropout, a dense layer; their gradients, a moment for each, descent. */
const train: Traceable = (state, { x, y, step }) => {
  const loss = (...params: tf.Tensor[]) => {
    const [kernel, bias, dense] = params as [tf.Tensor4D, tf.Tensor, tf.Tensor2D]
    const hidden = tf.leakyRelu(tf.add(tf.conv2d(x as tf.Tensor4D, kernel, 2, 2), bias), 0.1)
    const kept = dropout(tf.reshape(hidden, [2, 64]), 0.3, { seed: 5, step: step! })
    return tf.mean(tf.square(tf.sub(tf.sigmoid(tf.add(tf.matMul(kept, dense), state.fixed!)), y!))) as tf.Scalar
  }
  const { value, grads } = tf.valueAndGrads(loss)(PATHS.map((path) => state[path]!))
  const next: Record<string, tf.Tensor> = {}
  PATHS.forEach((path, i) => {
    const moment = tf.add(tf.mul(state[`v:${path}`]!, 0.9), tf.mul(tf.square(grads[i]!), 0.1))
    next[`v:${path}`] = moment
    next[path] = tf.sub(state[path]!, tf.div(tf.mul(grads[i]!, 0.01), tf.add(tf.sqrt(moment), 1e-3)))
  })
  return { state: next, outputs: { loss: value } }
}
const start = () =>
  new State(
    Object.fromEntries(
      Object.entries(spec.state).map(([name, shape], i) => [
        name,
        { shape, data: values(shape, 'normal', i).map((v) => (name.startsWith('v:') ? 0 : v / 4)) },
      ]),
    ),
  )
const batch = (step: number) => ({ x: values([2, 8, 8, 3], 'unit', 7 + step), y: [0, 1, 1, 0], step: [step] })

describe('a train step, kernel by kernel', () => {
  it('gives what the CPU gives, step after step, with dropout, its state in the backend from step to step', async () => {
    await using onCpu = await compile(train, spec, { threads: 1 })
    await using onBackend = await kernelByKernel(train, spec)
    expect(onBackend.device).toBe('tensorflow')
    const [here, there] = [start(), start()]
    const losses: number[] = []
    for (let i = 0; i < 6; i++) {
      const [wanted, got] = [await onCpu.run(here, batch(i)), await onBackend.run(there, batch(i))]
      losses.push(got.loss!.data[0] as number)
      expectClose(got.loss!.data as Float32Array, wanted.loss!.data as Float32Array, 1e-5)
    }
    expect(new Set(losses).size).toBe(6)
    expect(there.resident('kernel')?.newer).toBe(true)
    expect(there.resident('fixed')?.newer).toBe(false)
    expect(() => there.get('kernel')).toThrow('but a device holds newer ones. Call `await state.download()` first.')
    await there.download()
    for (const name of here.names) expectClose(there.get(name).data, here.get(name).data)
  })

  it('leaves no tensors behind: none from step to step, none after it is disposed of', async () => {
    const before = tf.memory().numTensors
    const state = start()
    {
      await using step = await kernelByKernel(train, spec)
      await step.run(state, batch(0))
      const { numTensors, numBytes } = tf.memory()
      for (let i = 1; i < 5; i++) {
        await step.run(state, batch(i))
        expect(tf.memory()).toMatchObject({ numTensors, numBytes })
      }
      expect(numTensors).toBeGreaterThan(before)
    }
    expect(tf.memory().numTensors).toBe(before)
    expect(state.get('kernel').data.every(Number.isFinite)).toBe(true)
    expect(tf.getBackend()).toBe('cpu')
  })

  it('leaves the state as it was where the guard is not finite, and no tensors behind', async () => {
    await using step = await kernelByKernel(train, spec, { guard: 'loss' })
    const state = start()
    await step.run(state, batch(0))
    await state.download()
    const before = state.snapshot()
    const wrong = { ...batch(1), y: [0, Number.POSITIVE_INFINITY, 1, 0] }
    const { loss } = await step.run(state, wrong)
    expect(loss!.data[0]).toBe(Number.POSITIVE_INFINITY)
    const { numTensors } = tf.memory()
    await step.run(state, wrong)
    expect(tf.memory().numTensors).toBe(numTensors)
    await state.download()
    expect(state.snapshot()).toEqual(before)
    await step.run(state, batch(1))
    await state.download()
    expect(state.snapshot()).not.toEqual(before)
  })

  it('takes up what was changed here, and functions elsewhere take up what it changed', async () => {
    await using onCpu = await compile(train, spec, { threads: 1 })
    await using onBackend = await kernelByKernel(train, spec)
    const [here, there] = [start(), start()]
    await onCpu.run(here, batch(0))
    await onBackend.run(there, batch(0))
    await there.download()
    for (const state of [here, there]) state.get('dense').data.fill(0.5)
    for (const state of [here, there]) state.set('fixed', { data: [1, -1], shape: [2] })
    await onBackend.run(there, batch(1))
    await onCpu.run(there, batch(2)) // with what the backend holds
    for (let i = 1; i < 3; i++) await onCpu.run(here, batch(i))
    for (const name of here.names) expectClose(there.get(name).data, here.get(name).data)
  })

  it('reads every tensor before it replaces any, and keeps nothing of the arrays that it was given', async () => {
    const swap: Traceable = ({ a, b, c }, { x }) => ({
      state: { a: b!, b: tf.add(a!, c!), c: x!, zeros: tf.zeros([2]) },
      outputs: { old: a!, x: x! },
    })
    const shapes = { a: [2], b: [2], c: [2], zeros: [2] }
    await using step = await kernelByKernel(swap, { state: shapes, inputs: { x: [2] } })
    const state = new State(
      Object.fromEntries(Object.keys(shapes).map((name, i) => [name, { shape: [2], data: [i, 10 * i] }])),
    )
    const given = Float32Array.of(7, 8)
    const out = await step.run(state, { x: given })
    given.fill(0)
    ;(out.x!.data as Float32Array).fill(0)
    expect(Array.from(out.old!.data as Float32Array)).toEqual([0, 0])
    await state.download()
    const now = Object.keys(shapes).map((name) => Array.from(state.get(name).data))
    expect(now).toEqual([
      [1, 10],
      [2, 20],
      [7, 8],
      [0, 0],
    ])
  })

  it('that fails leaves the state as it was, says so in the words of other devices, and can go on', async () => {
    const fn: Traceable = ({ w }, { x, row }) => ({
      state: { w: tf.add(w!, tf.gather(x!, row as tf.Tensor1D)) },
      outputs: {},
    })
    const inputs = { x: [3], row: { shape: [1], dtype: 'int32' as const } }
    await using step = await kernelByKernel(fn, { state: { w: [1] }, inputs })
    const state = new State({ w: { data: [5], shape: [1] } })
    await step.run(state, { x: [1, 2, 3], row: [0] })
    const { numTensors } = tf.memory()
    const said = await step.run(state, { x: [1, 2, 3], row: [99] }).then(String, String)
    expect(said).toMatch(
      /Expected values that the function can work with, but TensorFlow said at .*tensorflow\.test\.ts:\d+:\d+: .*99.*\. The state is as it was; look for indices beyond their tensor\.$/,
    )
    expect(tf.memory().numTensors).toBe(numTensors)
    await step.run(state, { x: [1, 2, 3], row: [2] })
    await state.download()
    expect(Array.from(state.get('w').data)).toEqual([9])
  })

  it('calls equal kernels once, and those that no result needs not at all', async () => {
    const fn: Traceable = (_, { x }) => {
      tf.sin(x!)
      const at = [1, 0]
      const turned = tf.transpose(tf.exp(x!), at)
      at.reverse() // What it was given for one call is not what the next one gets.
      return { outputs: { y: tf.maximum(tf.transpose(tf.exp(x!), at), turned), low: tf.maximum(turned, -Infinity) } }
    }
    await using step = await kernelByKernel(fn, { inputs: { x: [2, 2] } })
    const runKernel = vi.spyOn(tf.engine(), 'runKernel')
    const { y, low } = await step.run(undefined, { x: [0, Math.log(2), Math.log(3), 0] })
    const kernels = runKernel.mock.calls.map(([name]) => name).sort()
    runKernel.mockRestore()
    expect(kernels).toEqual(['Exp', 'Maximum', 'Maximum', 'Transpose', 'Transpose'])
    expectClose(y!.data as Float32Array, [1, 3, 3, 1])
    expectClose(low!.data as Float32Array, [1, 3, 2, 1])
  })
})

describe('a function, kernel by kernel', () => {
  it('takes and gives whole numbers, booleans, constants and tensors from outside', async () => {
    const outside = tf.tensor1d([10, 20])
    const fn: Traceable = (_, { rows, picks }) => ({
      outputs: {
        picked: tf.add(tf.gather(rows!, picks as tf.Tensor1D), outside),
        next: tf.add(picks!, tf.scalar(1, 'int32')),
        first: tf.equal(picks!, 0),
        ones: tf.ones([3]),
      },
    })
    await using step = await kernelByKernel(fn, { inputs: { rows: [3, 2], picks: { shape: [2], dtype: 'int32' } } })
    outside.dispose()
    const network = networkOf(step)
    expect(network.device).toBe('tensorflow')
    const out = await network.run({
      rows: { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [3, 2] },
      picks: { data: Int32Array.of(2, 0), shape: [2] },
    })
    expect(out.picked!.data).toEqual(Float32Array.of(15, 26, 11, 22))
    expect(out.next!.data).toEqual(Int32Array.of(3, 1))
    expect(out.first!.data).toEqual(Uint8Array.of(0, 1))
    expect(out.ones).toEqual({ data: Float32Array.of(1, 1, 1), shape: [3] })
  })

  it('runs with a state that is built in, from values that the backend holds', async () => {
    const state = new State({ w: { data: [1, 2], shape: [2] } })
    const spec = { state: { w: [2] }, inputs: {} }
    await using step = await kernelByKernel(({ w }) => ({ state: { w: tf.mul(w!, 3) }, outputs: {} }), spec)
    await step.run(state, {})
    await using frozen = await kernelByKernel(({ w }) => ({ outputs: { y: tf.add(w!, 1) } }), spec, { freeze: state })
    state.get('w').data.fill(0)
    expect((await frozen.run(undefined, {})).y!.data).toEqual(Float32Array.of(4, 7))
  })

  it('is an ONNX file, too', async () => {
    await using step = await kernelByKernel((_, { x }) => ({ outputs: { y: tf.exp(x!) } }), { inputs: { x: [2] } })
    await using network = await loadNetwork(step.onnx)
    const { 'output:y': y } = await network.run({ 'input:x': { data: Float32Array.of(0, 1), shape: [2] } })
    expectClose(y!.data as Float32Array, [1, Math.E])
  })

  it('knows what it will take: a value from the call that makes it to the last one that reads it', async () => {
    const layer = (x: tf.Tensor, w: tf.Tensor) => tf.tanh(tf.mul(tf.tanh(tf.mul(tf.tanh(x), w)), w))
    const step =
      (around: typeof layer): Traceable =>
      ({ w }, { x }) => {
        const gradient = tf.grad((w: tf.Tensor) => tf.sum(around(around(around(x!, w), w), w)))(w!)
        return { state: { w: gradient }, outputs: {} }
      }
    const shapes = { state: { w: [1000] }, inputs: { x: [1000] } }
    const activations = async (y: (x: tf.Tensor) => tf.Tensor) => {
      await using one = await kernelByKernel((_, { x }) => ({ outputs: { y: y(x!) } }), { inputs: shapes.inputs })
      return one.memory.activations
    }
    const single = await activations((x) => tf.exp(x))
    expect(single).toBeGreaterThanOrEqual(4000)
    expect(await activations((x) => tf.exp(tf.sin(tf.exp(x))))).toBe(2 * single) // what a call reads and what it gives
    expect(await activations((x) => tf.reshape(tf.exp(x), [10, 100]))).toBe(single) // the same memory
    await using kept = await kernelByKernel(step(layer), shapes)
    await using again = await kernelByKernel(
      step((x, w) => checkpoint((a, b) => layer(a!, b!), [x, w])),
      shapes,
    )
    expect(kept.memory.next).toBe(4000)
    expect(kept.memory.state).toBeGreaterThanOrEqual(4000)
    expect(again.memory.activations).toBeLessThan(kept.memory.activations)
    const run = async (one: typeof kept) => {
      const state = new State({ w: { data: values([1000], 'unit', 1), shape: [1000] } })
      await one.run(state, { x: values([1000], 'unit', 2) })
      await state.download()
      return state.get('w').data
    }
    expectClose(await run(again), await run(kept))
  })

  it('that needs a kernel which is not there fails when it is compiled', async () => {
    const fn: Traceable = (_, { x }) => ({ outputs: { y: tf.erf(tf.sin(x!)) } })
    const bare = { device: 'tensorflow', backend: 'bare' } as const
    tf.registerKernel({ ...tf.getKernel('Sin', 'cpu'), backendName: 'bare' })
    await expect(compileFor(fn, { inputs: { x: [2] } }, bare)).rejects.toMatchObject({
      code: 'UNSUPPORTED_OP',
      message:
        "Expected ops that TensorFlow's package for Node has kernels for, but got `Erf`. Write it with other ops, or choose another device.",
    })
    tf.unregisterKernel('Sin', 'bare')
  })

  it('is recorded as on every device: it cannot read values, and no profile is written', async () => {
    const reads: Traceable = (_, { x }) => ({ outputs: { y: tf.mul(x!, tf.sum(x!).dataSync()[0]!) } })
    await expect(kernelByKernel(reads, { inputs: { x: [2] } })).rejects.toThrow(
      'Expected a function that only builds new tensors, but `dataSync` read the values of a traced one of shape []',
    )
    const fn: Traceable = (_, { x }) => ({ outputs: { y: x! } })
    await expect(kernelByKernel(fn, { inputs: { x: [2] } }, { profile: 'steps' })).rejects.toThrow(
      'Expected a device of ONNX Runtime for `profile`, but got `tensorflow`. Leave the profile out, or choose another device.',
    )
  })
})

describe("TensorFlow's package", () => {
  /** A place from where a package of this version is found, which runs this when it is loaded. */
  function installed(name: string, version: string, code: string): NodeJS.Require {
    const folder = mkdtempSync(join(tmpdir(), 'dfl-tensorflow-'))
    folders.push(folder)
    const home = join(folder, 'node_modules', name)
    mkdirSync(home, { recursive: true })
    writeFileSync(join(home, 'package.json'), JSON.stringify({ name, version, main: 'index.js' }))
    writeFileSync(join(home, 'index.js'), code)
    return createRequire(join(folder, 'index.js'))
  }
  const folders: string[] = []
  const nowhere = () => {
    folders.push(mkdtempSync(join(tmpdir(), 'dfl-tensorflow-')))
    return createRequire(join(folders.at(-1)!, 'index.js'))
  }
  beforeEach(() => () => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })

  /** The same in a Node that has these functions of node:util. */
  const inNode = (has: object, require: NodeJS.Require): NodeJS.Require =>
    Object.assign((name: string) => (name === 'node:util' ? has : require(name)), require)
  const older = { isNullOrUndefined: () => false }

  it('may be missing, of another version, or older than Node', () => {
    expect(missingTensorFlow(nowhere())).toBe(
      'neither @tensorflow/tfjs-node-gpu nor @tensorflow/tfjs-node is installed',
    )
    expect(missingTensorFlow(installed('@tensorflow/tfjs-node', '3.21.1', ''))).toBe(
      '@tensorflow/tfjs-node is 3.21.1, but this package goes with 4.22',
    )
    const right = installed('@tensorflow/tfjs-node-gpu', '4.22.3', '')
    expect(missingTensorFlow(inNode(older, right))).toBeUndefined()
    expect(missingTensorFlow(inNode({}, right))).toBe(
      `@tensorflow/tfjs-node-gpu 4.22.3 calls \`util.isNullOrUndefined\`, which Node ${process.versions.node} no longer has`,
    )
  })

  it('may fail to load, after which all is as before', () => {
    const broken = installed('@tensorflow/tfjs-node', '4.22.0', "throw new Error('The addon can not be found.')")
    expect(() => tensorflowBackend(broken)).toThrow('The addon can not be found.')
    expect(tf.getBackend()).toBe('cpu')
    expect(tf.env().getBool('PROD')).toBe(false)
  })

  it.skipIf(!missingTensorFlow())('is asked for where it is missing', async () => {
    const fn: Traceable = (_, { x }) => ({ outputs: { y: x! } })
    await expect(compile(fn, { inputs: { x: [1] } }, { device: 'tensorflow' })).rejects.toMatchObject({
      code: 'MISSING_DEPENDENCY',
      message: expect.stringMatching(
        /^Expected a working `tensorflow` as `device`, but got: .*tfjs-node.*\. It needs Node 20 or 22 and `npm i @tensorflow\/tfjs-node@4\.22`, .* Or choose `cpu`, or `auto` for the quickest device that works\.$/,
      ),
    })
  })

  it('runs no ONNX files', async () => {
    await expect(loadNetwork(new Uint8Array(), { device: 'tensorflow' })).rejects.toThrow(
      'Expected a device of ONNX Runtime for an ONNX network, but got `tensorflow` as `device`. It runs functions that `compile` records; choose another for this.',
    )
  })
})
