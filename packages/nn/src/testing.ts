import { deepStrictEqual, notDeepStrictEqual, ok, rejects, strictEqual } from 'node:assert/strict'
import { type OptionsOf, type OptionTable, Random, resolveOptions } from '@dfl/core'
import { compile, State, type TensorData, type Traceable, tf } from '@dfl/engine'
import type { FaceModel, ModelArchitecture, Params } from './architecture.js'
import { initialise } from './initialise.js'
import { encodeTogether, sidesOf } from './sides.js'

/** One requirement, for a test runner: `for (const { name, run } of testArchitecture(…)) it(name, run)`. */
export interface ConformanceTest {
  name: string
  run(): Promise<void>
}

const PATH = /^[a-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*(\/[a-z][A-Za-z0-9_]*)+$/

/**
 * The tests that every architecture must pass.
 *
 * @param options  Values that make the model small: tests run its gradients, so a resolution of 32 or 64 px is best.
 */
export function testArchitecture<T extends OptionTable>(
  architecture: ModelArchitecture<T>,
  options: Partial<OptionsOf<T>>,
): ConformanceTest[] {
  const build = () => architecture.build(resolveOptions(architecture.options, options))
  const test = (name: string, run: (model: FaceModel) => Promise<void>): ConformanceTest => ({
    name,
    run: async () => run(build()),
  })
  let painted: ReturnType<typeof paint> | undefined
  const two = (model: FaceModel) => (painted ??= paint(model, 2))
  return [
    test('says its name, where it comes from and what its options mean', async () => {
      ok(/^[a-z][a-z0-9-]*$/.test(architecture.name), `the name '${architecture.name}' is not in kebab-case`)
      ok(architecture.source.length > 10, 'the source says nothing')
      for (const [name, { description }] of Object.entries(architecture.options))
        ok(/^\S.*\.$/.test(description), `the description of ${name} is no sentence`)
    }),
    test('builds with its default options', async () => {
      const model = architecture.build(resolveOptions(architecture.options))
      ok(Object.keys(model.params).length > 0)
    }),
    test('names its parameters by the part they belong to', async ({ params }) => {
      const paths = Object.keys(params)
      for (const path of paths) ok(PATH.test(path), `the path '${path}' does not read like 'encoder/down1/conv/weight'`)
      for (const part of ['encoder', 'decoder'])
        ok(
          paths.some((path) => path.startsWith(part)),
          `no parameter belongs to the ${part}`,
        )
      for (const [path, { shape }] of Object.entries(params))
        ok(
          shape.every((size) => Number.isInteger(size) && size > 0),
          `${path} has the shape [${shape}]`,
        )
    }),
    test('names only parameters of its own as learning, some of them in every phase', async (model) => {
      for (const randomWarp of [true, false]) {
        const learning = [...(model.trainable?.({ randomWarp }) ?? Object.keys(model.params))]
        ok(learning.length > 0)
        for (const path of learning) ok(path in model.params, `${path} is no parameter`)
      }
    }),
    test('starts with the same weights for the same seed, and others for another', async ({ params }) => {
      deepStrictEqual(initialise(params, 1), initialise(params, 1))
      notDeepStrictEqual(initialise(params, 1), initialise(params, 2))
    }),
    test('encodes faces of several people together as it does alone', async (model) => {
      for (const [i, apart] of (await codesApart(model)).entries())
        ok(apart < 1e-4, `tensor ${i} of the code depends on the other faces of the batch`)
    }),
    test('paints faces and masks of its resolution with values from 0 to 1', async (model) => {
      for (const [name, { data, shape }] of Object.entries(await two(model))) {
        const channels = name.endsWith('face') ? 3 : 1
        deepStrictEqual([...shape], [2, model.resolution, model.resolution, channels])
        ok(
          (data as Float32Array).every((value) => value >= 0 && value <= 1),
          `${name} leaves 0..1`,
        )
      }
    }),
    test('paints the two people differently', async (model) => {
      if (model.paints === 'masks') return // Both people are one to it.
      const { src_face, dst_face } = await two(model)
      ok(distance(src_face!.data, dst_face!.data) > 1e-5)
    }),
    test('paints different faces differently', async (model) => {
      for (const [name, { data }] of Object.entries(await two(model)))
        ok(distance(data.slice(0, data.length / 2), data.slice(data.length / 2)) > 1e-6, `${name} ignores its input`)
    }),
    test('paints each face of a batch as if it were alone', async (model) => {
      const [alone, batch] = [await paint(model, 1), await two(model)]
      for (const name of Object.keys(alone))
        ok(distance(alone[name]!.data, batch[name]!.data) < 1e-4, `${name} depends on the other faces of the batch`)
    }),
    test('listens to its controls, whose lots are as long as their shapes and differ', async (model) => {
      for (const [name, control] of Object.entries(model.controls ?? {})) {
        const size = control.shape.reduce((a, b) => a * b, 1)
        const [one, again, other] = [1, 1, 2].map((seed) => Array.from(control.draw(new Random(seed))))
        strictEqual(one!.length, size, `${name} draws ${one!.length} values for the shape [${control.shape}]`)
        deepStrictEqual(one, again, `${name} draws other values from the same random numbers`)
        notDeepStrictEqual(one, other, `${name} always draws the same`)
        ok(control.default >= control.min && control.default <= control.max, `the default of ${name} is out of range`)
        const [low, high] = [
          await paint(model, 1, { [name]: control.min }),
          await paint(model, 1, { [name]: control.max }),
        ]
        ok(distance(low.src_face!.data, high.src_face!.data) > 1e-6, `${name} changes nothing`)
      }
    }),
    test('gives every parameter a gradient', async (model) => {
      const sizes = await gradientSizes(model)
      deepStrictEqual(
        Object.keys(sizes).filter((path) => !(sizes[path]! > 0 && Number.isFinite(sizes[path]!))),
        [],
      )
      strictEqual(Object.keys(sizes).length, Object.keys(model.params).length)
    }),
    test('refuses images of another size or with other channels', async (model) => {
      const { resolution } = model
      for (const shape of [
        [1, resolution / 2, resolution / 2, 3],
        [1, resolution, resolution, 1],
      ])
        await rejects(painter(model, shape), { name: 'DflError', code: 'BAD_SHAPE' })
    }),
  ]
}

const shapesOf = (model: FaceModel) =>
  Object.fromEntries(Object.entries(model.params).map(([path, { shape }]) => [path, shape]))

/** The model as a compiled function of images of a shape: `src_face`, `src_mask`, `dst_face`, `dst_mask`. */
function painter(model: FaceModel, shape: readonly number[], chosen: Readonly<Record<string, number>> = {}) {
  const fn: Traceable = (params, { x }) => {
    const controls = Object.fromEntries(
      Object.entries(chosen).map(([name, value]) => [name, model.controls![name]!.at(tf.scalar(value))]),
    )
    const code = model.encode(params, x as tf.Tensor4D)
    const parts = sidesOf(model).flatMap((as) => {
      const { face, mask } = model.decode(params, code, as, controls)
      return [
        [`${as}_face`, face],
        [`${as}_mask`, mask],
      ] as const
    })
    return { outputs: Object.fromEntries(parts) }
  }
  return compile(fn, { state: shapesOf(model), inputs: { x: shape } })
}

/** What a fresh model paints for `count` random images, of which the first is always the same. */
async function paint(
  model: FaceModel,
  count: number,
  chosen?: Readonly<Record<string, number>>,
): Promise<Record<string, TensorData>> {
  const shape = [count, model.resolution, model.resolution, 3]
  await using compiled = await painter(model, shape, chosen)
  return await compiled.run(new State(initialise(model.params, 1)), { x: noise(shape) })
}

/** How far each tensor of a face's code is from that of the same face, encoded together with another one. */
async function codesApart(model: FaceModel): Promise<number[]> {
  const shape = [2, model.resolution, model.resolution, 3]
  const fn: Traceable = (params, { x }) => {
    const [src, dst] = tf.split(x as tf.Tensor4D, 2) as [tf.Tensor4D, tf.Tensor4D]
    const together = encodeTogether(model, params, { src, dst }).dst!
    const apart = model.encode(params, dst).map((alone, i) => tf.max(tf.abs(tf.sub(together[i]!, alone))))
    return { outputs: { apart: tf.stack(apart) } }
  }
  await using compiled = await compile(fn, { state: shapesOf(model), inputs: { x: shape } })
  const { apart } = await compiled.run(new State(initialise(model.params, 1)), { x: noise(shape) })
  return Array.from(apart!.data as Float32Array)
}

/** The largest gradient in each parameter of a loss over both faces and both masks. */
async function gradientSizes(model: FaceModel): Promise<Record<string, number>> {
  const paths = Object.keys(model.params)
  const shape = [1, model.resolution, model.resolution, 3]
  const fn: Traceable = (state, { x }) => {
    const loss = (...values: tf.Tensor[]) => {
      const params: Params = Object.fromEntries(paths.map((path, i) => [path, values[i]!]))
      const code = model.encode(params, x as tf.Tensor4D)
      const parts = sidesOf(model).flatMap((as) => Object.values(model.decode(params, code, as)) as tf.Tensor[])
      return tf.addN(parts.map((part) => tf.sum(tf.square(tf.sub(part, 0.3)))))
    }
    const gradients = tf.grads(loss)(paths.map((path) => state[path]!))
    return { outputs: Object.fromEntries(paths.map((path, i) => [path, tf.max(tf.abs(gradients[i]!))])) }
  }
  await using compiled = await compile(fn, { state: shapesOf(model), inputs: { x: shape } })
  const sizes = await compiled.run(new State(initialise(model.params, 1)), { x: noise(shape) })
  return Object.fromEntries(paths.map((path) => [path, Number(sizes[path]!.data[0])]))
}

/** Uniform noise 0..1; a longer array begins like a shorter one. */
function noise(shape: readonly number[]): Float32Array {
  const random = new Random(1)
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.uniform())
}

/** Largest difference of two arrays, over the length of the first. */
function distance(a: TensorData['data'], b: TensorData['data']): number {
  return (a as Float32Array).reduce((most, value, i) => Math.max(most, Math.abs(value - Number(b[i]))), 0)
}
