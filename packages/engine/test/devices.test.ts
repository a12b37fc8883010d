import { existsSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Compiled, compile, listDevices, loadNetwork, quickestOf, State, tf } from '../src/index.js'
import { expectClose, values } from './support.js'

/** A driver that draws with the processor, which Debian's package chromium brings along. */
const SOFTWARE = '/usr/lib/chromium/vk_swiftshader_icd.json'
if (existsSync(SOFTWARE)) process.env.VK_DRIVER_FILES ??= SOFTWARE

const double = {
  fn: (_: unknown, { x }: Record<string, tf.Tensor>) => ({ outputs: { y: tf.mul(x!, 2) } }),
  spec: { inputs: { x: [2] } },
}

describe('devices', () => {
  it('are listed with the time that they take, or with what is missing', { timeout: 120_000 }, async () => {
    const reports = await listDevices()
    expect(reports.map(({ device }) => device)).toEqual(['cpu', 'webgpu', 'cuda', 'dml', 'coreml', 'tensorflow'])
    for (const { works, ms, reason } of reports) expect(works ? ms! > 0 : reason!.length > 0).toBe(true)
  })

  it('of which `auto` is the quickest one of ONNX Runtime', () => {
    const reports = [
      { device: 'cpu', works: true, ms: 9 },
      { device: 'webgpu', works: true, ms: 5 },
      { device: 'cuda', works: false, reason: 'no driver' },
      { device: 'tensorflow', works: true, ms: 1 },
    ] as const
    expect(quickestOf(reports)).toBe('webgpu')
    expect(quickestOf([reports[2], reports[3]])).toBe('cpu')
  })

  it('are the CPU where none is named', async () => {
    await using compiled = await compile(double.fn, double.spec, { threads: 1 })
    expect(compiled.device).toBe('cpu')
  })

  it('that are not there say what is missing and what to do', async () => {
    const absent = process.platform === 'darwin' ? 'dml' : 'coreml'
    await expect(compile(double.fn, double.spec, { device: absent })).rejects.toMatchObject({
      code: 'MISSING_DEPENDENCY',
      message: expect.stringMatching(
        new RegExp(
          `^Expected a working \`${absent}\` as \`device\`, but got: ONNX Runtime's package for \\w+-\\w+ is without \`${absent}\`\\. It needs .*Or choose \`cpu\`, or \`auto\``,
        ),
      ),
    })
  })

  it('have names', async () => {
    await expect(compile(double.fn, double.spec, { device: 'gpu' as 'cpu' })).rejects.toThrow(
      'Expected one of cpu, webgpu, cuda, dml, coreml, tensorflow, auto as `device`, but got `gpu`.',
    )
  })
})

