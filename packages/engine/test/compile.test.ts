import '@tensorflow/tfjs-backend-cpu'
import { isDflError } from '@dfl/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type CompileSpec, compile, State, type Traceable, tf } from '../src/index.js'
import { values } from './support.js'

const double: Traceable = (_, { x }) => ({ outputs: { y: tf.mul(x!, 2) } })
const spec = { inputs: { x: [2, 2] } } satisfies CompileSpec

/** The message of the DflError of this code that a promise fails with. */
async function messageOf(promise: Promise<unknown>, code: string): Promise<string> {
  const error = await promise.then(
    () => expect.fail('nothing was wrong with it'),
    (reason) => reason,
  )
  expect(isDflError(error, code as never), String(error)).toBe(true)
  return error.message
}

beforeEach(async () => {
  await tf.setBackend('cpu')
})

describe('compile', () => {
  it('gives a function that can be run again and again with other values', async () => {
    await using compiled = await compile(double, spec)
    const first = await compiled.run(undefined, { x: [1, 2, 3, 4] })
    const second = await compiled.run(undefined, { x: Float32Array.of(5, 6, 7, 8) })
    const third = await compiled.run(undefined, { x: { data: Float32Array.of(0, 0, 0, 1), shape: [2, 2] } })
    expect(first.y!.shape).toEqual([2, 2])
    expect([first, second, third].map(({ y }) => Array.from(y!.data as Float32Array))).toEqual([
      [2, 4, 6, 8],
      [10, 12, 14, 16],
      [0, 0, 0, 2],
    ])
  })

  it('takes whole numbers and gives them back', async () => {
    await using compiled = await compile(
      (_, { rows, picks }) => ({
        outputs: { picked: tf.gather(rows!, picks as tf.Tensor1D), next: tf.add(picks!, tf.scalar(1, 'int32')) },
      }),
      { inputs: { rows: [3, 2], picks: { shape: [2], dtype: 'int32' } } },
    )
    const { picked, next } = await compiled.run(undefined, { rows: [1, 2, 3, 4, 5, 6], picks: [2, 0] })
    expect(Array.from(picked!.data as Float32Array)).toEqual([5, 6, 1, 2])
    expect(next!.data).toEqual(Int32Array.of(3, 1))
  })

  it('gives constants, inputs and one tensor under two names as outputs', async () => {
    await using compiled = await compile((_, { x }) => {
      const y = tf.neg(x!)
      return {
        outputs: {
          x: x!,
          y,
          again: y,
          wide: tf.broadcastTo(y, [2, 2, 2]),
          ones: tf.ones([3]),
          two: tf.fill([1, 2], 2),
        },
      }
    }, spec)
    const out = await compiled.run(undefined, { x: [1, 2, 3, 4] })
    expect(
      Object.fromEntries(Object.entries(out).map(([name, { data }]) => [name, Array.from(data as Float32Array)])),
    ).toEqual({
      x: [1, 2, 3, 4],
      y: [-1, -2, -3, -4],
      again: [-1, -2, -3, -4],
      wide: [-1, -2, -3, -4, -1, -2, -3, -4],
      ones: [1, 1, 1],
      two: [2, 2],
    })
  })

  it('takes tensors from outside as constants and leaves them usable', async () => {
    const outside = tf.tensor1d([10, 20])
    await using compiled = await compile((_, { x }) => ({ outputs: { y: tf.add(x!, outside) } }), spec)
    const { y } = await compiled.run(undefined, { x: [1, 2, 3, 4] })
    expect(Array.from(y!.data as Float32Array)).toEqual([11, 22, 13, 24])
    expect(Array.from(tf.add(outside, 1).dataSync())).toEqual([11, 21])
    outside.dispose()
  })

  it('records equal operations once and drops those that no output needs', async () => {
    const nodes = async (fn: Traceable) => {
      await using compiled = await compile(fn, spec)
      return compiled.nodeCount
    }
    const once = await nodes((_, { x }) => ({ outputs: { y: tf.exp(x!) } }))
    const twice = await nodes((_, { x }) => {
      tf.sin(x!)
      return { outputs: { y: tf.maximum(tf.exp(x!), tf.exp(x!)) } }
    })
    expect(twice).toBe(once + 1)
  })

  it('leaves no tensors behind and puts the backend back, whether it succeeds or fails', async () => {
    const before = tf.memory().numTensors
    const train: Traceable = ({ w }, { x }) => {
      const gradient = tf.grad((p: tf.Tensor) => tf.sum(tf.square(tf.mul(p, x!))))(w!)
      return { state: { w: tf.sub(w!, gradient) }, outputs: { y: tf.mul(w!, x!) } }
    }
    await using _ = await compile(train, { state: { w: [2, 2] }, ...spec })
    expect(tf.memory().numTensors).toBe(before)
    await expect(compile((_, { x }) => ({ outputs: { y: tf.fft(tf.complex(x!, x!)) } }), spec)).rejects.toThrow()
    expect(tf.memory().numTensors).toBe(before)
    expect(tf.getBackend()).toBe('cpu')
    expect(tf.tidy(() => tf.add(1, 2).dataSync()[0])).toBe(3)
  })

  it('with frozen state gives the same outputs without the state', async () => {
    const fn: Traceable = ({ w, b }, { x }) => ({
      outputs: { y: tf.sigmoid(tf.add(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D), b!)) },
    })
    const shapes = { w: [2, 3], b: [3] }
    const state = new State(
      Object.fromEntries(
        Object.entries(shapes).map(([name, shape]) => [name, { shape, data: values(shape, 'normal', 1) }]),
      ),
    )
    await using open = await compile(fn, { state: shapes, ...spec })
    await using frozen = await compile(fn, { state: shapes, ...spec }, { freeze: state })
    const input = { x: [1, -2, 0.5, 3] }
    const wanted = await open.run(state, input)
    expect((await frozen.run(undefined, input)).y).toEqual(wanted.y)
    state.set('b', { data: [9, 9, 9], shape: [3] })
    expect((await frozen.run(undefined, input)).y).toEqual(wanted.y)
    expect((await open.run(state, input)).y).not.toEqual(wanted.y)
  })

  it('writes the graph as an ONNX file', async () => {
    const { loadNetwork } = await import('../src/index.js')
    await using compiled = await compile(double, spec)
    await using network = await loadNetwork(compiled.onnx)
    expect([network.inputNames, network.outputNames]).toEqual([['input:x'], ['output:y']])
    const out = await network.run({ 'input:x': { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] } })
    expect(Array.from(out['output:y']!.data as Float32Array)).toEqual([2, 4, 6, 8])
  })
})

