import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bitmap, FaceMeta } from '@dfl/core'
import { gaussianBlur, toBitmap, toPixels } from '@dfl/image'
import { describe, expect, it } from 'vitest'
import {
  badFaces,
  createFaceset,
  describeFaceset,
  findPersons,
  memoryFaceset,
  openFaceset,
  poseCoverage,
  posePicture,
  restoreNames,
  SORT_METHODS,
  type SortName,
  sortFaceset,
} from '../src/index.js'
import { syntheticFace, syntheticImage, temporaryFolder } from './synthetic.js'

/** Walks an operation to its end. */
async function finish<T>(operation: AsyncGenerator<unknown, T>): Promise<T> {
  for (;;) {
    const next = await operation.next()
    if (next.done) return next.value
  }
}

/** Stripes 8 px wide, so that there are edges to judge, of a brightness of their own. */
function stripes(index: number, size = 64): Bitmap {
  const data = new Uint8Array(size * size * 3)
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [Math.floor(i / 3) % size, Math.floor(i / 3 / size)]
    data[i] = (((x + 2 * index) >> 3) + (y >> 4)) % 2 === 0 ? 40 + 6 * index : 150 + 6 * index
  }
  return { data, width: size, height: size, channels: 3 }
}

const blurred = (image: Bitmap, sigma: number) => toBitmap(gaussianBlur(toPixels(image), sigma))

async function folderOf(
  faces: readonly FaceMeta[],
  image: (index: number) => Bitmap = syntheticImage,
): Promise<string> {
  const folder = await temporaryFolder()
  await using writer = await createFaceset(folder, { faceType: 'whole_face', size: 64 })
  for (const [i, face] of faces.entries()) await writer.add(face, image(i))
  return folder
}

const posed = (index: number, yawDegrees: number, pitchDegrees = 0): FaceMeta => ({
  ...syntheticFace(index),
  pose: { yawDegrees, pitchDegrees, rollDegrees: 0 },
})
const indices = (faces: readonly FaceMeta[]) => faces.map(({ frameIndex }) => frameIndex)
const allOf = async (folder: string) => (await openFaceset(folder)).all()

