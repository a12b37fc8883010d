import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { collect } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import { createFaceset, faceMask, importMasks, openFaceset } from '../src/index.js'
import { syntheticFace, syntheticImage, temporaryFolder } from './synthetic.js'

const SQUARE = [
  [16, 16],
  [48, 16],
  [48, 48],
  [16, 48],
]
const HAND = [
  [24, 24],
  [40, 24],
  [32, 40],
]

/** A faceset of three faces of 64 px, and a folder for labels. */
async function threeFaces() {
  const folder = await temporaryFolder()
  await using writer = await createFaceset(folder, { faceType: 'whole_face', size: 64 })
  for (let i = 0; i < 3; i++) await writer.add(syntheticFace(i), syntheticImage(i))
  const labels = join(folder, 'labels')
  await mkdir(labels)
  return { folder, labels, names: Array.from({ length: 3 }, (_, i) => syntheticFace(i).filename) }
}

const facesOf = async (folder: string) => (await openFaceset(folder)).all()

/** Walks an import to its end: how many faces it says. */
async function imported(folder: string, labels: string): Promise<number> {
  const steps = importMasks(folder, labels)
  for (;;) {
    const { done, value } = await steps.next()
    if (done) return value
  }
}

describe('outlines that were drawn elsewhere', () => {
  it('come from labelme, scaled to the face, and cut out what is labelled so', async () => {
    const { folder, labels, names } = await threeFaces()
    const drawn = {
      ...{ imagePath: `..\\aligned\\${names[1]}`, imageWidth: 128, imageHeight: 128 },
      shapes: [
        { label: 'face', shape_type: 'rectangle', points: [SQUARE[0], SQUARE[2]].map((p) => p!.map((v) => 2 * v)) },
        { label: 'exclude', shape_type: 'polygon', points: HAND.map((p) => p.map((v) => 2 * v)) },
        { label: 'face', shape_type: 'point', points: [[3, 3]] },
      ],
    }
    await writeFile(join(labels, 'any.json'), JSON.stringify(drawn))
    await writeFile(join(labels, 'settings.json'), '{"of": "another program"}')
    expect(await imported(folder, labels)).toBe(1)
    const [first, second] = await facesOf(folder)
    expect(first!.polygons).toBeUndefined()
    expect(second!.polygons).toEqual([
      { kind: 'include', points: SQUARE },
      { kind: 'exclude', points: HAND },
    ])
    const { data } = faceMask(second!, {})
    const at = (x: number, y: number) => data[64 * y + x]
    expect([at(20, 20), at(32, 30), at(8, 8)]).toEqual([1, 0, 0])
  })

  it('come from the VGG Image Annotator, as a project or as regions alone', async () => {
    const { folder, labels, names } = await threeFaces()
    const shape = (points: number[][]) => ({
      ...{ name: 'polygon', all_points_x: points.map(([x]) => x), all_points_y: points.map(([, y]) => y) },
    })
    const regions = [
      { shape_attributes: shape(SQUARE), region_attributes: {} },
      { shape_attributes: shape(HAND), region_attributes: { what: 'exclude' } },
    ]
    const alone = { [`${names[0]}123`]: { filename: names[0], size: 123, regions: { ...regions } } }
    const project = { _via_settings: {}, _via_img_metadata: { x: { filename: names[2], size: 1, regions } } }
    await writeFile(join(labels, 'alone.json'), JSON.stringify(alone))
    await writeFile(join(labels, 'project.json'), JSON.stringify(project))
    expect(await imported(folder, labels)).toBe(2)
    const [first, , third] = await facesOf(folder)
    expect(first!.polygons).toEqual(third!.polygons)
    expect(first!.polygons!.map(({ kind }) => kind)).toEqual(['include', 'exclude'])
    expect(first!.polygons![0]!.points).toEqual(SQUARE)
  })

  it('take the place of those that a face had, also where none are left', async () => {
    const { folder, labels, names } = await threeFaces()
    const file = join(labels, 'one.json')
    const shapes = [{ label: 'face', points: SQUARE }]
    await writeFile(file, JSON.stringify({ imagePath: names[0], shapes }))
    await imported(folder, file)
    expect((await facesOf(folder))[0]!.polygons).toHaveLength(1)
    await writeFile(file, JSON.stringify({ imagePath: names[0], shapes: [] }))
    await imported(folder, file)
    expect((await facesOf(folder))[0]!.polygons).toBeUndefined()
  })

  it('are told when they cannot be used', async () => {
    const { folder, labels } = await threeFaces()
    const file = join(labels, 'one.json')
    await writeFile(file, '{"shapes": [')
    await expect(collect(importMasks(folder, labels))).rejects.toThrow(`Expected JSON in \`${file}\`, but got`)
    await writeFile(file, JSON.stringify({ imagePath: 'nobody.png', shapes: [] }))
    await expect(collect(importMasks(folder, labels))).rejects.toThrow(
      `Expected outlines of labelme or the VGG Image Annotator on images with the names of faces in \`${labels}\`, but got none. Draw them on the images of the faceset.`,
    )
    await rm(labels, { recursive: true })
    await expect(collect(importMasks(folder, labels))).rejects.toThrow(
      `Expected masks or outlines at \`${labels}\`, but there is nothing. Check the path.`,
    )
  })
})
