import { readFileSync } from 'node:fs'
import { isDflError, Random } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import { permute4 } from '../../src/import/layout.js'
import { readWeights, type WeightSpec } from '../../src/import/weights.js'
import {
  faceApiRecognitionToOnnx,
  loadNetwork,
  type TfjsGraphModel,
  tfjsGraphToOnnx,
  tfliteToOnnx,
} from '../../src/index.js'

/** A file of an npm package that @dfl/extract depends on. */
const file = (path: string) => readFileSync(new URL(`../../../extract/node_modules/${path}`, import.meta.url))
const json = (path: string) => JSON.parse(file(path).toString())

const wave = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 0.37) * 0.8)
const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0)

const FULL_RANGE = '@mediapipe/face_detection/face_detection_full_range.tflite'
const BLAZE = '@vladmandic/human/models/blazeface'
const RECOGNITION = '@vladmandic/face-api/model/face_recognition_model'

async function run(bytes: Uint8Array, shape: number[]) {
  await using network = await loadNetwork(bytes)
  const data = wave(shape.reduce((a, b) => a * b, 1))
  return await network.run({ [network.inputNames[0]!]: { data, shape } })
}

describe('tfjsGraphToOnnx', () => {
  it("gives what TensorFlow.js gives for human's BlazeFace", async () => {
    const out = await run(tfjsGraphToOnnx(json(`${BLAZE}.json`), file(`${BLAZE}.bin`)), [1, 256, 256, 3])
    // From @tensorflow/tfjs-converter 4.22 on its cpu backend, same input.
    const expected = [
      ['Identity', [1, 512, 1], [-7.678167, -4.468482, -11.826893, -5.86325], -23601.1632],
      ['Identity_1', [1, 384, 1], [-2.45767, -3.017779, -4.817128, -8.01011], -2690.2115],
      ['Identity_2', [1, 512, 16], [-2.95149, -5.496455, 56.108715, 56.109219], 32151.896],
      ['Identity_3', [1, 384, 16], [7.161865, 3.712766, 96.305222, 96.300972], 56685.6957],
    ] as const
    expect(Object.keys(out).sort()).toEqual(expected.map(([name]) => name))
    for (const [name, shape, first, total] of expected) {
      expect(out[name]!.shape).toEqual(shape)
      const data = out[name]!.data as Float32Array
      for (const [i, value] of first.entries()) expect(data[i]).toBeCloseTo(value, 3)
      expect(sum(data) / total).toBeCloseTo(1, 4)
    }
  })

  const tiny = (op: string): TfjsGraphModel => ({
    modelTopology: {
      node: [
        {
          name: 'x',
          op: 'Placeholder',
          attr: { shape: { shape: { dim: [1, 4, 4, 1].map((size) => ({ size })) } } as never },
        },
        { name: 'w', op: 'Const' },
        {
          name: 'y',
          op,
          input: ['x', 'w'],
          attr: { strides: { list: { i: [1, 2, 2, 1] } }, padding: { s: Buffer.from('SAME').toString('base64') } },
        },
      ],
    },
    weightsManifest: [{ paths: [], weights: [{ name: 'w', shape: [3, 3, 1, 1], dtype: 'float32' }] }],
  })
  const ones = new Uint8Array(new Float32Array(9).fill(1).buffer)

  it('pads like TensorFlow where the stride is 2: nothing before, one after', async () => {
    await using network = await loadNetwork(tfjsGraphToOnnx(tiny('Conv2D'), ones))
    const data = Float32Array.from({ length: 16 }, (_, i) => i)
    const { y } = await network.run({ x: { data, shape: [1, 4, 4, 1] } })
    expect(y!.shape).toEqual([1, 2, 2, 1])
    expect(Array.from(y!.data as Float32Array)).toEqual([45, 39, 66, 50])
  })

  it('names an operator that it does not know, and the node', () => {
    expect(() => tfjsGraphToOnnx(tiny('Einsum'), ones)).toThrow(
      /^Expected one of the operators .*Conv2D.* for `y`, but got Einsum\. Convert/,
    )
  })

  it('says when the weights are shorter or longer than the manifest', () => {
    expect(() => tfjsGraphToOnnx(tiny('Conv2D'), ones.subarray(4))).toThrow(
      'Expected a TensorFlow.js weights file, but got only 32 bytes, too few for `w`.',
    )
    expect(() => tfjsGraphToOnnx(tiny('Conv2D'), new Uint8Array(40))).toThrow(
      '40 bytes where its manifest describes 36',
    )
  })
})