describe('sortFaceset', () => {
  const images = [stripes(0), blurred(stripes(0), 3), blurred(stripes(0), 0.5), blurred(stripes(0), 1.7)]
  const order = async (by: SortName, faces: readonly FaceMeta[], image?: (index: number) => Bitmap, options = {}) => {
    const folder = await folderOf(faces, image)
    await finish(sortFaceset(folder, by, options))
    return indices(await allOf(folder))
  }
  const four = [0, 1, 2, 3].map((i) => syntheticFace(i))

  it('puts the sharpest first by blur and by motion-blur, and those without a sharp edge aside', async () => {
    expect((await order('blur', four, (i) => images[i]!)).slice(0, 2)).toEqual([0, 2])
    expect(await order('motion-blur', four, (i) => images[i]!)).toEqual([0, 2, 3, 1])
  })

  it('orders by yaw, pitch, size in the frame, name, brightness, hue and black', async () => {
    const turned = [posed(0, 10, 3), posed(1, -40, 30), posed(2, 60, -20)]
    expect(await order('face-yaw', turned)).toEqual([2, 0, 1])
    expect(await order('face-pitch', turned)).toEqual([1, 0, 2])
    expect(await order('pose', turned)).toEqual([0, 1, 2])
    const sized = [30, 90, 60].map((width, i) => ({
      ...syntheticFace(i),
      sourceRect: { x: 0, y: 0, width, height: 50 },
    }))
    expect(await order('face-source-rect-size', sized)).toEqual([1, 2, 0])
    expect(await order('origname', [syntheticFace(3), syntheticFace(1), syntheticFace(2)])).toEqual([1, 2, 3])
    const flat = (r: number, g: number, b: number): Bitmap => ({
      ...stripes(0),
      data: Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => [r, g, b][i % 3]!),
    })
    const colors = [flat(10, 200, 10), flat(250, 10, 10), flat(0, 0, 100)]
    const three = four.slice(0, 3)
    expect(await order('brightness', three, (i) => colors[i]!)).toEqual([1, 0, 2])
    expect(await order('hue', three, (i) => colors[i]!)).toEqual([1, 0, 2])
    expect((await order('black', three, (i) => colors[i]!))[2]).toBe(2)
  })

  it('lets like follow like by hist and absdiff, and begins with the odd one by their opposites', async () => {
    const like = [stripes(0), stripes(12), stripes(0), stripes(12), stripes(0)]
    const faces = [0, 1, 2, 3, 4].map((i) => syntheticFace(i))
    for (const by of ['hist', 'absdiff'] as const) {
      const parts = (await order(by, faces, (i) => like[i]!)).map((i) => i % 2)
      expect([parts.join(''), by]).toEqual(['00011', by])
    }
    const odd = [stripes(0), stripes(0), stripes(14), stripes(0)]
    for (const by of ['hist-dissim', 'absdiff-dissim'] as const)
      expect((await order(by, four, (i) => odd[i]!))[0]).toBe(2)
    const alike = [stripes(0), stripes(9), stripes(14), stripes(13)]
    expect(await order('similarity', four, (i) => blurred(alike[i]!, 20), { to: '000002_0.png' })).toEqual([2, 3, 1, 0])
  })

  it('puts faces of frames with several aside by oneface', async () => {
    const second = { ...syntheticFace(1), filename: '000001_1.png', faceIndex: 1 }
    const folder = await folderOf([syntheticFace(0), syntheticFace(1), second])
    expect(await finish(sortFaceset(folder, 'oneface'))).toEqual({ sorted: 1, rejected: 2 })
    expect(indices(await allOf(folder))).toEqual([0])
    expect((await allOf(join(folder, 'rejected')))[0]?.rejected).toEqual(['several faces in the frame'])
  })

  it('keeps the best faces, even over yaw, and puts the others aside', async () => {
    const faces = Array.from({ length: 40 }, (_, i) => posed(i, i < 30 ? 0 : -60 + 12 * (i - 30), i % 5))
    const folder = await folderOf(faces)
    expect(await finish(sortFaceset(folder, 'final-by-size', { target: 12 }))).toEqual({ sorted: 12, rejected: 28 })
    const yaws = (await allOf(folder)).map(({ pose }) => pose!.yawDegrees)
    expect(new Set(yaws.filter((yaw) => yaw !== 0)).size).toBe(9)
    expect(yaws).toEqual([...yaws].sort((a, b) => a - b))
  })

  it('numbers the files in their order, sorts again without piling numbers up, and gives the names back', async () => {
    const folder = await folderOf([posed(0, 10), posed(1, -40), posed(2, 60)])
    await finish(sortFaceset(folder, 'face-yaw'))
    await finish(sortFaceset(folder, 'pose'))
    const names = ['00000_000000_0.png', '00001_000001_0.png', '00002_000002_0.png']
    expect((await readdir(folder)).filter((name) => name.endsWith('.png')).sort()).toEqual(names)
    await restoreNames(folder)
    expect((await allOf(folder)).map(({ filename }) => filename)).toEqual([
      '000000_0.png',
      '000001_0.png',
      '000002_0.png',
    ])
  })

  it('can do every method, on one face too', async () => {
    for (const by of Object.keys(SORT_METHODS) as SortName[]) {
      const folder = await folderOf([{ ...syntheticFace(0), person: 'p1' }], () => stripes(1))
      const { sorted } = await finish(sortFaceset(folder, by, { to: '000000_0.png' }))
      expect([by, sorted]).toEqual([by, 1])
    }
  })

  it('says what it lacks', async () => {
    const folder = await folderOf([syntheticFace(0)])
    await expect(finish(sortFaceset(folder, 'vggface' as SortName))).rejects.toThrow(
      /^Expected one of blur, motion-blur, .* for `by`, but got 'vggface'\. Choose one of them\.$/,
    )
    await expect(finish(sortFaceset(folder, 'similarity'))).rejects.toThrow('for `to`, but got nothing. Name one.')
    await expect(finish(sortFaceset(folder, 'identity'))).rejects.toThrow(
      'Find out who is who first: dfl faceset persons',
    )
  })
})

