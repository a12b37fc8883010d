import type { Bitmap, Pixels } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import { blur, colorTransfer, cutFace, type MergedFrame, mask, mergeFrame, mergeStages, overlay } from '../src/index.js'
import { frameOf, identity, landmarks, meta, painted, smoothFrame, square, swapper } from './synthetic.js'

const inside = (x: number, y: number, { rects }: MergedFrame) =>
  rects.some((r) => x >= r.x && x < r.x + r.width && y >= r.y && y < r.y + r.height)

/** Mean and largest difference of two frames in steps of a byte, and how many pixels differ outside the rectangles. */
function difference(before: Bitmap, after: MergedFrame) {
  let total = 0
  let count = 0
  let largest = 0
  let outside = 0
  for (let p = 0; p < before.width * before.height; p++) {
    const within = inside(p % before.width, Math.floor(p / before.width), after)
    for (let c = 0; c < 3; c++) {
      const d = Math.abs(before.data[3 * p + c]! - after.bitmap.data[3 * p + c]!)
      if (!within && d > 0) outside++
      if (!within) continue
      total += d
      count++
      largest = Math.max(largest, d)
    }
  }
  return { mean: total / count, largest, outside }
}

const at = ({ bitmap }: MergedFrame, x: number, y: number) => [
  ...bitmap.data.subarray((y * bitmap.width + x) * 3, (y * bitmap.width + x) * 3 + 3),
]

