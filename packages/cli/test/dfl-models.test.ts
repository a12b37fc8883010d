import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writePickle } from '@dfl/core/pickle'
import { loadNetwork, State, type TensorData } from '@dfl/engine'
import { amp, ampWeightsFromDfl } from '@dfl/model-amp'
import { saehd, saehdWeightsFromDfl } from '@dfl/model-saehd'
import { xseg, xsegWeightsFromDfl } from '@dfl/model-xseg'
import { exportDfm, type FaceModel } from '@dfl/nn'
import { describe, expect, it } from 'vitest'
import { describeDflModel, readDflParts } from '../src/dfl-models.js'

/** Made by scripts/golden/dfl_models.py, with what the models there paint, channels first and BGR. */
const folder = fileURLToPath(new URL('golden/dfl', import.meta.url))
const golden = JSON.parse(readFileSync(`${folder}/golden.json`, 'utf8'))

/** The image that the script makes, too: [side, side, 3] BGR. */
const pattern = (side: number) =>
  Float32Array.from({ length: side * side * 3 }, (_, i) => {
    const [c, x, y] = [i % 3, Math.floor(i / 3) % side, Math.floor(i / 3 / side)]
    return ((7 * x + 13 * y + 29 * c + x * y) % 64) / 64
  })

/** Every ninth pixel of every ninth row, as the script keeps them. */
const sampled = (data: ArrayLike<number>, side: number) => {
  const channels = data.length / side / side
  return Array.from(data).filter((_, i) => {
    const pixel = Math.floor(i / channels)
    return (pixel % side) % 9 === 0 && Math.floor(pixel / side) % 9 === 0
  })
}

const dims = { resolution: 64, aeDims: 4, eDims: 2, dDims: 1, dMaskDims: 1 }
const variant = { pixelNorm: true, subpixel: true, cosine: false }

/** What an exported model gives for the pattern. */
async function run(
  model: FaceModel,
  weights: ConstructorParameters<typeof State>[0],
  options: { morph?: number; half?: boolean } = {},
) {
  const side = model.resolution
  await using network = await loadNetwork(exportDfm(model, new State(weights), options))
  const inputs: Record<string, TensorData> = { 'in_face:0': { data: pattern(side), shape: [1, side, side, 3] } }
  if (options.morph !== undefined) inputs['morph_value:0'] = { data: Float32Array.of(options.morph), shape: [1] }
  const out = await network.run(inputs)
  return Object.fromEntries(Object.entries(out).map(([name, { data }]) => [name, sampled(data as Float32Array, side)]))
}

function expectPainted(got: Record<string, number[]>, name: string, tolerance = 2e-4): void {
  const wanted = { 'out_celeb_face:0': 'swap', 'out_celeb_face_mask:0': 'swap_mask', 'out_face_mask:0': 'dst_mask' }
  expect(Object.keys(got).sort()).toEqual(Object.keys(wanted).sort())
  for (const [output, key] of Object.entries(wanted)) {
    const values = golden[name][key] as number[]
    expect(got[output]).toHaveLength(values.length)
    const worst = values.reduce((most, v, i) => Math.max(most, Math.abs(v - got[output]![i]!)), 0)
    expect(worst, `${name} ${key}`).toBeLessThan(tolerance)
  }
}