describe('badFaces', () => {
  const good = Array.from({ length: 14 }, (_, i) => posed(i, 0))
  const image = (i: number) => stripes(i % 12)
  const reasonsOf = async (changed: FaceMeta, own: Bitmap = stripes(13), options = {}) => {
    const faces = [...good, { ...changed, filename: 'changed.png' }]
    const images = faces.map((_, i) => (i === faces.length - 1 ? own : image(i)))
    const bad = await finish(badFaces(memoryFaceset(faces, images), { duplicates: 0, ...options }))
    return bad.get('changed.png') ?? []
  }

  it('finds nothing wrong with good faces', async () => {
    expect(await reasonsOf(posed(20, 0))).toEqual([])
  })

  it('tells small, blurred, cut off, occluded and implausible faces, each with its reason', async () => {
    const face = posed(20, 0)
    expect(await reasonsOf({ ...face, sourceRect: { x: 0, y: 0, width: 20, height: 60 } })).toEqual(['too small'])
    expect(await reasonsOf(face, blurred(stripes(13), 4))).toEqual(['blurred'])
    const left = face.sourceLandmarks.map(([x, y]) => [x - 125, y] as const)
    expect(await reasonsOf({ ...face, sourceLandmarks: left })).toEqual(['cut off'])
    expect(await reasonsOf({ ...face, frameSize: { width: 130, height: 500 } })).toEqual(['cut off'])
    const points = [
      [0, 0],
      [64, 0],
      [64, 46],
      [0, 46],
    ] as const
    expect(await reasonsOf({ ...face, polygons: [{ kind: 'exclude', points }] })).toEqual(['occluded'])
    const upsideDown = face.landmarks.map(([x, y]) => [x, 63 - y] as const)
    expect(await reasonsOf({ ...face, landmarks: upsideDown })).toEqual(['landmarks implausible'])
    const beside = face.landmarks.map(([x, y]) => [x + 8, y] as const)
    expect(await reasonsOf({ ...face, landmarks: beside })).toEqual(['landmarks implausible'])
  })

  it('puts nobody aside for a person who is not there', async () => {
    await expect(reasonsOf({ ...posed(20, 0), person: 'p2' }, undefined, { person: 'p1' })).rejects.toThrow(
      'Expected faces of p1 for `person`, but got only p2. Name one of those.',
    )
    await expect(reasonsOf(posed(20, 0), undefined, { person: 'p1' })).rejects.toThrow(
      'but got none whose persons are known. Find the persons first: dfl faceset persons',
    )
  })

  it('tells the wrong person, and of equal pictures all but the sharpest', async () => {
    const both = memoryFaceset(
      [{ ...good[0]!, person: 'p1' }, { ...good[1]!, person: 'p2' }, good[2]!],
      [0, 1, 2].map(image),
    )
    const others = await finish(badFaces(both, { duplicates: 0, person: 'p1' }))
    expect([...others]).toEqual([[good[1]!.filename, ['wrong person']]])
    expect(await reasonsOf({ ...posed(20, 0), person: 'p1' }, undefined, { person: 'p1' })).toEqual([])
    const twins = memoryFaceset([posed(0, 0), posed(1, 0)], [blurred(stripes(3), 1.5), stripes(3)])
    const bad = await finish(badFaces(twins, { duplicates: 30, minSharpness: 0 }))
    expect([...bad]).toEqual([['000000_0.png', ['duplicate']]])
  })

  it('judges nothing that is switched off', async () => {
    const off = { minSize: 0, minSharpness: 0, maxOutside: 1, maxDeviation: 1, maxOccluded: 1 }
    const awful = {
      ...posed(20, 0),
      sourceRect: { x: 0, y: 0, width: 1, height: 1 },
      landmarks: good[0]!.landmarks.map(([x, y]) => [x, 63 - y] as const),
    }
    expect(await reasonsOf(awful, blurred(stripes(13), 4), off)).toEqual([])
  })
})

