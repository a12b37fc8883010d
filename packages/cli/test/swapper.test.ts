import { resolveOptions } from '@dfl/core'
import { amp } from '@dfl/model-amp'
import { OPTIMISERS } from '@dfl/nn'
import { createTrainState } from '@dfl/trainer'
import { describe, expect, it } from 'vitest'
import { openSwapper } from '../src/index.js'
import { paintedBy, sayControls } from '../src/swapper.js'
import { dfl, scratchFolder } from './support.js'

const dims = { resolution: 32, aeDims: 16, interDims: 32, eDims: 8, dDims: 8, dMaskDims: 4 }
const model = amp.build(resolveOptions(amp.options, dims))
const state = createTrainState(model, OPTIMISERS.adabelief(), 1)
const run = { description: { faceType: 'full_face' as const }, model, state }
const face = { data: new Float32Array(32 * 32 * 3).fill(0.5), width: 32, height: 32, channels: 3 as const }

const painted = async (controls?: Record<string, number>) => {
  await using swapper = await openSwapper(run, { batchSize: 1, controls })
  return (await swapper.swap([face]))[0]!.face.data
}

describe('what a model is told when merging', () => {
  it('changes what it paints; without, it is told the usual', async () => {
    const usual = await painted()
    expect(await painted({ morph: 0.75 })).toEqual(usual)
    for (const morph of [0, 1]) expect(await painted({ morph })).not.toEqual(usual)
  })

  it('is part of what tells one merge from another, and is said', () => {
    const from = (controls?: Record<string, number>) =>
      JSON.stringify(paintedBy({ ...run, progress: { iteration: 1, seconds: 1 } } as never, controls))
    expect(from({ morph: 0.5 })).not.toBe(from())
    expect(from({ morph: 0.75 })).toBe(from())
    expect(sayControls(model, { morph: 0.5 })).toBe(', morph 0.5')
    expect(sayControls({ ...model, controls: undefined })).toBe('')
  })

  it('is refused where the model does not know it, and beyond its limits, before anything is compiled', async () => {
    await expect(painted({ mix: 1 })).rejects.toThrow(
      'Expected one of morph as a control, but got `mix`. This model has no other.',
    )
    expect(() => sayControls({ ...model, controls: undefined }, { morph: 1 })).toThrow(
      'Expected no control, since this model has none, but got `morph`. Leave it out.',
    )
    await expect(painted({ morph: 2 })).rejects.toThrow('Expected a number between 0 and 1 for `morph`, but got 2.')
  })

  it('is a name and a number on the command line', async () => {
    await using folder = await scratchFolder()
    for (const wrong of ['morph', 'morph=', 'morph=much', '=1']) {
      const { stderr } = await dfl('merge', '--workspace', folder.at('w'), '--control', wrong)
      expect(stderr).toContain(
        `Expected a name and a number, such as morph=0.5, for \`--control\`, but got '${wrong}'.`,
      )
    }
  })
})
