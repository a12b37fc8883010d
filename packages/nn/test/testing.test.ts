import { readFileSync } from 'node:fs'
import { tf } from '@dfl/engine'
import { describe, expect, it } from 'vitest'
import type { FaceModel } from '../src/index.js'
import { testArchitecture } from '../src/testing.js'
import { tiny } from './readme-example.js'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

describe('the architecture in the README', () => {
  it('is the one that is tested', () => {
    expect(read('../README.md')).toContain(read('readme-example.ts').trim())
  })

  for (const { name, run } of testArchitecture(tiny, {})) it(name, run)
})

/** Names of the requirements that an architecture like `tiny`, changed for the worse, does not meet. */
async function failures(change: (model: FaceModel) => Partial<FaceModel>): Promise<string[]> {
  const worse: typeof tiny = {
    ...tiny,
    build: (options) => {
      const model = tiny.build(options)
      return { ...model, ...change(model) }
    },
  }
  const failed: string[] = []
  for (const { name, run } of testArchitecture(worse, {}))
    await run().catch(() => {
      failed.push(name)
    })
  return failed
}

describe('testArchitecture finds an architecture that', () => {
  it('paints both people alike', async () => {
    expect(await failures(({ decode }) => ({ decode: (params, code) => decode(params, code, 'src') }))).toEqual([
      'paints the two people differently',
      'gives every parameter a gradient',
    ])
  })

  it('leaves the range of pixels', async () => {
    const bright = ({ decode }: FaceModel): Partial<FaceModel> => ({
      decode(params, code, as) {
        const { face, mask } = decode(params, code, as)
        return { face: tf.mul(face, 3), mask }
      },
    })
    expect(await failures(bright)).toEqual(['paints faces and masks of its resolution with values from 0 to 1'])
  })

  it('mixes the faces of a batch', async () => {
    const inDecoder = ({ decode }: FaceModel): Partial<FaceModel> => ({
      decode(params, code, as) {
        const { face, mask } = decode(params, code, as)
        return { face: tf.mul(face, tf.mean(mask)), mask }
      },
    })
    expect(await failures(inDecoder)).toEqual(['paints each face of a batch as if it were alone'])
    const inCode = ({ encode }: FaceModel): Partial<FaceModel> => ({
      encode: (params, x) => encode(params, x).map((tensor) => tf.add(tensor, tf.mean(tensor))),
    })
    expect(await failures(inCode)).toEqual([
      'encodes faces of several people together as it does alone',
      'paints each face of a batch as if it were alone',
    ])
  })

  it('has a parameter that does nothing, and a path that says nothing', async () => {
    const more = ({ params }: FaceModel): Partial<FaceModel> => ({
      params: { ...params, W1: { shape: [3], init: 'zeros' } },
    })
    expect(await failures(more)).toEqual([
      'names its parameters by the part they belong to',
      'gives every parameter a gradient',
    ])
  })

  it('takes images of any size', async () => {
    const lenient = ({ encode, resolution }: FaceModel): Partial<FaceModel> => ({
      encode(params, x) {
        const missing = [1, resolution, resolution, 3].map((n, axis) => [0, axis && n - x.shape[axis]!])
        return encode(params, tf.pad(x, missing as [number, number][]))
      },
    })
    expect(await failures(lenient)).toEqual(['refuses images of another size or with other channels'])
  })
})
