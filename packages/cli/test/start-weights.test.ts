import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Random } from '@dfl/core'
import { encodeSafetensors, type SavedTensor } from '@dfl/engine'
import { df } from '@dfl/model-df'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NO_CONFIG } from '../src/config.js'
import { openWorkspace, PRESETS, presetNamed, type TrainJob } from '../src/index.js'
import { recipeOf } from '../src/presets.js'
import { START_WEIGHTS, startWeights } from '../src/start-weights.js'
import { modelToBe } from '../src/workspace-model.js'
import { scratchFolder } from './support.js'

const SMALL = { resolution: 32, aeDims: 16, eDims: 8, dDims: 8, dMaskDims: 4 }
const defaults = Object.fromEntries(Object.entries(df.options).map(([name, spec]) => [name, spec.default]))
const paramsOf = (options: object) => df.build({ ...defaults, ...options } as Parameters<typeof df.build>[0]).params

let folder: string
let path: string
const saved: Record<string, SavedTensor> = {}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dfl-start-'))
  path = join(folder, 'start.safetensors')
  const random = new Random(1)
  for (const [name, { shape }] of Object.entries(paramsOf(SMALL))) {
    if (name.startsWith('decoder_dst')) continue
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.uniform(-1, 1))
    saved[name.replace('decoder_src', 'decoder')] = { data, shape }
  }
  await writeFile(path, encodeSafetensors(saved))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('starting weights', () => {
  it('fill every parameter of a model of the same options, both decoders alike', async () => {
    const weights = (await startWeights(path, SMALL))!
    expect(Object.keys(weights).sort()).toEqual(Object.keys(paramsOf(SMALL)).sort())
    expect(weights['decoder_src/out/weight']!.data).toEqual(saved['decoder/out/weight']!.data)
    expect(weights['decoder_dst/out/weight']!.data).toEqual(saved['decoder/out/weight']!.data)
  })

  it('fill what they can of decoders that are wider or paint larger, if encoder and inter are theirs', async () => {
    const wider = (await startWeights(path, { ...SMALL, dDims: 10 }))!
    expect(Object.keys(wider).filter((name) => name.startsWith('encoder/'))).toHaveLength(8)
    expect(wider['decoder_src/up1/conv/weight']).toBeUndefined()
    const larger = (await startWeights(path, { ...SMALL, resolution: 64, encoderResolution: 32 }))!
    expect(larger['decoder_dst/up1/conv/weight']!.data).toEqual(saved['decoder/up1/conv/weight']!.data)
    expect(larger['decoder_dst/up4/conv/weight']).toBeUndefined()
  })

  it('are left aside where encoder or inter is another or there is no file', async () => {
    expect(await startWeights(path, { ...SMALL, eDims: 10 })).toBeUndefined()
    expect(await startWeights(path, { ...SMALL, aeDims: 32 })).toBeUndefined()
    expect(await startWeights(path, { ...SMALL, resolution: 64 })).toBeUndefined()
    expect(await startWeights(join(folder, 'none.safetensors'), SMALL)).toBeUndefined()
  })

  it('are left aside where tensors of the same shapes compute something else', async () => {
    for (const other of [{ cosine: true }, { pixelNorm: false }]) {
      expect(Object.keys(paramsOf({ ...SMALL, ...other }))).toEqual(Object.keys(paramsOf(SMALL)))
      expect(await startWeights(path, { ...SMALL, ...other })).toBeUndefined()
    }
  })

  it('leave nothing of decoders as it is that they did not fill', () => {
    const standard = PRESETS.find(({ name }) => name === 'standard')!
    const ratesOf = (began: boolean | 'encoder') => recipeOf(standard, began).phases.map(({ rates }) => rates ?? {})
    expect(Object.keys(ratesOf(true)[0]!)).toContain('decoder_src/up1/')
    for (const rates of ratesOf('encoder')) expect(Object.keys(rates)).toEqual(['encoder/', 'inter/'])
    expect(ratesOf(false)).toEqual([{}, {}])
  })

  it('leave nothing as it is where heads are learned, which they have not seen', () => {
    for (const name of ['quick', 'standard']) {
      const preset = PRESETS.find((one) => one.name === name)!
      for (const { rates, randomWarp } of recipeOf(preset, true, 'head').phases) {
        expect(rates).toEqual({})
        expect(randomWarp).toBe(false)
      }
      expect(recipeOf(preset, true, 'whole_face')).toEqual(recipeOf(preset, true))
    }
  })

  it("fill what a model of heads reads and paints a head's face with, and nothing of what lies around it", async () => {
    const head = { ...SMALL, resolution: 64, encoderResolution: 32, faceWindow: true }
    const found = (await startWeights(path, head))!
    const missing = Object.keys(paramsOf(head)).filter((name) => !(name in found))
    expect(new Set(missing.map((name) => name.split('/').slice(0, 2).join('/')))).toEqual(
      new Set(['inter_around/dense2', 'inter_around/up1']),
    )
    expect(found['decoder_dst/up1/conv/weight']!.data).toEqual(saved['decoder/up1/conv/weight']!.data)
  })

  it('make a new model of heads read the face in a window, where they fit it and it was not asked to read all', async () => {
    await using scratch = await scratchFolder()
    const workspace = await openWorkspace(scratch.at('w'))
    const readsFace = async (faceType: 'head' | 'whole_face', job: TrainJob = {}) => {
      const { params } = await modelToBe(workspace, job, { preset: presetNamed('quick'), faceType, config: NO_CONFIG })
      return 'inter_around/dense2/weight' in params
    }
    expect(await readsFace('head')).toBe(true)
    expect(await readsFace('head', { model: { resolution: 384, dDims: 24 } })).toBe(true)
    expect(await readsFace('whole_face')).toBe(false)
    const wholly = [
      { fromScratch: true },
      { model: { faceWindow: false } },
      { model: { resolution: 96 } },
      { model: { eDims: 32 } },
    ]
    for (const job of [...wholly, { architecture: 'saehd' }]) expect(await readsFace('head', job)).toBe(false)
  })

  it('that come with the package fit in whole the presets that have a recipe for them, and no other', async () => {
    for (const { name, architecture, recipeFromWeights } of PRESETS) {
      const found = await startWeights(START_WEIGHTS, architecture)
      expect(found !== undefined, name).toBe(recipeFromWeights !== undefined)
      if (found) expect(Object.keys(found).sort(), name).toEqual(Object.keys(paramsOf(architecture)).sort())
    }
  })
})
