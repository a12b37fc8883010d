import '@tensorflow/tfjs-backend-cpu'
import { Random } from '@dfl/core'
import fc from 'fast-check'
import { expect, vi } from 'vitest'
import { compileFor } from '../src/compile.js'
import {
  type Compiled,
  type CompileOptions,
  type CompileSpec,
  compile,
  type Device,
  type Traceable,
  tf,
} from '../src/index.js'
import { onnxRuntime } from '../src/ort.js'

tf.env().set('IS_NODE', false) // No advertisement for another backend.

type Tensors = Record<string, tf.Tensor>

/** A tensor outside of any graph. */
export interface Given {
  shape: number[]
  dtype: 'float32' | 'int32'
  data: number[]
}

/** Random cases are the same in every run; `DFL_TEST_SEED=<number>` asks for others. */
export const SEED = Number(process.env.DFL_TEST_SEED ?? 20260101)

/** How values are drawn: around zero, above zero, within ±0.9, whole numbers with many equal ones. */
export type Range = 'normal' | 'positive' | 'unit' | 'whole'

/** One random case: the tensors that go in, and what is done with them. */
export interface Case {
  given: Record<string, Given>
  fn: (tensors: Tensors) => tf.Tensor | tf.Tensor[]
}

/** Draws the parts of one case. Every tensor is a function that gives it to the op, eager or traced. */
export interface Draw {
  integer(min: number, max: number): number
  pick<T>(...choices: T[]): T
  shape(minRank: number, maxRank: number): number[]
  tensor(shape: readonly number[], range?: Range, dtype?: Given['dtype']): () => tf.Tensor
  /** A tensor that comes in as it is, never broadcast or constant. */
  input(shape: readonly number[], range?: Range, dtype?: Given['dtype']): () => tf.Tensor
}

/** Random cases as fast-check sees them; `write` draws what it needs and gives back the op. */
export function cases(write: (draw: Draw) => () => tf.Tensor | tf.Tensor[]): fc.Arbitrary<Case> {
  return fc.gen().map((g) => {
    const given: Case['given'] = {}
    let now: Tensors = {}
    const integer = (min: number, max: number) => g(fc.integer, { min, max })
    const pick = <T>(...choices: T[]) => choices[integer(0, choices.length - 1)]!
    const input: Draw['input'] = (shape, range = 'normal', dtype = 'float32') => {
      const name = `t${Object.keys(given).length}`
      given[name] = {
        shape: [...shape],
        dtype,
        data: values(shape, dtype === 'int32' ? 'whole' : range, integer(1, 1e6)),
      }
      return () => now[name]!
    }
    const draw: Draw = {
      integer,
      pick,
      shape: (minRank, maxRank) => Array.from({ length: integer(minRank, maxRank) }, () => integer(1, 5)),
      input,
      // Values known while tracing and values smaller than their shape take other paths through the engine.
      tensor(shape, range = 'normal', dtype = 'float32') {
        const form = pick('input', 'input', 'input', 'broadcast', 'filled', 'constant')
        if (form === 'input') return input(shape, range, dtype)
        if (form === 'filled') {
          const value = range === 'unit' ? 0.5 : pick(1, 2, range === 'positive' ? 3 : 0)
          return () => tf.fill(shape as number[], value, dtype)
        }
        if (form === 'constant') {
          const data = values(shape, dtype === 'int32' ? 'whole' : range, integer(1, 1e6))
          return () => tf.tensor(data, shape as number[], dtype)
        }
        const small = input(shape.map((n) => pick(1, n)).slice(integer(0, shape.length)), range, dtype)
        return () => tf.broadcastTo(small(), shape as number[])
      },
    }
    const op = write(draw)
    return {
      given,
      fn: (tensors) => {
        now = tensors
        return op()
      },
    }
  })
}

/** Random numbers of one kind, the same for the same seed. */
export function values(shape: readonly number[], range: Range, seed: number): number[] {
  const random = new Random(seed)
  const next = {
    normal: () => random.normal(),
    positive: () => random.uniform(0.1, 3),
    unit: () => random.uniform(-0.9, 0.9),
    whole: () => random.integer(7) - 3,
  }[range]
  return Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.fround(next()))
}

/** A float32 tensor with random normal values. */
export const given = (shape: number[], seed = 1, range: Range = 'normal'): Given => ({
  shape,
  dtype: 'float32',
  data: values(shape, range, seed),
})