describe('tfliteToOnnx', () => {
  it('converts detectors with dense and with sparse weights; both see no face in a pattern', async () => {
    for (const path of [FULL_RANGE, FULL_RANGE.replace('range', 'range_sparse')]) {
      const out = Object.values(await run(tfliteToOnnx(file(path)), [1, 192, 192, 3]))
      expect(out.map(({ shape }) => shape.join())).toEqual(['1,2304,16', '1,2304,1'])
      const logits = out[1]!.data as Float32Array
      expect(Math.max(...logits)).toBeLessThan(0)
      expect(logits.every(Number.isFinite)).toBe(true)
    }
  })

  it('converts the face mesh with attention and its custom operators', async () => {
    const bundle = file('@mediapipe/face_mesh/face_mesh_solution_packed_assets.data')
    const out = await run(tfliteToOnnx(bundle.subarray(0, 2495952)), [1, 192, 192, 3])
    expect(out.output_mesh_identity!.shape).toEqual([1, 1, 1, 1404])
    const lips = out.output_lips!.data as Float32Array
    expect(lips).toHaveLength(160)
    // Refined lips lie where the coarse mesh has them, also for a face that is none: point 13 is the upper lip.
    const mesh = out.output_mesh_identity!.data as Float32Array
    const [x, y] = [mesh[3 * 13]!, mesh[3 * 13 + 1]!]
    const at = 33 // position of point 13 among the lips
    expect(Math.hypot(lips[2 * at]! - x, lips[2 * at + 1]! - y)).toBeLessThan(15)
  })

  it('converts selfie segmentation and its transposed convolutions, which sees hardly anybody in a pattern', async () => {
    const bytes = tfliteToOnnx(file('@mediapipe/selfie_segmentation/selfie_segmentation.tflite'))
    const [out] = Object.values(await run(bytes, [1, 256, 256, 3]))
    expect(out!.shape).toEqual([1, 256, 256, 1])
    const values = Array.from(out!.data as Float32Array)
    expect(values.every((value) => value >= 0 && value <= 1)).toBe(true)
    expect(sum(values) / values.length).toBeLessThan(0.1)
  })

  it('refuses bytes that are no TFLite file', () => {
    expect(() => tfliteToOnnx(new Uint8Array(100))).toThrow(
      "Expected a TFLite file, but got 100 bytes without TFLite's mark 'TFL3'. Install the package that it belongs to again, or check where the file comes from.",
    )
  })

  it('answers damaged files with an error of its own, wherever they are cut or changed', () => {
    const good = file('@mediapipe/face_detection/face_detection_short_range.tflite')
    const random = new Random(5)
    const attempt = (bytes: Uint8Array) => {
      try {
        tfliteToOnnx(bytes)
      } catch (error) {
        if (!isDflError(error)) throw error
      }
    }
    for (let i = 0; i < 12; i++) attempt(good.subarray(0, 8 + random.integer(good.length)))
    const structure = 60_000 // the tables stand at the end of the file, and its root at the start
    for (let i = 0; i < 30; i++) {
      const bad = Uint8Array.from(good)
      for (let k = 0; k < 8; k++) bad[bad.length - 1 - random.integer(structure)] = random.integer(256)
      attempt(bad)
    }
    expect(() => tfliteToOnnx(good.subarray(0, 5000))).toThrow(/^Expected a TFLite file, but got a damaged one: /)
  })
})

