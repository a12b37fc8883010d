import { readdir, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { FaceMeta, Rect } from '@dfl/core'
import { openFaceset } from '@dfl/faceset'
import { openFrames, writeImage } from '@dfl/media'
import { expect, it } from 'vitest'
import { dfl, scratchFolder } from './support.js'

/** What labelme saves of a rectangle drawn on a picture of half the frame's size. */
const drawn = (imagePath: string, { x, y, width, height }: Rect, frame: { width: number; height: number }) =>
  JSON.stringify({
    imagePath,
    ...{ imageWidth: frame.width / 2, imageHeight: frame.height / 2 },
    shapes: [
      {
        ...{ label: 'face', shape_type: 'rectangle' },
        points: [
          [x / 2, y / 2],
          [(x + width) / 2, (y + height) / 2],
        ],
      },
    ],
  })

const apart = (a: FaceMeta, b: FaceMeta) =>
  a.sourceLandmarks.reduce(
    (sum, [x, y], i) => sum + Math.hypot(x - b.sourceLandmarks[i]![0], y - b.sourceLandmarks[i]![1]) / 68,
    0,
  )

it('puts faces where boxes are drawn, and on the way between two, into frames that have none', async () => {
  await using scratch = await scratchFolder()
  const footage = fileURLToPath(new URL('../../../examples/footage/pair1-dst.mp4', import.meta.url))
  await using clip = await openFrames(footage, { end: 8 })
  for await (const frame of clip.frames()) {
    await writeImage(scratch.at('shot', `${frame.index}.png`), frame.bitmap)
    frame.close()
  }
  const { width, height } = clip.info
  const place = ['--workspace', scratch.at('w')]
  const aligned = scratch.at('w/dst/aligned')
  const faces = async () => (await (await openFaceset(aligned)).all()).sort((a, b) => a.frameIndex - b.frameIndex)
  await dfl('extract', '--side', 'dst', '--input', scratch.at('shot'), '--smooth', 'off', ...place)
  const before = await faces()
  expect(before.map(({ frameIndex }) => frameIndex)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  for (const { filename } of before.slice(2, 6)) await rm(`${aligned}/${filename}`)

  const missing = await dfl('faceset', 'missing', '--out', scratch.at('missing'), '--every-nth', '9', ...place)
  expect(missing.stdout).toContain('Pictures 2 of 4 frames without a face')
  expect((await readdir(scratch.at('missing'))).sort()).toEqual(['shot_000002.png', 'shot_000005.png'])
  const boxes = (path = scratch.at('missing')) => dfl('faceset', 'place', '--boxes', path, ...place)
  expect((await boxes()).stderr).toContain("keep the pictures' names.")
  for (const index of [2, 5]) {
    const name = `shot_00000${index}`
    await writeFile(
      scratch.at('missing', `${name}.json`),
      drawn(`${name}.png`, before[index]!.sourceRect, { width, height }),
    )
  }
  const placed = await boxes()
  expect(placed.stdout).toContain('Faces    4 added')
  const after = await faces()
  expect(after.map(({ filename }) => filename)).toEqual(before.map(({ filename }) => filename))
  for (const [i, face] of after.entries()) expect(apart(face, before[i]!)).toBeLessThan(i < 2 || i > 5 ? 1e-9 : 3)
  expect(after.every(({ embedding }, i) => i < 2 || i > 5 || embedding?.length === 128)).toBe(true)

  // A box on the background.
  await rm(`${aligned}/${after[4]!.filename}`)
  await writeFile(
    scratch.at('corner_000004.json'),
    drawn('corner_000004.png', { x: 4, y: 4, width: 60, height: 60 }, { width, height }),
  )
  const none = await boxes(scratch.at('corner_000004.json'))
  expect(none.stdout).toContain('Faces    0 added')
  expect(none.stderr).toContain('No face is seen in the boxes of frames 4: draw them from brows to chin.')
})