describe('compile refuses', () => {
  it('an op that it does not cover, and names the op and the line', async () => {
    const fn: Traceable = (_, { x }) => ({ outputs: { y: tf.unique(x!).values } })
    expect(await messageOf(compile(fn, spec), 'UNSUPPORTED_OP')).toMatch(
      /^Expected an op that the engine covers, but got `Unique` at .*compile\.test\.ts:\d+:\d+\. Write it with other ops; the covered ones stand in the engine's kernel table\.$/,
    )
  })

  it.each([
    ['dataSync', (x: tf.Tensor) => x.dataSync()],
    ['arraySync', (x: tf.Tensor) => x.arraySync()],
    ['data', (x: tf.Tensor) => x.data()],
    ['array', (x: tf.Tensor) => x.array()],
    ['print', (x: tf.Tensor) => x.print()],
  ] as const)('to read the values of a traced tensor by %s, and names the line', async (method, read) => {
    const fn: Traceable = (_, { x }) => {
      read(tf.sum(x!))
      return { outputs: { x: x! } }
    }
    expect(await messageOf(compile(fn, spec), 'UNSUPPORTED_OP')).toMatch(
      new RegExp(
        `^Expected a function that only builds new tensors, but \`${method}\` read the values of a traced one of shape \\[\\] at .*compile\\.test\\.ts:\\d+:\\d+\\. Move the decision into the graph \\(tf\\.where\\) or pass the value as an input\\.$`,
      ),
    )
  })

  it('an op that reads values, and names it', async () => {
    const fn: Traceable = (_, { x }) => ({ outputs: { y: tf.range(0, tf.sum(x!).dataSync()[0]!) } })
    await expect(compile(fn, spec)).rejects.toThrow(/but `dataSync` read/)
  })

  it('random numbers that would be drawn only once', async () => {
    const fn: Traceable = (_, { x }) => ({ outputs: { y: tf.dropout(x!, 0.5) } })
    expect(await messageOf(compile(fn, spec), 'UNSUPPORTED_OP')).toMatch(
      /^Expected random numbers that differ from step to step, but `tf\.dropout` would draw them once, while recording at .*compile\.test\.ts:\d+:\d+\. Use `randomUniform`, `randomNormal` or `dropout` of this package, which take a seed and a step\.$/,
    )
  })

  it('text and complex numbers', async () => {
    const fn: Traceable = () => ({ outputs: { y: tf.tensor(['a']) } })
    expect(await messageOf(compile(fn, spec), 'UNSUPPORTED_OP')).toMatch(/but got a tensor of type string at /)
  })

  it('tensors that were disposed of', async () => {
    const gone = tf.tensor1d([1, 2])
    gone.dispose()
    const fn: Traceable = (_, { x }) => ({ outputs: { y: tf.add(x!, gone) } })
    expect(await messageOf(compile(fn, spec), 'BAD_STATE')).toMatch(
      /^Expected tensors that are still there, but got one that was disposed of at .*compile\.test\.ts:\d+:\d+\. Tensors made inside a compiled function end with it: pass their values as inputs or as state\.$/,
    )
  })

  it('to give the values of a traced tensor that was kept', async () => {
    let kept: tf.Tensor | undefined
    await using _ = await compile((_, { x }) => {
      kept = tf.keep(tf.mul(x!, 2))
      return { outputs: { kept } }
    }, spec)
    expect(() => kept!.dataSync()).toThrow(
      /^Expected a tensor that has values, but `dataSync` got one of shape \[2,2\] that `compile` made while it recorded at .*compile\.test\.ts:\d+:\d+\. Return it under `outputs` and take its values from what `run` gives back\.$/,
    )
    kept!.dispose()
  })

  it('tensors that another compiled function made', async () => {
    let kept: tf.Tensor | undefined
    await using _ = await compile((_, { x }) => {
      kept = tf.keep(tf.mul(x!, 2))
      return { outputs: { kept } }
    }, spec)
    expect(
      await messageOf(
        compile((_, { x }) => ({ outputs: { y: tf.add(kept!, x!) } }), spec),
        'BAD_STATE',
      ),
    ).toMatch(
      /^Expected tensors made inside the compiled function, but got one of shape \[2,2\] that another compiled function made at .*compile\.test\.ts:\d+:\d+\. Pass it as an input or as state\.$/,
    )
    kept!.dispose()
  })

  it('to be called inside a compiled function', async () => {
    let inner: Promise<unknown> | undefined
    await using _ = await compile((state, inputs) => {
      inner = compile(double, spec)
      inner.catch(() => {})
      return double(state, inputs)
    }, spec)
    expect(await messageOf(inner!, 'BAD_STATE')).toBe(
      'Expected `compile` outside of a compiled function, but it was called inside one. Call the inner function directly.',
    )
  })

  it('functions that do not give back tensors', async () => {
    const asynchronous = (async () => ({ outputs: {} })) as unknown as Traceable
    expect(await messageOf(compile(asynchronous, spec), 'BAD_STATE')).toBe(
      'Expected the compiled function to return `{ outputs }`, but got a promise. Return the tensors themselves, without `async`.',
    )
    const number = (() => ({ outputs: { loss: 3 } })) as unknown as Traceable
    expect(await messageOf(compile(number, spec), 'BAD_STATE')).toBe(
      'Expected the compiled function to return a tensor for `loss`, but got number. Return tensors only.',
    )
  })

  it('new state that the spec does not name, or of another shape', async () => {
    const fn: Traceable = (_, { x }) => ({ state: { w: x! }, outputs: {} })
    expect(await messageOf(compile(fn, spec), 'UNKNOWN_NAME')).toBe(
      "Expected only tensors named in the spec's `state`, but got `w`. Add it there with its shape.",
    )
    expect(await messageOf(compile(fn, { state: { w: [4] }, ...spec }), 'BAD_SHAPE')).toBe(
      'Expected [4] for `w`, but got [2,2]. Bring it into that shape.',
    )
  })

  it('frozen state of another shape', async () => {
    const freeze = new State({ w: { data: [1, 2], shape: [2] } })
    const fn: Traceable = ({ w }) => ({ outputs: { w: w! } })
    expect(await messageOf(compile(fn, { state: { w: [3] }, inputs: {} }, { freeze }), 'BAD_SHAPE')).toBe(
      'Expected [3] for `w`, but got [2]. Bring it into that shape.',
    )
  })
})

