import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Picklable, writePickle } from '@dfl/core/pickle'
import { loadNetwork } from '@dfl/engine'
import { saehd } from '@dfl/model-saehd'
import { dflBlockName, initialise } from '@dfl/nn'
import { describe, expect, it } from 'vitest'
import { lockWorkspace } from '../src/index.js'
import { dfl, scratchFolder, writeFaces } from './support.js'

const dims = { resolution: 32, aeDims: 16, eDims: 8, dDims: 8, dMaskDims: 4 }
const small = ['--resolution', '32', '--ae-dims', '16', '--e-dims', '8', '--d-dims', '8', '--d-mask-dims', '4']

/** A folder with a small LIAE-UD as DeepFaceLab saves it. */
async function writeDflModel(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const variant = { archi: 'liae', pixelNorm: true, subpixel: true, deep: false, cosine: false } as const
  const { params } = saehd.build({ ...dims, ...variant })
  const parts: Record<string, Record<string, Picklable>> = {}
  for (const [path, { data, shape }] of Object.entries(initialise(params, 1))) {
    const part = path.split('/')[0]!
    parts[part] ??= {}
    parts[part][`${dflBlockName(path, variant)}:0`] = { type: 'f4', shape, values: data }
  }
  for (const [part, weights] of Object.entries(parts))
    await writeFile(join(folder, `old_SAEHD_${part}.npy`), writePickle(weights))
  const options = {
    resolution: 32,
    ae_dims: 16,
    e_dims: 8,
    d_dims: 8,
    d_mask_dims: 4,
    archi: 'liae-ud',
    face_type: 'f',
  }
  await writeFile(join(folder, 'old_SAEHD_data.dat'), writePickle({ iter: 77, options }))
}

describe('dfl model', () => {
  it('imports a model of DeepFaceLab that goes on training', async () => {
    await using place = await scratchFolder()
    const workspace = place.at('w')
    for (const side of ['src', 'dst']) await writeFaces(place.at(`w/${side}/aligned`))
    await writeDflModel(place.at('old'))
    const made = await dfl('model', 'import', '--input', place.at('old'), '--workspace', workspace)
    expect(made.stdout + made.stderr).toContain('saehd, full_face, 77 iterations')
    const trained = await dfl('train', '--workspace', workspace, '--iterations', '79', '--batch-size', '2')
    expect(trained.code, trained.stderr).toBe(0)
    {
      await using _ = await lockWorkspace(workspace, 'train') // As while a training runs.
      const { stdout } = await dfl('model', 'info', '--workspace', workspace)
      expect(stdout).toContain('Kind       saehd, full_face, 32 px')
      expect(stdout).toContain('79 iterations')
      const out = place.at('person.dfm')
      expect((await dfl('model', 'export', '--workspace', workspace, '--out', out)).stdout).toContain(out)
    }
    const again = await dfl('model', 'import', '--input', place.at('old'), '--workspace', workspace)
    expect(again.stderr).toContain('Expected no model yet in')
  })

  it('trains an AMP, tells what it can be told when merging, and exports it for live programs', async () => {
    await using place = await scratchFolder()
    const workspace = place.at('w')
    for (const side of ['src', 'dst']) await writeFaces(place.at(`w/${side}/aligned`))
    const flags = ['--architecture', 'amp', '--inter-dims', '32', ...small, '--iterations', '2', '--batch-size', '2']
    const trained = await dfl('train', '--workspace', workspace, ...flags)
    expect(trained.code, trained.stderr).toBe(0)
    const info = await dfl('model', 'info', '--workspace', workspace)
    expect(info.stdout).toContain('Control    morph, 0 to 1, usually 0.75: How much of SRC is painted')
    const out = place.at('person.dfm')
    const { code, stderr } = await dfl('model', 'export', '--workspace', workspace, '--out', out, '--half')
    expect(code, stderr).toBe(0)
    await using network = await loadNetwork(await readFile(out))
    expect(network.inputNames).toEqual(['in_face:0', 'morph_value:0'])
    expect(network.outputNames).toEqual(['out_face_mask:0', 'out_celeb_face:0', 'out_celeb_face_mask:0'])
  })

  it('says what is missing', async () => {
    await using place = await scratchFolder()
    await mkdir(place.at('empty'))
    const none = await dfl('model', 'import', '--input', place.at('empty'), '--workspace', place.at('w'))
    expect(none.stderr).toContain('Expected one model of DeepFaceLab in')
    expect((await dfl('model')).stderr).toContain(
      'Expected one of info, import, export, restore, timelapse after `dfl model`, but got nothing.',
    )
  })
})
