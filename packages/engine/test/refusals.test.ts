import { isDflError } from '@dfl/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type CompileSpec, compile, exportOnnx, State, type Traceable, tf } from '../src/index.js'
import './support.js'

const double: Traceable = (_, { x }) => ({ outputs: { y: tf.mul(x!, 2) } })
const spec = { inputs: { x: [2, 2] } } satisfies CompileSpec

/** The message of the DflError of this code that a promise fails with; a line of this file reads HERE. */
async function messageOf(promise: Promise<unknown>, code: string): Promise<string> {
  const error = await promise.then(
    () => expect.fail('nothing was wrong with it'),
    (reason) => reason,
  )
  expect(isDflError(error, code as never), String(error)).toBe(true)
  return error.message.replace(/ at \S*refusals\.test\.ts:\d+:\d+/, ' at HERE')
}

beforeEach(async () => {
  await tf.setBackend('cpu')
})

describe('compile refuses', () => {
  it('an op that it does not cover, and names the op and the line', async () => {
    const fn: Traceable = (_, { x }) => ({ outputs: { y: tf.unique(x!).values } })
    expect(await messageOf(compile(fn, spec), 'UNSUPPORTED_OP')).toMatch(
      /^Expected an op that the engine covers, but got `Unique` at HERE\. Write it with other ops; the covered ones stand in the engine's kernel table\.$/,
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
        `^Expected a function that only builds new tensors, but \`${method}\` read the values of a traced one of shape \\[\\] at HERE\\. Move the decision into the graph \\(tf\\.where\\) or pass the value as an input\\.$`,
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
      /^Expected random numbers that differ from step to step, but `tf\.dropout` would draw them once, while recording at HERE\. Use `randomUniform`, `randomNormal` or `dropout` of this package, which take a seed and a step\.$/,
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
      /^Expected tensors that are still there, but got one that was disposed of at HERE\. Tensors made inside a compiled function end with it: pass their values as inputs or as state\.$/,
    )
  })

  it('to give the values of a traced tensor that was kept', async () => {
    let kept: tf.Tensor | undefined
    await using _ = await compile((_, { x }) => {
      kept = tf.keep(tf.mul(x!, 2))
      return { outputs: { kept } }
    }, spec)
    expect(() => kept!.dataSync()).toThrow(
      /^Expected a tensor that has values, but `dataSync` got one of shape \[2,2\] that `compile` made while it recorded at .*refusals\.test\.ts:\d+:\d+\. Return it under `outputs` and take its values from what `run` gives back\.$/,
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
      /^Expected tensors made inside the compiled function, but got one of shape \[2,2\] that another compiled function made at HERE\. Pass it as an input or as state\.$/,
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
      'Expected the compiled function to return `{ outputs }`, but got a promise at HERE. Return the tensors themselves, without `async`.',
    )
    const number = (() => ({ outputs: { loss: 3 } })) as unknown as Traceable
    expect(await messageOf(compile(number, spec), 'BAD_STATE')).toBe(
      'Expected the compiled function to return a tensor for `loss`, but got the number 3 at HERE. Return tensors only.',
    )
  })

  it('new state that the spec does not name, or of another shape', async () => {
    const fn: Traceable = (_, { x }) => ({ state: { w: x! }, outputs: {} })
    expect(await messageOf(compile(fn, spec), 'UNKNOWN_NAME')).toBe(
      "Expected only tensors named in the spec's `state`, but got `w` at HERE. Add it there with its shape.",
    )
    expect(await messageOf(compile(fn, { state: { w: [4] }, ...spec }), 'BAD_SHAPE')).toBe(
      'Expected [4] for `w`, but got [2,2] at HERE. Bring it into that shape.',
    )
  })

  it('new state of another type', async () => {
    const fn: Traceable = ({ w }) => ({ state: { w: tf.cast(w!, 'int32') }, outputs: {} })
    expect(await messageOf(compile(fn, { state: { w: [2] }, inputs: {} }), 'BAD_SHAPE')).toBe(
      "Expected float32 as the type of `w` in the state, but got int32 at HERE. Cast it: tf.cast(…, 'float32').",
    )
  })

  it('frozen state of another shape', async () => {
    const freeze = new State({ w: { data: [1, 2], shape: [2] } })
    const fn: Traceable = ({ w }) => ({ outputs: { w: w! } })
    expect(await messageOf(compile(fn, { state: { w: [3] }, inputs: {} }, { freeze }), 'BAD_SHAPE')).toBe(
      'Expected [3] for `w`, but got [2] at HERE. Bring it into that shape.',
    )
  })

  it.each<[string, string, Record<string, number[]>, (t: Record<string, tf.Tensor>) => tf.Tensor]>([
    ['matMul', 'matrices of [2,3] and [2,3] have no product', { x: [2, 3] }, ({ x }) => tf.matMul(x!, x!)],
    ['matMul', 'matrices of [2,3] and [3] have no product', { x: [2, 3], v: [3] }, ({ x, v }) => x!.matMul(v!)],
    [
      'matMul',
      'matrices of [2,3] and [3,2] have no product, with transposeA true and transposeB false',
      { x: [2, 3], w: [3, 2] },
      ({ x, w }) => tf.matMul(x!, w!, true),
    ],
    [
      'add',
      'Operands could not be broadcast together with shapes 2,3 and 2',
      { x: [2, 3], v: [2] },
      ({ x, v }) => tf.add(x!, v!),
    ],
    [
      'conv2d',
      'Error in conv2d: depth of input (3) must match input depth for filter 4',
      { x: [1, 8, 8, 3], w: [3, 3, 4, 2] },
      ({ x, w }) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'),
    ],
    [
      'concat',
      'Error in concat2D: Shape of tensors[1] (3,3) does not match the shape of the rest (2,2) along the non-concatenated axis 1',
      { x: [2, 2], w: [3, 3] },
      ({ x, w }) => tf.concat([x!, w!]),
    ],
    ['stack', 'Shapes 3 and 2 must match', { x: [2], w: [3] }, ({ x, w }) => tf.stack([x!, w!])],
    ['reshape', 'Size(4) must match the product of shape 3,3', { x: [2, 2] }, ({ x }) => tf.reshape(x!, [3, 3])],
    [
      'slice',
      'Error in slice2D: begin[1] + size[1] (3) would overflow input.shape[1] (2)',
      { x: [2, 2] },
      ({ x }) => tf.slice(x!, [0, 1], [2, 2]),
    ],
    [
      'pad',
      'there are paddings for 1 axes, but a tensor of shape [2,2]',
      { x: [2, 2] },
      ({ x }) => tf.pad(x!, [[1, 1]]),
    ],
    ['expandDims', 'there is no axis -4 of a tensor of shape [2,2]', { x: [2, 2] }, ({ x }) => tf.expandDims(x!, -4)],
    [
      'gather',
      'there is no 5 among the 2 along axis 0',
      { x: [2, 2] },
      ({ x }) => tf.gather(x!, tf.tensor1d([1, 5], 'int32')),
    ],
    [
      'einsum',
      'Expected dimension 2 at axis 0 of input shaped [3], but got dimension 3',
      { x: [2, 2], v: [3] },
      ({ x, v }) => tf.einsum('ij,jk->ik', x!, v!),
    ],
  ])('what tf.%s cannot take, and names the line: %s', async (op, said, inputs, fn) => {
    const error = `Expected tensors and arguments that \`tf.${op}\` takes, but got an error at HERE: ${said}. Correct what goes in there; inputs and state have the shapes that were given to \`compile\`.`
    const wrong: Traceable = (_, given) => ({ outputs: { y: fn(given) } })
    expect(await messageOf(compile(wrong, { inputs }), 'BAD_SHAPE')).toBe(error)
    // The same inside of what is differentiated.
    const inGradient: Traceable = (_, given) => ({
      outputs: { y: tf.grad((x: tf.Tensor) => tf.sum(fn({ ...given, x })))(given.x!) },
    })
    expect(await messageOf(compile(inGradient, { inputs }), 'BAD_SHAPE')).toBe(error)
  })

  it('nothing that the function itself throws', async () => {
    const fails = (() => [1].map(() => BigInt(1.5))) as unknown as Traceable
    await expect(compile(fails, spec)).rejects.toThrow(RangeError)
    const misspelt: Traceable = (_, inputs) => ({ outputs: { y: inputs.nothing!.add(1) } })
    await expect(compile(misspelt, spec)).rejects.toThrow(/^Cannot read properties of undefined \(reading 'add'\)$/)
  })

  it('a gradient that TensorFlow.js does not have', async () => {
    const fn: Traceable = (_, { x }) => ({
      outputs: { y: tf.grad(() => tf.sum(tf.ones([2])))(x!) },
    })
    expect(await messageOf(compile(fn, spec), 'BAD_SHAPE')).toMatch(
      /^Expected tensors and arguments that TensorFlow\.js takes, but got an error at HERE: Cannot compute gradient of y=f\(x\) with respect to x\./,
    )
  })

  it("TensorFlow.js's optimisers, which would change variables once, while recording", async () => {
    const weight = tf.variable(tf.scalar(2), true, 'weight')
    const fn: Traceable = (_, { x }) => {
      tf.train.sgd(0.1).minimize(() => tf.sum(tf.mul(x!, weight)) as tf.Scalar)
      return { outputs: { x: x! } }
    }
    expect(await messageOf(compile(fn, spec), 'UNSUPPORTED_OP')).toBe(
      'Expected a function that changes nothing but what it returns, but it gave the variable `weight` a new value at HERE. Keep it in the state: name its shape under `state` of the spec, and return its next value under `state`.',
    )
    weight.assign(tf.scalar(3))
    expect(weight.dataSync()[0]).toBe(3)
    weight.dispose()
  })

  it('specs whose shapes are not whole numbers, or whose types it does not know', async () => {
    const wrong = (inputs: unknown) => messageOf(compile(double, { inputs } as CompileSpec), 'BAD_SHAPE')
    const sizes = 'Sizes are fixed when a function is compiled: write each of them.'
    expect(await wrong({ x: [2, -1] })).toBe(
      `Expected a shape of whole numbers for \`x\`, but got [2,-1] at HERE. ${sizes}`,
    )
    expect(await wrong({ x: [undefined, 2] })).toBe(
      `Expected a shape of whole numbers for \`x\`, but got [undefined,2] at HERE. ${sizes}`,
    )
    expect(await wrong({ x: 2 })).toBe(
      `Expected a shape of whole numbers for \`x\`, but got the number 2 at HERE. ${sizes}`,
    )
    expect(await wrong({ x: { shape: [2], dtype: 'bool' } })).toBe(
      'Expected float32 or int32 as the type of `x`, but got bool at HERE. Pass numbers, and compare them inside of the function for booleans.',
    )
    expect(await wrong(undefined)).toBe(
      'Expected `{ inputs }` with a shape for each input as the spec, but got object at HERE. Write `{ inputs: {} }` for none.',
    )
  })

  it('a number of threads that is none', async () => {
    expect(await messageOf(compile(double, spec, { threads: -1 }), 'BAD_OPTION')).toBe(
      'Expected a whole number of at least 0 as `threads`, but got -1. 0 takes all cores.',
    )
  })

  it('an export in the same words', () => {
    const fn: Traceable = (_, { x }) => ({ outputs: { y: tf.matMul(x!, tf.ones([3, 2])) } })
    expect(() => exportOnnx(fn, spec)).toThrow(
      /^Expected tensors and arguments that `tf\.matMul` takes, but got an error at .*refusals/,
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
      'Expected 2 numbers of shape [2] for `x`, but got none at HERE. Pass them to `run` as one flat array, row by row.',
    )
    expect(await messageOf(compiled.run(state, { x: [1, 2, 3] }), 'BAD_SHAPE')).toBe(
      'Expected 2 values of shape [2] for `x`, but `run` got 3 at HERE. The function was compiled for that shape; compile it again for another.',
    )
    const tall = { data: Float32Array.of(1, 2), shape: [2, 1] }
    expect(await messageOf(compiled.run(state, { x: tall }), 'BAD_SHAPE')).toBe(
      'Expected [2] for `x`, but got [2,1] at HERE. Bring it into that shape.',
    )
    expect(Array.from(state.get('w').data)).toEqual([1, 2])
  })

  it('a missing or misshapen state', async () => {
    await using compiled = await compile(train, trainSpec)
    expect(await messageOf(compiled.run(undefined, { x: [1, 2] }), 'BAD_STATE')).toBe(
      'Expected a state with `w`, but `run` got none at HERE. Pass the state it was compiled for.',
    )
    expect(await messageOf(compiled.run(new State(), { x: [1, 2] }), 'UNKNOWN_NAME')).toBe(
      'Expected a tensor of the state for `w`, but there is none. It holds 0 tensors:  …',
    )
    const state = new State({ w: { data: [1, 2, 3], shape: [3] } })
    expect(await messageOf(compiled.run(state, { x: [1, 2] }), 'BAD_SHAPE')).toBe(
      'Expected [2] for `w`, but got [3] at HERE. Bring it into that shape.',
    )
  })

  it('what is no flat list of numbers', async () => {
    await using compiled = await compile(double, spec)
    const got = (x: unknown) => messageOf(compiled.run(undefined, { x } as never), 'BAD_SHAPE')
    const text = (what: string) =>
      `Expected 4 numbers of shape [2,2] for \`x\`, but got ${what} at HERE. Pass them to \`run\` as one flat array, row by row.`
    expect(
      await got([
        [1, 2],
        [3, 4],
      ]),
    ).toBe(text('a list of arrays'))
    expect(await got(['1', '2', '3', '4'])).toBe(text('a list of strings'))
    expect(await got(3)).toBe(text('the number 3'))
    expect(await got(tf.ones([2, 2]))).toBe(text('a tensor of TensorFlow.js, which has no values here'))
    expect(await messageOf(compiled.run(undefined, undefined as never), 'BAD_SHAPE')).toBe(text('none'))
  })

  it('to run once it is disposed of, which may happen twice', async () => {
    const compiled = await compile(double, spec)
    await compiled[Symbol.asyncDispose]()
    await compiled[Symbol.asyncDispose]()
    expect(await messageOf(compiled.run(undefined, { x: [1, 2, 3, 4] }), 'BAD_STATE')).toBe(
      'Expected a compiled function, but `run` got one that was disposed of at HERE. Keep it as long as it runs.',
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
    expect(await messageOf(compiled.run(state, { x: [1, 2, 3], row: [99] }), 'BAD_STATE')).toMatch(
      /^Expected values that the function can work with, but ONNX Runtime said at HERE: .*out of .*bounds.*\. The state is as it was; look for indices beyond their tensor\.$/,
    )
    expect(Array.from(state.get('w').data)).toEqual([5])
    await compiled.run(state, { x: [1, 2, 3], row: [2] })
    expect(Array.from(state.get('w').data)).toEqual([8])
  })
})
