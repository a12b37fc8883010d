import type { Bitmap, Pixels } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import { blur, cutFace, keepBehind, type MergeFace, mask, startMerge } from '../src/index.js'
import { ellipse, frameOf, identity, landmarks, meta } from './synthetic.js'

const points = landmarks({ x: 240, y: 180, scale: 0.6 })
const skin = [0.75, 0.55, 0.45]
const wall = [0.3, 0.38, 0.4]

/** A frame whose colours are a function of the place in the face's own square, −1..1 from left to right and down. */
function frameOfSquare(colour: (x: number, y: number) => readonly number[]): Bitmap {
  const blank = frameOf(480, 360, () => 0)
  const [a, b, tx, c, d, ty] = cutFace(blank, meta(points), identity(64)).imageToFaceMat
  return frameOf(480, 360, (x, y, channel) => {
    const sx = ((a * x + b * y + tx + 0.5) / 64) * 2 - 1
    const sy = ((c * x + d * y + ty + 0.5) / 64) * 2 - 1
    return colour(sx, sy)[channel]!
  })
}

/** The soft mask before and after the stage; `learned` is an ellipse of 0.7 by 0.85 of the square. */
async function around(frame: Bitmap): Promise<{ soft: Pixels; kept: Pixels }> {
  const crop = cutFace(frame, meta(points), identity(64))
  const learned = ellipse(64)
  let face: MergeFace = startMerge(frame, crop, { face: crop.dst, mask: learned, dstMask: learned })
  for (const stage of [mask('learned-prd'), blur(16)]) face = await stage(face)
  return { soft: face.mask, kept: (await keepBehind()(face)).mask }
}

const at = ({ data, width }: Pixels, x: number, y: number) =>
  data[Math.floor(((y + 1) / 2) * width) * width + Math.floor(((x + 1) / 2) * width)]!

describe('keepBehind', () => {
  it('gives back what is behind the head where the mask reaches past it, up to the edge in the frame', async () => {
    // The head ends at x = 0.6; the mask at 0.7.
    const { soft, kept } = await around(frameOfSquare((x) => (x < 0.6 ? skin : wall)))
    expect(at(soft, 0.66, 0)).toBeGreaterThan(0.7)
    expect(at(kept, 0.66, 0)).toBeLessThan(0.02)
    expect(at(kept, 0.63, 0.1)).toBeLessThan(0.02)
    expect(at(kept, 0.57, 0)).toBeCloseTo(at(soft, 0.57, 0), 2)
    expect(at(kept, -0.66, 0)).toBeCloseTo(at(soft, -0.66, 0), 5)
  })

  it('changes nothing where the colours on both sides of the edge are alike', async () => {
    const { soft, kept } = await around(frameOfSquare(() => skin))
    expect(kept).toEqual(soft)
  })

  it('changes next to nothing where light fades over the edge', async () => {
    const fading = frameOfSquare((x) => skin.map((v) => v * Math.min(1, Math.max(0.3, 1.2 - x))))
    const { soft, kept } = await around(fading)
    expect(Math.max(...soft.data.map((v, i) => v - kept.data[i]!))).toBeLessThan(0.1)
  })

  it('changes nothing above a dark brow, where the colour beside is the skin of the face', async () => {
    const brow = [0.12, 0.1, 0.08]
    const { soft, kept } = await around(
      frameOfSquare((x, y) => (Math.abs(x) < 0.5 && y > -0.78 && y < -0.6 ? brow : skin)),
    )
    expect(Math.max(...soft.data.map((v, i) => v - kept.data[i]!))).toBeLessThan(0.1)
  })

  it('still covers a dark brow that ends at the edge of the head', async () => {
    const brow = [0.12, 0.1, 0.08]
    const isBrow = (x: number, y: number) => x > 0.2 && Math.abs(y + 0.2) < 0.06
    const { soft, kept } = await around(frameOfSquare((x, y) => (x >= 0.62 ? wall : isBrow(x, y) ? brow : skin)))
    expect(at(kept, 0.55, -0.2)).toBeCloseTo(at(soft, 0.55, -0.2), 1)
    expect(at(kept, 0.3, -0.2)).toBeCloseTo(at(soft, 0.3, -0.2), 2)
  })

  it('does not open the middle of a face for a spot in the colour of the wall', async () => {
    const isSpot = (x: number, y: number) => Math.hypot(x - 0.35, y) < 0.1
    const { soft, kept } = await around(frameOfSquare((x, y) => (x >= 0.6 || isSpot(x, y) ? wall : skin)))
    expect(at(kept, 0.35, 0)).toBeCloseTo(at(soft, 0.35, 0), 2)
  })
})
