import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { type Bitmap, collect, type FaceMeta } from '@dfl/core'
import { readImage, writeImage } from '@dfl/media'
import { describe, expect, it } from 'vitest'
import {
  arrange,
  copyFaces,
  createFaceset,
  enhanceFaceset,
  exportMasks,
  faceMask,
  importMasks,
  openFaceset,
  packFaceset,
  recutFaceset,
  rejectFaces,
  restoreFaces,
  restoreNames,
  writeDebugImages,
} from '../src/index.js'
import { centralDirectory, localHeader, type ZipEntry } from '../src/pack/zip-format.js'
import { syntheticFace, syntheticImage, temporaryFolder } from './synthetic.js'

const disc = (side: number): Bitmap => ({
  data: Uint8Array.from({ length: side * side }, (_, i) =>
    Math.hypot((i % side) - side / 2, Math.floor(i / side) - side / 2) < side / 4 ? 255 : 0,
  ),
  ...{ width: side, height: side, channels: 1 },
})

/** A faceset of three faces, of which the first has a mask and polygons. */
async function threeFaces(change: (face: FaceMeta) => FaceMeta = (face) => face): Promise<string> {
  const folder = await temporaryFolder()
  await using writer = await createFaceset(folder, { faceType: 'whole_face', size: 64 })
  for (let i = 0; i < 3; i++) {
    const points = [
      [10, 10],
      [50, 10],
      [30, 50],
    ] as const
    const face = { ...syntheticFace(i), ...(i === 0 && { polygons: [{ kind: 'exclude' as const, points }] }) }
    await writer.add(change(face), syntheticImage(i), i === 0 ? disc(32) : undefined)
    await writer.frameDone('clip.mp4', i)
  }
  return folder
}

const namesOf = async (path: string) => (await (await openFaceset(path)).all()).map(({ filename }) => filename)
/** Everything a faceset holds, in its order. */
async function contentOf(path: string) {
  const faceset = await openFaceset(path)
  const faces = await faceset.all()
  return Promise.all(
    faces.map(async (face) => ({
      face,
      image: (await faceset.readImage(face)).data,
      mask: (await faceset.readMask(face))?.data,
    })),
  )
}

describe('rejectFaces and restoreFaces', () => {
  it('puts faces aside with their reasons and masks, and brings them back as they were', async () => {
    const folder = await threeFaces()
    const before = await contentOf(folder)
    const reasons = new Map([
      ['000000_0.png', ['blurred', 'too small']],
      ['000002_0.png', ['duplicate']],
    ])
    expect(await rejectFaces(folder, reasons)).toBe(2)
    expect(await namesOf(folder)).toEqual(['000001_0.png'])
    expect((await openFaceset(folder)).info).toMatchObject({ missingImages: 0, damagedLines: 0 })
    const rejects = await openFaceset(join(folder, 'rejected'))
    expect((await rejects.all()).map(({ rejected }) => rejected)).toEqual([['blurred', 'too small'], ['duplicate']])
    expect((await rejects.readMask((await rejects.all())[0]!))?.width).toBe(32)

    expect(await restoreFaces(folder, ({ rejected }) => rejected?.includes('duplicate') ?? false)).toBe(1)
    expect(await restoreFaces(folder)).toBe(1)
    const after = await contentOf(folder)
    const byName = (a: { face: FaceMeta }, b: { face: FaceMeta }) => (a.face.filename < b.face.filename ? -1 : 1)
    expect(after.sort(byName)).toEqual(before)
    expect(await restoreFaces(folder)).toBe(0)
  })

  it('keeps the frames that were done, so that an extraction that goes on does not bring faces back', async () => {
    const folder = await threeFaces()
    await rejectFaces(folder, new Map([['000001_0.png', ['by hand']]]))
    await using writer = await createFaceset(folder, { faceType: 'whole_face', size: 64 })
    expect([...writer.done('clip.mp4')]).toEqual([0, 1, 2])
  })

  it('finishes what was stopped between the images and the metadata', async () => {
    const folder = await threeFaces()
    const log = await readFile(join(folder, 'faces.jsonl'))
    await rejectFaces(folder, new Map([['000001_0.png', ['blurred']]]))
    await writeFile(join(folder, 'faces.jsonl'), log) // As if it had been killed before the last step.
    expect(await namesOf(folder)).toEqual(['000000_0.png', '000002_0.png'])
    expect(await namesOf(join(folder, 'rejected'))).toEqual(['000001_0.png'])
    expect(await restoreFaces(folder)).toBe(1)
    expect((await namesOf(folder)).sort()).toEqual(['000000_0.png', '000001_0.png', '000002_0.png'])
  })

  it('never replaces a face that was put aside before under the same name', async () => {
    const folder = await threeFaces()
    await rejectFaces(folder, new Map([['000001_0.png', ['blurred']]]))
    {
      await using writer = await createFaceset(folder, { faceType: 'whole_face', size: 64 })
      await writer.add(syntheticFace(1), syntheticImage(9))
    }
    await rejectFaces(folder, new Map([['000001_0.png', ['blurred']]]))
    expect(await namesOf(join(folder, 'rejected'))).toEqual(['000001_0.png', '000001_0~2.png'])
  })
})