describe("DeepFaceLab's models, imported and exported as .dfm", () => {
  it('paint what a DF-UD painted there', async () => {
    const options = { ...dims, ...variant, archi: 'df' as const, deep: false }
    const weights = saehdWeightsFromDfl(options, await readDflParts(folder, 'one_SAEHD'))
    const model = saehd.build(options)
    const full = await run(model, weights)
    expectPainted(full, 'one_SAEHD')
    expect(new Set(full['out_celeb_face:0']).size).toBeGreaterThan(100)
  })

  it('paint what a LIAE-UDT painted there', async () => {
    const options = { ...dims, ...variant, archi: 'liae' as const, deep: true }
    const weights = saehdWeightsFromDfl(options, await readDflParts(folder, 'two_SAEHD'))
    expectPainted(await run(saehd.build(options), weights), 'two_SAEHD')
  })

  it('paint what an AMP painted there with its morph factor, in half the size nearly the same', async () => {
    const options = { ...dims, interDims: 8, morphFactor: 0.5 }
    const weights = ampWeightsFromDfl(options, await readDflParts(folder, 'three_AMP'))
    const model = amp.build(options)
    expectPainted(await run(model, weights, { morph: 0.5 }), 'three_AMP')
    expectPainted(await run(model, weights, { morph: 0.5, half: true }), 'three_AMP', 0.01)
    const state = new State(weights)
    const [whole, half] = [exportDfm(model, state), exportDfm(model, state, { half: true })]
    expect(half.length).toBeLessThan(0.75 * whole.length)
    const other = await run(model, weights, { morph: 1 })
    expect(other['out_celeb_face:0']).not.toEqual((await run(model, weights, { morph: 0.5 }))['out_celeb_face:0'])
  })

  it('find what an XSeg found there', async () => {
    const options = { resolution: 128, baseDims: 1 }
    const { xseg: part } = await readDflParts(folder, 'XSeg')
    const weights = xsegWeightsFromDfl({ xseg: part! }, options)
    const out = await run(xseg.build(options), weights)
    expect(Object.keys(out)).toEqual(['out_mask:0'])
    const values = golden.XSeg.mask as number[]
    const worst = values.reduce((most, v, i) => Math.max(most, Math.abs(v - out['out_mask:0']![i]!)), 0)
    expect(worst).toBeLessThan(5e-4)
  })

  it('are known by their own description, with options in our names', async () => {
    const place = await mkdtemp(join(tmpdir(), 'dfl-models-'))
    const options = {
      ...{ resolution: 192, ae_dims: 256, e_dims: 64, d_dims: 48, d_mask_dims: 16 },
      ...{ archi: 'liae-udtc', face_type: 'head', random_warp: 1 },
    }
    await writeFile(
      join(place, 'old_SAEHD_data.dat'),
      writePickle({ iter: 1234, options, loss_history: [[0.5, 0.25]] }),
    )
    expect(await describeDflModel(place, 'old')).toEqual({
      architecture: 'saehd',
      options: {
        ...{ archi: 'liae', resolution: 192, aeDims: 256, eDims: 64, dDims: 48, dMaskDims: 16 },
        ...{ pixelNorm: true, subpixel: true, deep: true, cosine: true },
      },
      faceType: 'head',
      iteration: 1234,
      prefix: 'old_SAEHD',
    })
    await expect(describeDflModel(place, 'other')).rejects.toThrow(
      /^Expected a model of DeepFaceLab named `other` in `.*`, but got old\. Name one of those\.$/,
    )
    await rm(place, { recursive: true })
  })

  it('are refused with the parameters that do not fit', async () => {
    const options = { ...dims, aeDims: 6, ...variant, archi: 'df' as const, deep: false }
    const parts = await readDflParts(folder, 'one_SAEHD')
    expect(() => saehdWeightsFromDfl(options, parts)).toThrow(
      'Expected [256,6] for `inter/dense1/weight`, but got [256,4].',
    )
  })

  it('are found by size and order where a build has other names', async () => {
    const options = { ...dims, ...variant, archi: 'df' as const, deep: false }
    const parts = await readDflParts(folder, 'one_SAEHD')
    const renamed = Object.fromEntries(
      Object.entries(parts).map(([part, tensors]) => [
        part,
        new Map([...tensors].map(([name, tensor]) => [name.replace('downs_', 'level_'), tensor])),
      ]),
    )
    expect(saehdWeightsFromDfl(options, renamed)).toEqual(saehdWeightsFromDfl(options, parts))
  })
})