describe('findPersons', () => {
  const embedding = (person: number, index: number) =>
    Array.from({ length: 128 }, (_, i) => (i === person ? 0.6 : 0) + 0.02 * Math.sin(i * 7 + index))
  const face = (index: number, person: number, clip: string, options: Partial<FaceMeta> = {}): FaceMeta => ({
    ...syntheticFace(index),
    filename: `${clip}_${index}_${person}.png`,
    sourceFilename: `${clip}#${index}`,
    faceIndex: person,
    sourceRect: { x: 300 * person + 2 * index, y: 0, width: 100, height: 100 },
    // Every second frame's identity is stored, as extraction does it.
    ...(index % 2 === 0 && { embedding: embedding(person, index) }),
    ...options,
  })
  const personsOf = async (folder: string) =>
    Object.fromEntries((await allOf(folder)).map(({ filename, person }) => [filename, person]))

  it('tells two people apart in every frame, over several clips, and keeps their names', async () => {
    const first = await folderOf(Array.from({ length: 12 }, (_, i) => [face(i, 0, 'a'), face(i, 1, 'a')]).flat())
    const second = await folderOf(Array.from({ length: 8 }, (_, i) => face(i, 1, 'b')))
    const persons = await findPersons([first, second])
    expect(persons.map(({ person, faces }) => [person, faces])).toEqual([
      ['p1', 20],
      ['p2', 12],
    ])
    expect(new Set(Object.values(await personsOf(second)))).toEqual(new Set(['p1']))
    expect((await personsOf(first))['a_3_0.png']).toBe('p2')

    const third = await folderOf(Array.from({ length: 30 }, (_, i) => face(i, 2, 'c')))
    const again = await findPersons([first, second, third])
    expect(again.map(({ person, faces }) => [person, faces])).toEqual([
      ['p3', 30],
      ['p1', 20],
      ['p2', 12],
    ])
  })

  it('gives a known person the name again when the faces are extracted anew, and that name to nobody else', async () => {
    const both = () => folderOf(Array.from({ length: 12 }, (_, i) => [face(i, 0, 'a'), face(i, 1, 'a')]).flat())
    const known = await findPersons([await both()])
    const second = known.find(({ person }) => person === 'p2')!
    const [p2] = [second.embedding[0]! > 0.3 ? 0 : 1]
    const anew = await folderOf(Array.from({ length: 12 }, (_, i) => [face(i, p2, 'b'), face(i, 5, 'b')]).flat())
    const names = (await findPersons([anew], { known })).map(({ person }) => person)
    expect(names.sort()).toEqual(['p2', 'p3'])
    expect((await personsOf(anew))[`b_4_${p2}.png`]).toBe('p2')
  })

  /** Embeddings `far` from one another, for two people or two looks of one. */
  const apart = (side: number, far: number) => ({
    embedding: embedding(9, 0).map((v, i) => v + (i === 20 ? side * far : 0)),
  })

  it('takes two who are seen together for two people, however alike they are', async () => {
    const alike = Array.from({ length: 12 }, (_, i) => [0, 1].map((who) => face(i, who, 'a', apart(who, 0.35)))).flat()
    expect(await findPersons([await folderOf(alike)])).toHaveLength(2)
    const oneByOne = Array.from({ length: 12 }, (_, i) => face(i, i < 6 ? 0 : 1, 'a', apart(i < 6 ? 0 : 1, 0.35)))
    expect(await findPersons([await folderOf(oneByOne)])).toHaveLength(1)
    const mirrored = Array.from({ length: 12 }, (_, i) =>
      [0, 1].map((who) => face(i, who, 'a', apart(who, 0.2))),
    ).flat()
    expect(await findPersons([await folderOf(mirrored)])).toHaveLength(1)
  })

  it('compares people in the poses that both show', async () => {
    const turned = (yawDegrees: number) => ({ pose: { yawDegrees, pitchDegrees: 0, rollDegrees: 0 } })
    // The same face ahead; the second clip turns away as well, which the network sees as another one.
    const ahead = Array.from({ length: 8 }, (_, i) => face(i, 0, 'a', { ...turned(0), ...apart(0, 0) }))
    const away = Array.from({ length: 8 }, (_, i) => face(i, 0, 'b', { ...turned(0), ...apart(0.2, 1) }))
    const aside = Array.from({ length: 8 }, (_, i) => face(8 + i, 0, 'b', { ...turned(40), ...apart(0.7, 1) }))
    const clips = [await folderOf(ahead), await folderOf([...away, ...aside])]
    expect(await findPersons(clips)).toHaveLength(1)
  })

  it('notices where one track goes over to another person', async () => {
    const folder = await folderOf(
      Array.from({ length: 12 }, (_, i) =>
        face(i, 0, 'a', i % 2 === 0 ? { embedding: embedding(i < 6 ? 0 : 1, i) } : {}),
      ),
    )
    await findPersons([folder])
    const found = Object.values(await personsOf(folder))
    expect(found.slice(0, 5).every((person) => person === found[0])).toBe(true)
    expect(found.slice(7).every((person) => person === found[11])).toBe(true)
    expect(found[0]).not.toBe(found[11])
  })

  it('says so when no identity is stored', async () => {
    const folder = await folderOf([syntheticFace(0)])
    await expect(findPersons([folder])).rejects.toThrow(
      `Expected faces with stored identities in \`${folder}\`, but got none. Extract them with --embed-every 4.`,
    )
  })
})