describe('arrange and restoreNames', () => {
  const order = [2, 0, 1].map((i, position) => ({
    filename: `00000${i}_0.png`,
    newFilename: `${position}_00000${i}_0.png`,
    originalFilename: `00000${i}_0.png`,
  }))

  it('orders and renames faces, and gives them back their names and order', async () => {
    const folder = await threeFaces()
    const before = await contentOf(folder)
    expect(await arrange(folder, order)).toBe(3)
    expect(await namesOf(folder)).toEqual(['0_000002_0.png', '1_000000_0.png', '2_000001_0.png'])
    expect((await contentOf(folder))[1]?.mask).toEqual(before[0]?.mask)
    expect(await restoreNames(folder)).toBe(3)
    expect(await contentOf(folder)).toEqual(before)
  })

  it('loses no face when it is stopped between two renames, and finishes when called again', async () => {
    const folder = await threeFaces()
    const log = join(folder, 'faces.jsonl')
    await arrange(folder, order)
    const lines = (await readFile(log, 'utf8')).trimEnd().split('\n')
    // As if it had been killed after the first rename: both names of each face stand in the log, images under one.
    const old = lines
      .filter((line) => line.includes('"face"'))
      .map((line) => line.replace(/"\d_(\d{6}_0\.png)"/, '"$1"'))
    await writeFile(log, `${[...lines, ...old].join('\n')}\n`)
    const { rename } = await import('node:fs/promises')
    for (const i of [0, 1]) await rename(join(folder, order[i + 1]!.newFilename), join(folder, order[i + 1]!.filename))
    expect((await namesOf(folder)).sort()).toEqual(['000000_0.png', '000001_0.png', '0_000002_0.png'])
    await arrange(folder, order)
    expect(await namesOf(folder)).toEqual(expect.arrayContaining(['1_000000_0.png', '2_000001_0.png']))
  })

  it('refuses a name that another face has', async () => {
    const folder = await threeFaces()
    await expect(arrange(folder, [{ filename: '000000_0.png', newFilename: '000001_0.png' }])).rejects.toThrow(
      "Expected a name of its own for each face, but got '000001_0.png' twice. Choose other names.",
    )
  })
})

