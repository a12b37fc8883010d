import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeImage } from '@dfl/media'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FacesOf, mergeFrame, mergeStages, openPreview, type Swapper } from '../src/index.js'
import { frameOf, landmarks, meta, painted, same } from './synthetic.js'

let frames: string
const pictureAt = (index: number) => frameOf(240, 176, (x, y, c) => 0.5 + 0.3 * Math.sin((x + y) / 9 + c + index))
const faces: FacesOf = ({ index }) => (index < 3 ? [meta(landmarks({ x: 115, y: 90, scale: 0.6 }), index)] : [])

beforeAll(async () => {
  frames = await mkdtemp(join(tmpdir(), 'preview-'))
  for (let index = 0; index < 4; index++) await writeImage(join(frames, `${index}.png`), pictureAt(index))
})
afterAll(() => rm(frames, { recursive: true, force: true }))

describe('openPreview', () => {
  it('shows a frame as merging it alone does, whatever was shown before', async () => {
    const swapper = painted(64, [0.1, 0.7, 0.2])
    await using preview = await openPreview({ frames, faces, swapper })
    for (const index of [2, 0, 2, 1]) {
      const { before, after } = await preview.show(index, { blur: 30 })
      expect(same(before, pictureAt(index))).toBe(true)
      const stages = mergeStages({ blur: 30 })
      const expected = await mergeFrame(before, await faces({ index, name: '' }), { swapper, stages })
      expect(same(after, expected.bitmap)).toBe(true)
    }
    const { before, after } = await preview.show(3)
    expect(after).toBe(before)
  })

  it('does not ask the model again when only settings change', async () => {
    let asked = 0
    const plain = painted(64, [0.1, 0.7, 0.2])
    const swapper: Swapper = {
      ...plain,
      swap: async (crops) => {
        asked++
        return plain.swap(crops)
      },
    }
    await using preview = await openPreview({ frames, faces, swapper })
    const first = await preview.show(1, { erode: 0 })
    const second = await preview.show(1, { erode: 30 })
    expect(asked).toBe(1)
    expect(same(second.after, first.after)).toBe(false)
  })

  it('refuses wrong options, and frames beyond the end', async () => {
    await using preview = await openPreview({ frames, faces, swapper: painted(64, [0, 0, 0]) })
    await expect(preview.show(0, { blur: -1 })).rejects.toThrow('for `blur`, but got -1.')
    await preview.show(3)
    await expect(preview.show(9)).rejects.toThrow(
      'Expected a frame below 4 for `index`, but got 9. The clip ends there.',
    )
  })
})