describe('describeFaceset, posePicture and poseCoverage', () => {
  const described = async (faces: readonly FaceMeta[]) => {
    const faceset = memoryFaceset(
      faces,
      faces.map((_, i) => stripes(i)),
    )
    return { faceset, ...(await finish(describeFaceset(faceset))) }
  }

  it('counts frames, clips, persons and poses', async () => {
    const { description } = await described([
      { ...posed(0, 30, 15), person: 'p1' },
      posed(1, -80, 0),
      { ...posed(2, 0, 0), sourceFilename: 'clip.mp4#1' },
    ])
    expect(description).toMatchObject({
      faces: 3,
      frames: 2,
      framesWithSeveral: 1,
      clips: { 'clip.mp4': 3 },
      persons: { p1: 1 },
    })
    expect(description.poses[2]).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]) // 15° up, 30° to the right of the image
    expect(description.poses[3]).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0])
    expect(description.sizePx.middle).toBe(64)
  })

  it('draws the best face into the cell of its pose', async () => {
    const { faceset, facts } = await described([posed(0, 0, 0), posed(1, 45, -30)])
    const picture = await posePicture(faceset, facts, 'two faces')
    const bright = (x: number, y: number) => picture.data[(y * picture.width + x) * 3]! > 60
    expect([picture.width, picture.height]).toEqual([60 + 11 * 99 + 3, 64 + 7 * 99 + 40])
    const middle = (cell: number, from: number) => from + cell * 99 + 60
    const cell = (column: number, row: number) =>
      [0, 10, 20, 30].some((d) => bright(middle(column, 60) - d, middle(row, 64) - d))
    expect([cell(5, 3), cell(8, 5), cell(2, 2)]).toEqual([true, true, false])
  })

  it('tells the poses that another faceset has and this one lacks', async () => {
    const { description: src } = await described([posed(0, 0), posed(1, 15)])
    const { description: dst } = await described([posed(0, 0), posed(1, -15), posed(2, 60), posed(3, 60)])
    expect(poseCoverage(src, dst)).toEqual({ share: 0.5, missing: [{ yawDegrees: 60, pitchDegrees: 0, faces: 2 }] })
  })
})