describe('packFaceset', () => {
  it('writes one file that opens as the folder does, and unpacks to the same faces', async () => {
    const folder = await threeFaces()
    const path = join(await temporaryFolder(), 'faceset.zip')
    expect(await collect(packFaceset(await openFaceset(folder), path))).toEqual(
      [1, 2, 3].map((done) => ({ done, total: 3 })),
    )
    expect(await contentOf(path)).toEqual(await contentOf(folder))
    expect((await openFaceset(path)).info).toEqual((await openFaceset(folder)).info)
    const out = join(await temporaryFolder(), 'unpacked')
    await collect(copyFaces([await openFaceset(path)], out, { recipe: { operation: 'unpack' } }))
    expect(await contentOf(out)).toEqual(await contentOf(folder))
    expect((await openFaceset(out)).info.sources).toEqual([{ source: 'clip.mp4', framesDone: 3 }])
  })

  it('leaves nothing when it is stopped', async () => {
    const out = await temporaryFolder()
    for await (const _ of packFaceset(await openFaceset(await threeFaces()), join(out, 'faceset.zip'))) break
    expect(await readdir(out)).toEqual([])
  })

  it('refuses files that are no packed faceset, or are cut off, or changed', async () => {
    const path = join(await temporaryFolder(), 'faceset.zip')
    await collect(packFaceset(await openFaceset(await threeFaces()), path))
    const whole = await readFile(path)
    for (const bytes of [Buffer.from('PK'), whole.subarray(0, 2000), Buffer.alloc(500)]) {
      await writeFile(path, bytes)
      await expect(openFaceset(path)).rejects.toThrow(
        `Expected a packed faceset in \`${path}\`, but got a file that is none, or a damaged one.`,
      )
    }
    const changed = Buffer.from(whole)
    changed[200]! ^= 1
    await writeFile(path, changed)
    await expect((await openFaceset(path)).readImage({ filename: '000000_0.png' })).rejects.toThrow(
      /^Expected checksum [0-9a-f]{8} for/,
    )
  })

  const refusal = (path: string, got: string) =>
    `Expected a packed faceset in \`${path}\`, but got ${got}. Pack the faceset again.`

  it('refuses names that lead out of the folder on any system, and two files of one name', async () => {
    const path = join(await temporaryFolder(), 'faceset.zip')
    for (const name of [
      '../../evil.png',
      '/evil.png',
      'C:evil.png',
      'masks\\..\\..\\evil.png',
      '\\evil.png',
      'a.png\0.txt',
    ]) {
      await writeFile(path, await zipOf([{ name }]))
      const shown = name.replace('\0', '\\u0000')
      await expect(openFaceset(path)).rejects.toThrow(
        refusal(path, `one with a file called '${shown}', which leads out of its folder`),
      )
    }
    await writeFile(path, await zipOf([{ name: 'a.png' }, { name: 'a.png' }]))
    await expect(openFaceset(path)).rejects.toThrow(refusal(path, "one with two files called 'a.png'"))
  })

  it('refuses files that could be larger than the archive: compressed ones, and ones that lie over each other', async () => {
    const path = join(await temporaryFolder(), 'faceset.zip')
    const compressed = await zipOf([{ name: 'a.png' }])
    compressed.writeUInt16LE(8, compressed.lastIndexOf('PK\x01\x02') + 10)
    await writeFile(path, compressed)
    await expect(openFaceset(path)).rejects.toThrow(refusal(path, "one whose file 'a.png' is compressed"))
    await writeFile(path, await zipOf([{ name: 'a.png', size: 60 }, { name: 'b.png' }]))
    await expect(openFaceset(path)).rejects.toThrow(
      refusal(path, "one whose file 'a.png' does not end where the next one begins"),
    )
    await writeFile(path, await zipOf([{ name: 'a.png', size: 1e15 }]))
    await expect(openFaceset(path)).rejects.toThrow("one whose file 'a.png' does not end where the next one begins")
  })

  it('refuses a file that is another one than the list says', async () => {
    const folder = await threeFaces()
    const path = join(await temporaryFolder(), 'faceset.zip')
    await collect(packFaceset(await openFaceset(folder), path))
    const bytes = await readFile(path)
    bytes.write('000009_0.png', bytes.indexOf('000000_0.png'))
    await writeFile(path, bytes)
    await expect((await openFaceset(path)).readFile({ filename: '000000_0.png' })).rejects.toThrow(
      refusal(path, "one whose file '000000_0.png' is another one where it stands"),
    )
  })

  it('refuses a list with a face that leads out of the folder, instead of leaving it out', async () => {
    const path = join(await temporaryFolder(), 'faceset.zip')
    await collect(packFaceset(await openFaceset(await threeFaces()), path))
    const bytes = (await readFile(path))
      .toString('latin1')
      .replace('"filename":"000000_0.png"', '"filename":"../evil0.png"')
    await writeFile(path, Buffer.from(bytes, 'latin1'))
    await expect(openFaceset(path)).rejects.toThrow(
      `Expected a packed faceset in \`${path}\`, but got one whose list of faces cannot be read. ` +
        "Expected a plain file name that ends in .png, .webp or .jpg for `filename`, but got '../evil0.png'. Pack the faceset again.",
    )
  })

  it('unpacks names that differ by case only into files that every system keeps apart', async () => {
    const folder = await threeFaces()
    const path = join(await temporaryFolder(), 'faceset.zip')
    await collect(packFaceset(await openFaceset(folder), path))
    const renamed = (await readFile(path)).toString('latin1').replaceAll('000000_0.png', '000001_0.PNG')
    await writeFile(path, Buffer.from(renamed, 'latin1'))
    const out = join(await temporaryFolder(), 'unpacked')
    await collect(copyFaces([await openFaceset(path)], out, { recipe: { operation: 'unpack' } }))
    expect((await (await openFaceset(out)).all()).map(({ filename }) => filename)).toEqual([
      '000001_0.PNG',
      '000001_0~2.png',
      '000002_0.png',
    ])
  })
})