/** What a tensor holds, in words that compare well. */
export interface Result {
  shape: number[]
  dtype: string
  data: number[]
}

/** The case on TensorFlow.js's own CPU backend, and the kernels that ran there. */
export async function eager({ given, fn }: Case): Promise<{ results: Result[]; kernels: string[] }> {
  await tf.setBackend('cpu')
  const runKernel = vi.spyOn(tf.engine(), 'runKernel')
  try {
    const results = tf.tidy(() => {
      const tensors = Object.entries(given).map(([name, t]) => [name, tf.tensor(t.data, t.shape, t.dtype)] as const)
      return [fn(Object.fromEntries(tensors))]
        .flat()
        .map((t) => ({ shape: t.shape, dtype: t.dtype, data: Array.from(t.dataSync()) }))
    })
    return { results, kernels: runKernel.mock.calls.map(([name]) => name) }
  } finally {
    runKernel.mockRestore()
  }
}

/** Where the cases run; `node scripts/kernel-devices.mjs` asks for others. */
export const DEVICE = (process.env.DFL_TEST_DEVICE ?? 'cpu') as Device

/** The case as a compiled function. */
export async function compiled(one: Case): Promise<Result[]> {
  await using graph = await compile(traceable(one), { inputs: one.given }, { threads: 1, device: DEVICE })
  if (DEVICE !== 'cpu' && DEVICE !== 'tensorflow') await noteFallback(graph)
  return await resultsOf(graph, one)
}

/** The case kernel by kernel, as TensorFlow would run it, on TensorFlow.js's own CPU backend. */
export async function replayed(one: Case): Promise<Result[]> {
  await using program = await kernelByKernel(traceable(one), { inputs: one.given })
  return await resultsOf(program, one)
}

/** A function compiled for `tensorflow`, with TensorFlow.js's own CPU backend in the place of TensorFlow's. */
export const kernelByKernel = (fn: Traceable, spec: CompileSpec, options: CompileOptions = {}): Promise<Compiled> =>
  compileFor(fn, spec, { ...options, device: 'tensorflow', backend: 'cpu' })

const traceable =
  ({ fn }: Case): Traceable =>
  (_, inputs) => ({ outputs: Object.fromEntries([fn(inputs)].flat().map((t, i) => [`o${i}`, t])) })

async function resultsOf(graph: Compiled, { given }: Case): Promise<Result[]> {
  const out = await graph.run(
    undefined,
    Object.fromEntries(Object.entries(given).map(([name, { data }]) => [name, data])),
  )
  return Object.keys(out)
    .sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)))
    .map((name) => ({
      shape: [...out[name]!.shape],
      dtype: { Float32Array: 'float32', Int32Array: 'int32', Uint8Array: 'bool' }[out[name]!.data.constructor.name]!,
      data: Array.from(out[name]!.data as Float32Array),
    }))
}

let fallbacks = 0

/** How many functions were run with a part on the CPU although they were compiled for another device, since the last call. */
export function takeFallbacks(): number {
  const count = fallbacks
  fallbacks = 0
  return count
}

async function noteFallback({ onnx, device }: Compiled): Promise<void> {
  const { InferenceSession } = onnxRuntime()
  try {
    const session = await InferenceSession.create(onnx, {
      executionProviders: [device],
      logSeverityLevel: 4,
      extra: { session: { disable_cpu_ep_fallback: '1' } },
    })
    await session.release()
  } catch {
    fallbacks++
  }
}

/** Fails unless both results have the same shapes, types and values, to 1e-4 of the largest value. */
export function expectSame(got: readonly Result[], wanted: readonly Result[]): void {
  expect(got.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
    wanted.map(({ shape, dtype }) => ({ shape, dtype })),
  )
  got.forEach(({ data }, i) => {
    expectClose(data, wanted[i]!.data)
  })
}

/** Fails unless all values agree to `tolerance` of the largest wanted one. */
export function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance = 1e-4): void {
  expect(got.length).toBe(wanted.length)
  const finite = Array.from(wanted).filter(Number.isFinite).map(Math.abs)
  const limit = Math.max(tolerance * Math.max(...finite, 0), 1e-13)
  for (let i = 0; i < got.length; i++)
    if (!Object.is(got[i], wanted[i]) && !(Math.abs(got[i]! - wanted[i]!) <= limit) && got[i] !== wanted[i])
      expect.fail(`value ${i} is ${got[i]}, but ${wanted[i]} is right to ${limit}`)
}