describe('a compiled function refuses', () => {
  const train: Traceable = ({ w }, { x }) => ({ state: { w: tf.add(w!, x!) }, outputs: { sum: tf.sum(w!) } })
  const trainSpec = { state: { w: [2] }, inputs: { x: [2] } } satisfies CompileSpec

  it('missing and misshapen inputs, and leaves the state as it was', async () => {
    await using compiled = await compile(train, trainSpec)
    const state = new State({ w: { data: [1, 2], shape: [2] } })
    expect(await messageOf(compiled.run(state, {}), 'BAD_SHAPE')).toBe(
      'Expected values of shape [2] for `x`, but got none. Pass them to `run`.',
    )
    expect(await messageOf(compiled.run(state, { x: [1, 2, 3] }), 'BAD_SHAPE')).toBe(
      'Expected 2 values of shape [2] for `x`, but got 3. The function was compiled for that shape; compile it again for another.',
    )
    const tall = { data: Float32Array.of(1, 2), shape: [2, 1] }
    expect(await messageOf(compiled.run(state, { x: tall }), 'BAD_SHAPE')).toBe(
      'Expected [2] for `x`, but got [2,1]. Bring it into that shape.',
    )
    expect(Array.from(state.get('w').data)).toEqual([1, 2])
  })

  it('a missing or misshapen state', async () => {
    await using compiled = await compile(train, trainSpec)
    expect(await messageOf(compiled.run(undefined, { x: [1, 2] }), 'BAD_STATE')).toBe(
      'Expected a state with `w`, but `run` got none. Pass the state it was compiled for.',
    )
    expect(await messageOf(compiled.run(new State(), { x: [1, 2] }), 'UNKNOWN_NAME')).toBe(
      'Expected a tensor of the state for `w`, but there is none. It holds 0 tensors:  …',
    )
    const state = new State({ w: { data: [1, 2, 3], shape: [3] } })
    expect(await messageOf(compiled.run(state, { x: [1, 2] }), 'BAD_SHAPE')).toBe(
      'Expected [2] for `w`, but got [3]. Bring it into that shape.',
    )
  })

  it('to go on after ONNX Runtime failed, and leaves the state as it was', async () => {
    const fn: Traceable = ({ w }, { x, row }) => ({
      state: { w: tf.add(w!, tf.gather(x!, row as tf.Tensor1D)) },
      outputs: {},
    })
    await using compiled = await compile(fn, {
      state: { w: [1] },
      inputs: { x: [3], row: { shape: [1], dtype: 'int32' } },
    })
    const state = new State({ w: { data: [5], shape: [1] } })
    await expect(compiled.run(state, { x: [1, 2, 3], row: [99] })).rejects.toThrow(/out of .*bounds/)
    expect(Array.from(state.get('w').data)).toEqual([5])
    await compiled.run(state, { x: [1, 2, 3], row: [2] })
    expect(Array.from(state.get('w').data)).toEqual([8])
  })
})
