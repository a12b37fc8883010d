import { readFileSync } from 'node:fs'
import type { Bitmap, Pixels } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import { cutFace, histMatch, type MergeFace, type MergeStage, multiBand, seamless, startMerge } from '../src/index.js'
import { identity, landmarks, meta } from './synthetic.js'

/** Made by scripts/golden/merge_modes.py. */
const golden = JSON.parse(readFileSync(new URL('golden/modes.json', import.meta.url), 'utf8')) as {
  size: number
} & Record<string, number[]>
const { size } = golden
const pixels = (values: ArrayLike<number>, channels: 1 | 3): Pixels => ({
  ...{ data: Float32Array.from(values), width: size, height: size, channels },
})
const frame: Bitmap = { data: Uint16Array.from(golden.frame!), width: size, height: size, channels: 3 }

/** A face that lies in its frame already. */
function placed(alpha = golden.alpha!): MergeFace {
  const crop = cutFace(frame, meta(landmarks({ x: 16, y: 16, scale: 0.1 })), identity(16))
  const one = pixels(new Float32Array(16 * 16).fill(1), 1)
  const mask = { ...one, width: 16, height: 16 }
  const rect = { x: 0, y: 0, width: size, height: size }
  return {
    ...startMerge(frame, crop, { face: crop.dst, mask, dstMask: mask }),
    placed: { rect, painted: pixels(golden.painted!, 3), alpha: pixels(alpha, 1) },
  }
}

/** Largest and mean distance of what a stage paints, where `where` says. */
async function distance(stage: MergeStage, name: string, where: (p: number) => boolean, alpha?: number[]) {
  const { painted } = (await stage(placed(alpha))).placed!
  const off = Array.from(painted.data, (v, i) => (where(Math.floor(i / 3)) ? Math.abs(v - golden[name]![i]!) : 0))
  const count = golden.alpha!.filter((_, p) => where(p)).length * 3
  return { largest: Math.max(...off), mean: off.reduce((sum, v) => sum + v, 0) / count }
}

describe('modes against other people’s code', () => {
  it('seamless solves Poisson’s equation, to within a step of 8 bits', async () => {
    const found = await distance(seamless(), 'seamless', (p) => golden.inside![p] === 1)
    expect(found.largest).toBeLessThan(1 / 255)
    expect(found.mean).toBeLessThan(1e-3)
  })

  it('hist-match is that of scikit-image where all pixels count', async () => {
    const all = golden.alpha!.map(() => 1)
    const found = await distance(histMatch(), 'histMatch', () => true, all)
    expect(found.mean).toBeLessThan(1e-3)
    expect(found.largest).toBeLessThan(6e-3)
  })

  it('multi-band is the sum of bands, made with the same filters by Pillow', async () => {
    const found = await distance(multiBand(), 'multiBand', () => true)
    expect(found.largest).toBeLessThan(1e-3)
  })
})