describe('mergeFrame', () => {
  const frame = smoothFrame()
  const centre = { x: 240, y: 180 }

  it.each([
    ['a face as large as the model', 128, { ...centre, scale: 0.5 }],
    ['a face larger than the model', 96, { ...centre, scale: 0.9 }],
    ['a face smaller than the model', 256, { ...centre, scale: 0.4 }],
    ['a tilted face', 128, { ...centre, scale: 0.6, turnDegrees: 25 }],
    ['a face cut by the edge of the frame', 128, { x: 30, y: 330, scale: 0.6 }],
  ])('puts %s back exactly where it came from', async (_, resolution, place) => {
    const merged = await mergeFrame(frame, [meta(landmarks(place))], {
      swapper: identity(resolution),
      stages: mergeStages(),
    })
    const { mean, largest, outside } = difference(frame, merged)
    expect(merged.rects).toHaveLength(1)
    expect(mean).toBeLessThan(0.15)
    expect(largest).toBeLessThanOrEqual(2)
    expect(outside).toBe(0)
  })

  it('would notice a shift of a quarter of a model pixel', async () => {
    // The same measurement with a swap that moves its picture: the test above can fail.
    const shifted = swapper(128, (dst) => {
      const data = dst.data.map((v, i) => 0.75 * v + 0.25 * (dst.data[i - 3] ?? v))
      return { ...dst, data }
    })
    const face = meta(landmarks({ ...centre, scale: 0.5 }))
    const merged = await mergeFrame(frame, [face], { swapper: shifted, stages: mergeStages({ colorTransfer: 'none' }) })
    expect(difference(frame, merged).mean).toBeGreaterThan(0.45)
  })

  it('leaves the given frame alone and gives the same bitmap back where there is no face', async () => {
    const copy = frame.data.slice()
    const options = { swapper: painted(64, [1, 0, 0]), stages: mergeStages() }
    const { bitmap, ...rest } = await mergeFrame(frame, [], options)
    expect(bitmap).toBe(frame)
    expect(rest).toMatchObject({ rects: [], notes: [], faces: [] })
    await mergeFrame(frame, [meta(landmarks(centre))], options)
    expect(frame.data.every((v, i) => v === copy[i])).toBe(true)
  })

  it('shows the painted face at full strength in the middle of the mask', async () => {
    const merged = await mergeFrame(frame, [meta(landmarks({ ...centre, scale: 0.6 }))], {
      swapper: painted(128, [1, 0.5, 0]),
      stages: mergeStages({ colorTransfer: 'none' }),
    })
    expect(at(merged, 240, 180)).toEqual([255, 128, 0])
  })

  it('never shows the edge of the square, whatever the mask says', async () => {
    const gray = frameOf(480, 360, () => 0.25)
    const merged = await mergeFrame(gray, [meta(landmarks({ ...centre, scale: 0.7, turnDegrees: 10 }))], {
      swapper: painted(64, [1, 1, 1]),
      stages: [mask('full'), overlay()],
    })
    expect(at(merged, 240, 180)).toEqual([255, 255, 255])
    let steepest = 0
    for (let y = 1; y < 360; y++)
      for (let x = 1; x < 480; x++) {
        const here = at(merged, x, y)[0]!
        steepest = Math.max(
          steepest,
          Math.abs(here - at(merged, x - 1, y)[0]!),
          Math.abs(here - at(merged, x, y - 1)[0]!),
        )
      }
    expect(steepest).toBeLessThan(120) // of 191, the height of the edge
  })

  it('lays the larger of two faces on top', async () => {
    const colours = [
      [1, 0, 0],
      [0, 0, 1],
    ] as const
    const two = swapper(64, (dst, i) => ({ ...dst, data: dst.data.map((_, k) => colours[i]![k % 3]!) }))
    const large = meta(landmarks({ x: 220, y: 180, scale: 0.8 }))
    const small = meta(landmarks({ x: 270, y: 180, scale: 0.5 }))
    const merged = await mergeFrame(frame, [large, small], {
      swapper: two,
      stages: mergeStages({ colorTransfer: 'none' }),
    })
    expect(merged.rects).toHaveLength(2)
    expect(at(merged, 230, 180)).toEqual([255, 0, 0])
    expect(at(merged, 250, 180)).toEqual([255, 0, 0])
  })

  it('works on 16-bit frames without losing their precision', async () => {
    const wide: Bitmap = { ...frame, data: Uint16Array.from(frame.data, (v, i) => v * 257 + (i % 100)) }
    const merged = await mergeFrame(wide, [meta(landmarks({ ...centre, scale: 0.5 }))], {
      swapper: identity(256),
      stages: mergeStages({ colorTransfer: 'none' }),
    })
    expect(merged.bitmap.data).toBeInstanceOf(Uint16Array)
    expect(difference(wide, merged).mean).toBeLessThan(120)
    expect(difference(wide, merged).outside).toBe(0)
  })

  it('gives the model crops of the size and face type it asks for', async () => {
    const given: Pixels[] = []
    const spy = swapper(96, (dst) => given[given.push(dst) - 1]!)
    const face = meta(landmarks({ ...centre, scale: 0.5 }))
    await mergeFrame(frame, [face, face], { swapper: spy, stages: [] })
    expect(given).toHaveLength(2)
    expect(given[0]).toMatchObject({ width: 96, height: 96, channels: 3 })
    const wider = cutFace(frame, face, { faceType: 'whole_face', resolution: 96 })
    expect(wider.imageToFaceMat[0]).toBeLessThan(cutFace(frame, face, spy).imageToFaceMat[0])
  })

  it('changes nothing without a mask to paste through', async () => {
    const merged = await mergeFrame(frame, [meta(landmarks(centre))], {
      swapper: painted(
        64,
        [1, 0, 0],
        square(64, () => 0),
      ),
      stages: mergeStages(),
    })
    expect(merged.rects).toEqual([])
    expect(merged.bitmap).toBe(frame)
  })

  it('runs stages of the caller between its own', async () => {
    const face = meta(landmarks({ ...centre, scale: 0.5 }))
    const merged = await mergeFrame(frame, [face], {
      swapper: painted(64, [1, 1, 1]),
      stages: [
        mask('learned-prd'),
        blur(10),
        colorTransfer('none'),
        async (face) => ({ ...face, face: { ...face.face, data: face.face.data.map(() => 0) } }),
        overlay(),
      ],
    })
    expect(at(merged, 240, 180)).toEqual([0, 0, 0])
  })

  it('refuses a swap of the wrong size', async () => {
    const wrong = { ...identity(64), swap: identity(32).swap, resolution: 64 }
    const small = square(32, () => 1)
    await expect(
      mergeFrame(frame, [meta(landmarks(centre))], {
        swapper: { ...wrong, swap: async (faces) => faces.map((face) => ({ face, mask: small, dstMask: small })) },
        stages: [],
      }),
    ).rejects.toThrow(
      'Expected [64, 64, 1] for `mask` of a swap, but got [32, 32, 1]. Give back pictures of the size of the crops.',
    )
  })

  it('refuses another number of swaps than faces', async () => {
    await expect(
      mergeFrame(frame, [meta(landmarks(centre))], { swapper: { ...identity(64), swap: async () => [] }, stages: [] }),
    ).rejects.toThrow('Expected 1 swap from `swap`, but got 0. Give back one swap for each face, in the same order.')
  })
})