describe('faceApiRecognitionToOnnx', () => {
  const manifest = json(`${RECOGNITION}-weights_manifest.json`)
  const weights = file(`${RECOGNITION}.bin`)

  it('gives 128 numbers of moderate length', async () => {
    const { embedding } = await run(faceApiRecognitionToOnnx(weights, manifest), [1, 150, 150, 3])
    expect(embedding!.shape).toEqual([1, 128])
    const length = Math.hypot(...(embedding!.data as Float32Array))
    expect(length).toBeGreaterThan(0.5)
    expect(length).toBeLessThan(3)
  })

  it('names the weight that a manifest lacks', () => {
    const [group] = manifest
    const first = group.weights[0]
    const renamed = [{ ...group, weights: [{ ...first, name: 'other' }, ...group.weights.slice(1)] }]
    expect(() => faceApiRecognitionToOnnx(weights, renamed)).toThrow(
      `Expected the weight \`${first.name}\` in face-api's recognition model, but got a file without it.`,
    )
  })
})

describe('weights of a manifest', () => {
  const spec = (name: string, dtype: string, quantization?: WeightSpec['quantization']): WeightSpec => ({
    name,
    shape: [2],
    dtype,
    ...(quantization ? { quantization } : {}),
  })

  it('are read from every element type, wherever in the file they begin', () => {
    const weights = [
      spec('bytes', 'float32', { dtype: 'uint8', scale: 0.5, min: -1 }),
      spec('flags', 'bool'),
      spec('words', 'float32', { dtype: 'uint16', scale: 0.25, min: 2 }),
      spec('halves', 'float32', { dtype: 'float16' }),
      spec('whole', 'int32'),
      spec('floats', 'float32'),
      spec('steps', 'int32', { dtype: 'uint8', scale: 2, min: 3 }),
    ]
    const stored = [
      Uint8Array.of(0, 255),
      Uint8Array.of(1, 0),
      Uint16Array.of(4, 65535),
      Uint16Array.of(0x3c00, 0xc000),
      Int32Array.of(-7, 2 ** 30),
      Float32Array.of(0.1, -1e9),
      Uint8Array.of(1, 200),
    ]
    // One byte ahead, so that nothing begins where its numbers would have to.
    const bytes = Buffer.concat([Uint8Array.of(9), ...stored.map((part) => new Uint8Array(part.buffer))]).subarray(1)
    const read = readWeights([{ paths: [], weights }], bytes)
    expect(Object.fromEntries([...read].map(([name, { data }]) => [name, data]))).toEqual({
      bytes: Float32Array.of(-1, 126.5),
      flags: Float32Array.of(1, 0),
      words: Float32Array.of(3, 16385.75),
      halves: Float32Array.of(1, -2),
      whole: Int32Array.of(-7, 2 ** 30),
      floats: Float32Array.of(0.1, -1e9),
      steps: Int32Array.of(5, 403),
    })
  })
})

describe('permute4', () => {
  it.each([[[2, 3, 4, 5]], [[1, 3, 1, 5]], [[4, 1, 1, 6]]])('puts the axes of %j into any order', (shape) => {
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1))
    const data = wave(shape.reduce((a, b) => a * b, 1))
    const axes = [0, 1, 2, 3] as const
    const orders = axes.flatMap((a) => axes.flatMap((b) => axes.flatMap((c) => axes.map((d) => [a, b, c, d] as const))))
    for (const order of orders.filter((four) => new Set(four).size === 4)) {
      const [, n1, n2, n3] = order.map((axis) => shape[axis]!) as [number, number, number, number]
      const expected = data.map((_, i) => {
        const at = [Math.floor(i / (n1 * n2 * n3)), Math.floor(i / (n2 * n3)) % n1, Math.floor(i / n3) % n2, i % n3]
        return data[order.reduce<number>((sum, axis, k) => sum + at[k]! * strides[axis]!, 0)]!
      })
      expect(permute4(data, shape, order)).toEqual(expected)
    }
  })
})