/** An archive with a log of no faces and empty files; their entries in its list may claim something else. */
async function zipOf(files: readonly { name: string; size?: number }[]): Promise<Buffer> {
  const log = Buffer.from(`${JSON.stringify({ kind: 'faceset', version: 1, faceType: 'full_face', size: 32 })}\n`)
  const parts: Buffer[] = []
  const entries: ZipEntry[] = []
  let length = 0
  for (const { name, ...claim } of [{ name: 'faces.jsonl' }, ...files]) {
    const bytes = name === 'faces.jsonl' ? log : Buffer.alloc(0)
    const entry = { name, crc32: crc32(bytes), size: bytes.length, offset: length }
    parts.push(localHeader(entry), bytes)
    length += localHeader(entry).length + bytes.length
    entries.push({ ...entry, ...claim })
  }
  return Buffer.concat([...parts, centralDirectory(entries, length)])
}

describe('copyFaces', () => {
  it('copies what is wanted, byte by byte, and goes on where it was stopped', async () => {
    const folder = await threeFaces()
    const out = join(await temporaryFolder(), 'some')
    const options = { recipe: { operation: 'copy' }, wanted: ({ frameIndex }: FaceMeta) => frameIndex !== 1 }
    const from = [await openFaceset(folder)]
    for await (const _ of copyFaces(from, out, options)) break
    await collect(copyFaces(from, out, options))
    const content = await contentOf(folder)
    expect(await contentOf(out)).toEqual([content[0], content[2]])
    expect(await readFile(join(out, '000002_0.png'))).toEqual(await readFile(join(folder, '000002_0.png')))
  })

  it('merges facesets, with a number for names that are there already', async () => {
    const [a, b] = [await threeFaces(), await threeFaces()]
    const out = join(await temporaryFolder(), 'both')
    await collect(copyFaces([await openFaceset(a), await openFaceset(b)], out, { recipe: { operation: 'merge' } }))
    expect((await namesOf(out)).sort()).toEqual([0, 1, 2].flatMap((i) => [`00000${i}_0.png`, `00000${i}_0~2.png`]))
  })

  it('refuses a folder that other work has begun', async () => {
    const from = [await openFaceset(await threeFaces())]
    const out = join(await temporaryFolder(), 'out')
    await collect(copyFaces(from, out, { recipe: { operation: 'copy' } }))
    await expect(collect(copyFaces(from, out, { recipe: { operation: 'merge' } }))).rejects.toThrow(
      `Expected an empty folder or a faceset begun by the same command at \`${out}\`, but got another faceset ` +
        '({"operation":"copy"}). Use another folder, or remove this one.',
    )
  })
})

