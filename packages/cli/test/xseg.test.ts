import { writeFile } from 'node:fs/promises'
import { openFaceset } from '@dfl/faceset'
import { describe, expect, it } from 'vitest'
import { dfl, scratchFolder, writeFaces } from './support.js'

describe('dfl xseg train', () => {
  it('is pretrained on faces without outlines, and goes on with those that have some', async () => {
    await using scratch = await scratchFolder()
    const faces = scratch.at('src', 'aligned')
    await writeFaces(faces)
    const train = (...args: string[]) =>
      dfl('xseg', 'train', '--workspace', scratch.at(), '--batch-size', '2', '--resolution', '64', ...args)

    const pretrained = await train('--pretrain', faces, '--iterations', '1')
    expect(pretrained.stderr).toContain('XSeg 64 px on 6 faces without outlines, from zero')
    expect(pretrained.code).toBe(0)

    const without = await train('--iterations', '2')
    expect(without.code).toBe(3)
    expect(without.stderr).toContain('Expected faces with outlines')

    const corners = [
      [8, 8],
      [56, 8],
      [56, 56],
      [8, 56],
    ]
    const outline = {
      imageWidth: 64,
      imageHeight: 64,
      shapes: [{ label: 'face', shape_type: 'polygon', points: corners }],
    }
    await writeFile(scratch.at('clip_000000_0.json'), JSON.stringify(outline))
    await dfl('faceset', 'import-masks', '--input', faces, '--masks', scratch.at('clip_000000_0.json'))
    const trained = await train('--iterations', '2')
    expect(trained.stderr).toContain('XSeg 64 px on 1 face with outlines, goes on from iteration 1')
    expect(trained.stdout).toContain('2 iterations')

    await dfl('faceset', 'copy', '--input', faces, '--outlined', '--out', scratch.at('labelled'))
    const labelled = await openFaceset(scratch.at('labelled'))
    expect((await labelled.all()).map(({ filename }) => filename)).toEqual(['clip_000000_0.png'])
    await dfl('xseg', 'remove', '--side', 'src', '--outlines', '--workspace', scratch.at())
    expect((await (await openFaceset(faces)).all()).filter(({ polygons }) => polygons)).toEqual([])
  }, 90_000)
})
