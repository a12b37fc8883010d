import { readFileSync } from 'node:fs'
import type { Pixels } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import {
  cutFace,
  denoise,
  type FaceNotes,
  feather,
  type MergeFace,
  type MergeStage,
  sharpen,
  startMerge,
  steadyMask,
} from '../src/index.js'
import { ellipse, identity, landmarks, meta, smoothFrame, square } from './synthetic.js'

/** Made by scripts/golden/merge_stages.py. */
const golden = JSON.parse(readFileSync(new URL('golden/stages.json', import.meta.url), 'utf8')) as {
  size: number
  edge: number
} & Record<string, number[]>
const { size, edge } = golden
const picture = (name: string, channels: 1 | 3): Pixels => ({
  ...{ data: Float32Array.from(golden[name]!), width: size, height: size, channels },
})
const points = landmarks({ x: 240, y: 180, scale: 0.6 })
function start(index = 0, past?: FaceNotes): MergeFace {
  const crop = cutFace(smoothFrame(), meta(points, index), identity(64))
  return startMerge(smoothFrame(), crop, { face: crop.dst, mask: ellipse(64), dstMask: ellipse(64) }, past)
}

function expectInner(found: Pixels, name: string): void {
  const { data, channels } = found
  let largest = 0
  for (let y = edge; y < size - edge; y++)
    for (let i = (y * size + edge) * channels; i < (y * size + size - edge) * channels; i++)
      largest = Math.max(largest, Math.abs(data[i]! - golden[name]![i]!))
  expect(largest).toBeLessThan(1e-3)
}

describe('stages against NumPy', () => {
  it.each([
    ['sharpen60', sharpen(60)],
    ['sharpenMinus40', sharpen(-40)],
    ['denoise70', denoise(70)],
  ] as const)('%s', async (name, stage: MergeStage) => {
    expectInner((await stage({ ...start(), face: picture('face', 3) })).face, name)
  })

  it('feather', async () => {
    expectInner((await feather({ top: 96 })({ ...start(), mask: picture('mask', 1) })).mask, 'featherTop96')
  })

  it('steadyMask', async () => {
    const stage = steadyMask(0.25)
    let past: FaceNotes | undefined
    for (const [index, level] of golden.levels!.entries()) {
      const done = await stage({ ...start(index, past), mask: square(256, () => level) })
      past = { timestampSeconds: index / 24, centre: [240, 180], sizePx: 200, values: done.notes }
      // Noted in whole thousandths.
      expect(Math.abs(done.mask.data[256 * 128 + 128]! - golden.steadyMask![index]!)).toBeLessThan(3e-3)
    }
  })
})