describe('recutFaceset and enhanceFaceset', () => {
  it('scales images, landmarks, polygons, masks and matrix alike', async () => {
    const folder = await threeFaces()
    const out = join(await temporaryFolder(), 'small')
    await collect(recutFaceset(await openFaceset(folder), out, { size: 32 }))
    const [small] = await contentOf(out)
    const [large] = await contentOf(folder)
    const half = (value: number) => value / 2 - 0.25
    expect(small?.face.size).toBe(32)
    small?.face.landmarks.forEach(([x, y], i) => {
      expect(x).toBeCloseTo(half(large!.face.landmarks[i]![0]), 3)
      expect(y).toBeCloseTo(half(large!.face.landmarks[i]![1]), 3)
    })
    expect(small?.face.polygons?.[0]?.points[0]).toEqual([half(10), half(10)])
    expect(small?.face.imageToFaceMat).toEqual([0.5, 0, -50.25, 0, 0.5, -25.25])
    const mean = (data: ArrayLike<number>) => Array.from(data).reduce((sum, value) => sum + value) / data.length
    expect(mean(small!.image)).toBeCloseTo(mean(large!.image), 0)
    expect(Math.abs(mean(small!.mask!) - mean(large!.mask!))).toBeLessThan(2)
  })

  it('cuts a tighter face type out of a wider one, and refuses the other way', async () => {
    const faceset = await openFaceset(await threeFaces())
    const out = join(await temporaryFolder(), 'full')
    await collect(recutFaceset(faceset, out, { faceType: 'full_face' }))
    const cut = await openFaceset(out)
    expect(cut.info).toMatchObject({ count: 3, faceType: 'full_face', size: 64 })
    const [wide] = await faceset.all()
    const [tight] = await cut.all()
    const width = ({ landmarks }: FaceMeta) => landmarks[45]![0] - landmarks[36]![0]
    expect(width(tight!)).toBeGreaterThan(1.2 * width(wide!))
    expect(() => recutFaceset(faceset, out, { faceType: 'head' })).toThrow(
      'Expected whole_face, which the faceset shows, or a tighter face type for `faceType`, but got head. ' +
        'Extract the footage again to see more of the head.',
    )
  })

  it('puts pieces together without seams when a face is larger than the enhancer takes', async () => {
    const faceset = await openFaceset(await threeFaces())
    const out = join(await temporaryFolder(), 'fine')
    const sides: number[] = []
    const twice = async (picture: { data: Float32Array; width: number }) => {
      sides.push(picture.width)
      const side = picture.width * 2
      const data = Float32Array.from({ length: side * side * 3 }, (_, i) => {
        const [p, c] = [Math.floor(i / 3), i % 3]
        return picture.data[((Math.floor(p / side) >> 1) * picture.width + ((p % side) >> 1)) * 3 + c]!
      })
      return { data, width: side, height: side, channels: 3 as const }
    }
    await collect(enhanceFaceset(faceset, out, twice, { name: 'twice', tileSize: 24, size: 128 }))
    expect(new Set(sides)).toEqual(new Set([24]))
    const [before] = await contentOf(await temporaryCopy(faceset))
    const [after] = await contentOf(out)
    expect(after?.face.size).toBe(128)
    let worst = 0
    for (let y = 0; y < 128; y++)
      for (let x = 0; x < 128; x++) {
        const p = (y >> 1) * 64 + (x >> 1)
        worst = Math.max(worst, Math.abs(after!.image[(y * 128 + x) * 3]! - before!.image[p * 3]!))
      }
    expect(worst).toBeLessThanOrEqual(1)
  })

  async function temporaryCopy(faceset: Parameters<typeof copyFaces>[0][number]): Promise<string> {
    const out = join(await temporaryFolder(), 'copy')
    await collect(copyFaces([faceset], out, { recipe: { operation: 'copy' } }))
    return out
  }
})