/** A small network with a convolution, and a whole step of training it with moments. */
const shapes = { kernel: [3, 3, 3, 4], bias: [4], dense: [64, 2], fixed: [2] }
const paths = ['kernel', 'bias', 'dense'] as const
const spec = {
  state: { ...shapes, ...Object.fromEntries(paths.map((path) => [`v:${path}`, shapes[path]])) },
  inputs: { x: [2, 8, 8, 3], y: [2, 2], rate: [] },
}
const step = (state: Record<string, tf.Tensor>, { x, y, rate }: Record<string, tf.Tensor>) => {
  const loss = (...params: tf.Tensor[]) => {
    const [kernel, bias, dense] = params as [tf.Tensor4D, tf.Tensor, tf.Tensor2D]
    const hidden = tf.leakyRelu(tf.add(tf.conv2d(x as tf.Tensor4D, kernel, 2, 'same'), bias), 0.1)
    const painted = tf.sigmoid(tf.add(tf.matMul(tf.reshape(hidden, [2, 64]), dense), state.fixed!))
    return tf.mean(tf.square(tf.sub(painted, y!))) as tf.Scalar
  }
  const { value, grads } = tf.valueAndGrads(loss)(paths.map((path) => state[path]!))
  const next: Record<string, tf.Tensor> = {}
  paths.forEach((path, i) => {
    const moment = tf.add(tf.mul(state[`v:${path}`]!, 0.9), tf.mul(tf.square(grads[i]!), 0.1))
    next[`v:${path}`] = moment
    next[path] = tf.sub(state[path]!, tf.div(tf.mul(grads[i]!, rate!), tf.add(tf.sqrt(moment), 1e-4)))
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
const inputs = { x: values([2, 8, 8, 3], 'unit', 7), y: [0, 1, 1, 0], rate: [0.01] }

const webgpu = await compile(double.fn, double.spec, { device: 'webgpu' }).catch((error: Error) => error)
const why = webgpu instanceof Error ? `left out: ${webgpu.message}` : 'as found here'
if (!(webgpu instanceof Error)) await webgpu[Symbol.asyncDispose]()

describe.skipIf(webgpu instanceof Error)(`webgpu, ${why}`, { timeout: 300_000 }, () => {
  let onCpu: Compiled
  let onWebgpu: Compiled
  beforeAll(async () => {
    onCpu = await compile(step, spec, { threads: 1 })
    onWebgpu = await compile(step, spec, { device: 'webgpu' })
    return async () => {
      await onCpu[Symbol.asyncDispose]()
      await onWebgpu[Symbol.asyncDispose]()
    }
  }, 300_000)

  it('trains a small network to what the CPU makes of it, its state on the device from step to step', async () => {
    expect(onWebgpu.device).toBe('webgpu')
    const [here, there] = [start(), start()]
    for (let i = 0; i < 4; i++) {
      const wanted = await onCpu.run(here, inputs)
      const got = await onWebgpu.run(there, inputs)
      expectClose(got.loss!.data as Float32Array, wanted.loss!.data as Float32Array, 1e-5)
    }
    expect(there.resident('kernel')?.newer).toBe(true)
    expect(() => there.get('kernel')).toThrow(
      "Expected the values of `kernel` in the state's own memory, but a device holds newer ones. Call `await state.download()` first.",
    )
    await there.download()
    for (const name of here.names) expectClose(there.get(name).data, here.get(name).data)
  })

  it('takes up what was changed here, and other functions take up what it changed', async () => {
    const [here, there] = [start(), start()]
    for (const state of [here, there]) await (state === here ? onCpu : onWebgpu).run(state, inputs)
    await there.download()
    for (const state of [here, there]) state.get('dense').data.fill(0.5)
    for (const state of [here, there]) state.set('fixed', { data: [1, -1], shape: [2] })
    await onWebgpu.run(there, inputs)
    await onCpu.run(there, inputs) // on the CPU, with what the device holds
    for (let i = 0; i < 2; i++) await onCpu.run(here, inputs)
    for (const name of here.names) expectClose(there.get(name).data, here.get(name).data)
  })

  it('gives the state back when the function is disposed of', async () => {
    const [here, there] = [start(), start()]
    {
      await using own = await compile(step, spec, { device: 'webgpu' })
      await own.run(there, inputs)
    }
    await onCpu.run(here, inputs)
    for (const name of here.names) expectClose(there.get(name).data, here.get(name).data)
  })

  it('runs functions whose state is built in, from a state that a device holds', async () => {
    const state = start()
    await onWebgpu.run(state, inputs)
    const forward = (s: Record<string, tf.Tensor>) => ({ outputs: { doubled: tf.mul(s.dense!, 2) } })
    await using frozen = await compile(
      forward,
      { state: { dense: shapes.dense }, inputs: {} },
      { device: 'webgpu', freeze: state },
    )
    const { doubled } = await frozen.run(undefined, {})
    expectClose(
      doubled!.data as Float32Array,
      state.get('dense').data.map((v) => 2 * v),
    )
    expect(state.resident('kernel')?.newer).toBe(true) // Only what is read comes back.
  })

  it('computes the gradient of a depthwise convolution with several kernels for each channel', async () => {
    const inputs = { x: [1, 4, 4, 2], w: [3, 3, 2, 2] }
    const fn = (_: unknown, { x, w }: Record<string, tf.Tensor>) => {
      const loss = (x: tf.Tensor) =>
        tf.sum(tf.square(tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'))) as tf.Scalar
      return { outputs: { gradient: tf.grad(loss)(x!) } }
    }
    const given = { x: values(inputs.x, 'normal', 1), w: values(inputs.w, 'normal', 2) }
    await using here = await compile(fn, { inputs }, { threads: 1 })
    await using there = await compile(fn, { inputs }, { device: 'webgpu' })
    const [wanted, got] = [await here.run(undefined, given), await there.run(undefined, given)]
    expectClose(got.gradient!.data as Float32Array, wanted.gradient!.data as Float32Array)
  })

  it('trains in mixed precision where it has 16-bit floats, and says what is missing where not', async () => {
    const mixed = () => compile(step, spec, { device: 'webgpu', precision: 'mixed' })
    const { halfMs } = (await listDevices()).find(({ device }) => device === 'webgpu')!
    if (halfMs === undefined) {
      await expect(mixed()).rejects.toMatchObject({
        code: 'MISSING_DEPENDENCY',
        message: expect.stringMatching(
          /^Expected 16-bit floats on `webgpu` for `precision: 'mixed'`, but got: .*f16.* Its driver has to offer `shader-f16` of WebGPU\. Take `float32`, or another device\.$/,
        ),
      })
      return
    }
    await using there = await mixed()
    await using here = await compile(step, spec, { threads: 1, precision: 'mixed' })
    const [a, b] = [start(), start()]
    for (let i = 0; i < 4; i++) {
      const [got, wanted] = [await there.run(a, inputs), await here.run(b, inputs)]
      expectClose(got.loss!.data as Float32Array, wanted.loss!.data as Float32Array, 1e-2)
    }
  })

  it('leaves the state as it was where the guard of a function is not finite', async () => {
    await using guarded = await compile(step, spec, { device: 'webgpu', guard: 'loss' })
    const state = start()
    await guarded.run(state, inputs)
    await state.download()
    const before = state.snapshot()
    await guarded.run(state, { ...inputs, y: [Number.POSITIVE_INFINITY, 1, 1, 0] })
    await state.download()
    for (const name of state.names) expect(state.get(name).data, name).toEqual(before[name]!.data)
    await guarded.run(state, inputs)
    await state.download()
    expect(state.get('dense').data).not.toEqual(before.dense!.data)
  })

  it('runs ONNX files', async () => {
    await using compiled = await compile(double.fn, double.spec, { threads: 1 })
    await using network = await loadNetwork(compiled.onnx, { device: 'webgpu' })
    expect(network.device).toBe('webgpu')
    const outputs = await network.run({ 'input:x': { data: Float32Array.of(3, -4), shape: [2] } })
    expect(outputs['output:y']!.data).toEqual(Float32Array.of(6, -8))
  })
})