describe('masks', () => {
  const face = { ...syntheticFace(0), polygons: undefined }
  const at = (mask: { data: ArrayLike<number>; width: number }, x: number, y: number) => mask.data[y * mask.width + x]!
  const square = (from: number, to: number) =>
    [
      [from, from],
      [to, from],
      [to, to],
      [from, to],
    ] as const

  it('are the outline of the landmarks, else the own mask, else what was drawn, less what was drawn out', () => {
    const hull = faceMask(face)
    expect([at(hull, 32, 40), at(hull, 2, 2)]).toEqual([1, 0])
    const own = faceMask(face, { mask: disc(16) })
    expect([at(own, 32, 32), at(own, 32, 60)]).toEqual([1, 0])
    const include = { kind: 'include' as const, points: square(0, 20) }
    const exclude = { kind: 'exclude' as const, points: square(8, 40) }
    const drawn = faceMask({ ...face, polygons: [exclude, include] }, { mask: disc(16) })
    expect([at(drawn, 4, 4), at(drawn, 12, 12), at(drawn, 50, 32)]).toEqual([1, 0, 0])
    const cut = faceMask({ ...face, polygons: [exclude] }, { mask: disc(16) })
    expect([at(cut, 20, 20), at(cut, 44, 32)]).toEqual([0, 1])
  })

  it('are exported as PNG files, and imported again from there', async () => {
    const folder = await threeFaces()
    const out = await temporaryFolder()
    await collect(exportMasks(await openFaceset(folder), out))
    const exported = await readImage(join(out, '000000_0.png'), { channels: 1 })
    expect([exported.width, at(exported, 30, 20), at(exported, 44, 36), at(exported, 2, 2)]).toEqual([64, 0, 255, 0])

    await writeImage(join(out, '000001_0.png'), disc(48))
    await rm(join(out, '000002_0.png'))
    const progress = importMasks(folder, out)
    let step = await progress.next()
    while (!step.done) step = await progress.next()
    expect(step.value).toBe(2)
    const faceset = await openFaceset(folder)
    const masks = await Promise.all((await faceset.all()).map((one) => faceset.readMask(one)))
    expect(masks.map((mask) => mask?.width)).toEqual([64, 48, undefined])
    expect(await readdir(join(folder, 'masks'))).toHaveLength(2)
  })

  it('says so when no mask belongs to a face, or is no square', async () => {
    const [folder, out] = [await threeFaces(), await temporaryFolder()]
    await expect(collect(importMasks(folder, out))).rejects.toThrow(
      `Expected images with the names of faces in \`${out}\`, but got none. Name them as the faces are named.`,
    )
    await writeImage(join(out, '000000_0.png'), { data: new Uint8Array(64 * 32), width: 64, height: 32, channels: 1 })
    await expect(collect(importMasks(folder, out))).rejects.toThrow(
      "Expected a square of 1 channel for the mask of '000000_0.png', but got 64 x 32 of 1.",
    )
  })

  it('show in debug images, with landmarks and shapes', async () => {
    const out = await temporaryFolder()
    await collect(writeDebugImages(await openFaceset(await threeFaces()), out))
    expect((await readdir(out)).sort()).toEqual([0, 1, 2].map((i) => `00000${i}_0.jpg`))
  })
})
