import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { collect, type FaceMeta, take } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import { createFaceset, memoryFaceset, openFaceset, rewrite } from '../src/index.js'
import { syntheticFace, syntheticImage, temporaryFolder } from './synthetic.js'

const WHOLE_64 = { faceType: 'whole_face', size: 64 } as const

async function facesetOf(count: number): Promise<string> {
  const folder = await temporaryFolder()
  const writer = await createFaceset(folder, WHOLE_64)
  for (let i = 0; i < count; i++) {
    await writer.add(syntheticFace(i), syntheticImage(i))
    await writer.frameDone('clip.mp4', i)
  }
  await writer.close()
  return folder
}

/** The lines of a faceset's log. */
const linesOf = async (folder: string) => (await readFile(join(folder, 'faces.jsonl'), 'utf8')).trimEnd().split('\n')

const names = (faces: readonly FaceMeta[]) => faces.map(({ filename }) => filename)

describe('a faceset on disk', () => {
  it('gives back the faces and images that were written, in their order', async () => {
    const faceset = await openFaceset(await facesetOf(3))
    expect(faceset.info).toEqual({
      ...WHOLE_64,
      count: 3,
      sources: [{ source: 'clip.mp4', framesDone: 3 }],
      damagedLines: 0,
      missingImages: 0,
    })
    const faces = await faceset.all()
    expect(names(faces)).toEqual(['000000_0.png', '000001_0.png', '000002_0.png'])
    const written = syntheticFace(1)
    const { landmarks, sourceLandmarks, ...rest } = faces[1]
    expect(written).toMatchObject(rest)
    landmarks.forEach((point, i) => {
      expect(point[0]).toBeCloseTo(written.landmarks[i][0], 4)
      expect(point[1]).toBeCloseTo(written.landmarks[i][1], 4)
    })
    expect(await faceset.readImage(faces[2])).toEqual(syntheticImage(2))
    expect(await collect(take(faceset.faces(), 2))).toEqual(faces.slice(0, 2))
  })

  it('keeps all 16 bits of an image that has them', async () => {
    const folder = await temporaryFolder()
    const data = Uint16Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 257 + 3) % 65536)
    await using writer = await createFaceset(folder, WHOLE_64)
    await writer.add(syntheticFace(0), { data, width: 64, height: 64, channels: 3 })
    await writer.flush()
    expect((await (await openFaceset(folder)).readImage(syntheticFace(0))).data).toEqual(data)
  })

  it('keeps the order of overlapping calls', async () => {
    const folder = await temporaryFolder()
    const writer = await createFaceset(folder, WHOLE_64)
    await Promise.all(Array.from({ length: 100 }, (_, i) => writer.add(syntheticFace(i), syntheticImage(i))))
    await writer.close()
    const faces = await (await openFaceset(folder)).all()
    expect(names(faces)).toEqual(Array.from({ length: 100 }, (_, i) => syntheticFace(i).filename))
  })

  it('makes faces visible to a reader on flush, without being closed', async () => {
    const folder = await temporaryFolder()
    await using writer = await createFaceset(folder, WHOLE_64)
    await writer.add(syntheticFace(0), syntheticImage(0))
    await writer.flush()
    expect((await openFaceset(folder)).info.count).toBe(1)
  })

  it('is continued where it stopped, knowing the frames done, also those without faces', async () => {
    const folder = await facesetOf(2)
    const writer = await createFaceset(folder, WHOLE_64)
    expect([...writer.done('clip.mp4')]).toEqual([0, 1])
    expect(writer.done('other.mp4').size).toBe(0)
    await writer.frameDone('clip.mp4', 2)
    await writer.add(syntheticFace(3), syntheticImage(3))
    await writer.frameDone('clip.mp4', 3)
    await writer.close()
    const again = await createFaceset(folder, WHOLE_64)
    expect([...again.done('clip.mp4')]).toEqual([0, 1, 2, 3])
    await again.close()
    expect((await openFaceset(folder)).info.count).toBe(3)
  })

  it('shows a face that was added twice once, as it was added last', async () => {
    const folder = await facesetOf(2)
    const writer = await createFaceset(folder, WHOLE_64)
    await writer.add({ ...syntheticFace(0), score: 0.25 }, syntheticImage(9))
    await writer.close()
    const faceset = await openFaceset(folder)
    const faces = await faceset.all()
    expect(names(faces)).toEqual(['000001_0.png', '000000_0.png'])
    expect(faces[1].score).toBe(0.25)
    expect(await faceset.readImage(faces[1])).toEqual(syntheticImage(9))
  })

  it('holds one line for each face after a crash and a second start, as if nothing had happened', async () => {
    const folder = await facesetOf(2)
    const undisturbed = await linesOf(folder)
    // As a crash leaves it: the face stands there, its frame is not done.
    await writeFile(
      join(folder, 'faces.jsonl'),
      `${undisturbed.filter((line) => !/"frameIndex":1}$/.test(line)).join('\n')}\n`,
    )
    const writer = await createFaceset(folder, WHOLE_64)
    expect([...writer.done('clip.mp4')]).toEqual([0])
    await writer.add(syntheticFace(1), syntheticImage(1))
    await writer.frameDone('clip.mp4', 1)
    await writer.close()
    expect((await linesOf(folder)).sort()).toEqual(undisturbed.sort())
  })

  it('drops faces whose image is gone and says how many', async () => {
    const folder = await facesetOf(3)
    await rm(join(folder, '000001_0.png'))
    const { info, all } = await openFaceset(folder)
    expect(info).toMatchObject({ count: 2, missingImages: 1 })
    expect(names(await all())).toEqual(['000000_0.png', '000002_0.png'])
  })

  it('refuses an image that is not the one that was written', async () => {
    const folder = await facesetOf(1)
    const path = join(folder, '000000_0.png')
    const bytes = await readFile(path)
    bytes[bytes.length >> 1] ^= 1
    await writeFile(path, bytes)
    const faceset = await openFaceset(folder)
    await expect(faceset.readImage(syntheticFace(0))).rejects.toThrow(
      /^Expected checksum [0-9a-f]{8} for `.*000000_0\.png`, but got [0-9a-f]{8}\. The image was changed or damaged since it was written: restore it, or delete it to go on without this face\.$/,
    )
  })

  it('says so when a face is of another faceset', async () => {
    const folder = await facesetOf(1)
    await expect((await openFaceset(folder)).readImage(syntheticFace(7))).rejects.toThrow(
      "but got '000007_0.png', which it does not list. Pass a face that came from this faceset.",
    )
  })

  it('refuses another face type or size', async () => {
    const folder = await facesetOf(1)
    await expect(createFaceset(folder, { faceType: 'head', size: 64 })).rejects.toMatchObject({
      code: 'FACE_TYPE_MISMATCH',
      message:
        `Expected faces of whole_face at 64 px, which \`${folder}\` holds, but got head at 64 px. ` +
        'Use the same face type and size, or another folder.',
    })
  })

  it('refuses a folder with images that are not a faceset', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, '00001.jpg'), 'x')
    await expect(createFaceset(folder, WHOLE_64)).rejects.toMatchObject({
      code: 'BAD_STATE',
      message:
        `Expected an empty folder or a faceset at \`${folder}\`, but got images such as '00001.jpg' without faces.jsonl. ` +
        'Use another folder.',
    })
  })

  it('says so when there is no faceset', async () => {
    const folder = await temporaryFolder()
    await expect(openFaceset(folder)).rejects.toMatchObject({
      code: 'NO_SUCH_FILE',
      message: `Expected a faceset at \`${join(folder, 'faces.jsonl')}\`, but there is no such file. Extract faces into this folder first.`,
    })
  })

  it('refuses a log of a newer version', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'faces.jsonl')
    await writeFile(path, '{"kind":"faceset","version":99,"faceType":"head","size":64}\n')
    await expect(openFaceset(folder)).rejects.toMatchObject({
      code: 'CORRUPT_FILE',
      message:
        `Expected a faceset header of version 1 or older on the first line of \`${path}\`, but got version 99. ` +
        'Use the program that wrote it, or take the file from a backup.',
    })
  })

  it('refuses faces that break the rules, before anything is written', async () => {
    const folder = await temporaryFolder()
    await using writer = await createFaceset(folder, WHOLE_64)
    const add = (changes: Partial<FaceMeta>) => writer.add({ ...syntheticFace(0), ...changes }, syntheticImage(0))
    await expect(add({ filename: '../evil.png' })).rejects.toThrow(
      "Expected a plain file name that ends in .png, .webp or .jpg for `filename`, but got '../evil.png'. Correct the face before adding it.",
    )
    await expect(add({ landmarks: [[1, 2]] })).rejects.toThrow(
      'Expected 68 points for `landmarks`, but got a list of 1.',
    )
    await expect(add({ landmarks: new Array(68).fill([1, Number.NaN]) })).rejects.toThrow(
      'Expected 68 points for `landmarks`, but got a list of 68 with NaN in it.',
    )
    await expect(add({ timestampSeconds: Number.NaN })).rejects.toThrow(
      "Expected a number of seconds for `timestampSeconds`, but got 'NaN'.",
    )
    await expect(add({ faceType: 'head' })).rejects.toThrow(
      'Expected a face of whole_face at 64 px for `face`, but got head at 64 px.',
    )
    await expect(writer.add(syntheticFace(0), syntheticImage(0, 32))).rejects.toThrow(
      'Expected 64 x 64 pixels of 3 channels for `image`, but got 32 x 32 of 3. Pass the aligned image.',
    )
    await expect(writer.frameDone('clip.mp4', -1)).rejects.toThrow(
      'Expected a whole number of at least 0 for `frameIndex`, but got -1.',
    )
    await writer.flush()
    expect(await readdir(folder)).toEqual(['faces.jsonl'])
  })

  it('refuses to write after it was closed', async () => {
    const writer = await createFaceset(await temporaryFolder(), WHOLE_64)
    await writer.close()
    await expect(writer.add(syntheticFace(0), syntheticImage(0))).rejects.toThrow(
      'Expected an open faceset writer, but got one that was closed. Open it again with createFaceset().',
    )
  })

  it('does not call a frame done when one of its faces could not be written', async () => {
    const folder = await facesetOf(1)
    await mkdir(join(folder, '000001_0.png')) // Stands in the way.
    const writer = await createFaceset(folder, WHOLE_64)
    const added = writer.add(syntheticFace(1), syntheticImage(1))
    await expect(added).rejects.toThrow(/EISDIR|EPERM|EACCES/)
    await writer.frameDone('clip.mp4', 1).catch(() => {})
    await expect(writer.flush()).rejects.toThrow(/EISDIR|EPERM|EACCES/)
    await expect(writer.add(syntheticFace(2), syntheticImage(2))).rejects.toThrow(/EISDIR|EPERM|EACCES/)
    await expect(writer.close()).rejects.toThrow(/EISDIR|EPERM|EACCES/)
    const again = await createFaceset(folder, WHOLE_64)
    expect([...again.done('clip.mp4')]).toEqual([0])
    await again.close()
    expect((await readdir(folder)).sort()).toEqual(['000000_0.png', '000001_0.png', 'faces.jsonl'])
  })

  it('leaves out hostile and damaged lines and counts them', async () => {
    const folder = await facesetOf(1)
    const path = join(folder, 'faces.jsonl')
    const good = JSON.parse((await readFile(path, 'utf8')).split('\n')[1])
    const evil = [
      { ...good, filename: '../../etc/passwd.png' },
      { ...good, filename: '..\\secret.png' },
      { ...good, filename: '/etc/shadow.png' },
      { ...good, filename: '.hidden.png' },
      { ...good, filename: 'nul.png' },
      { ...good, filename: 'a\u0000b.png' },
      { ...good, filename: 'x'.repeat(5000) + '.png' },
      { ...good, size: 1e9 },
      { ...good, landmarks: good.landmarks.map(() => [1e300, 0]) },
      { ...good, landmarks: good.landmarks.slice(1) },
      { ...good, imageToFaceMat: [1, 0, null, 0, 1, 0] },
      { ...good, score: 'high' },
      { ...good, embedding: Array(100_000).fill(0) },
      { ...good, crc32: '../../x' },
      { kind: 'frameDone', source: 'clip.mp4', frameIndex: -5 },
      { kind: 'surprise' },
      [],
      null,
    ]
    await appendFile(path, evil.map((line) => `${JSON.stringify(line)}\n`).join(''))
    await appendFile(path, Buffer.concat([Buffer.alloc(100), Buffer.from('\n'), Buffer.from([0xff, 0xfe, 10])]))
    await appendFile(path, `"${'x'.repeat(3_000_000)}"\n`)
    await appendFile(path, `${JSON.stringify({ ...good, score: 0.5 })}\n`)
    const faceset = await openFaceset(folder)
    expect(faceset.info).toMatchObject({ count: 1, damagedLines: evil.length + 3 })
    expect((await faceset.all()).map(({ score }) => score)).toEqual([0.5])
  })
})

describe('rewrite', () => {
  it('changes and drops faces and keeps the progress', async () => {
    const folder = await facesetOf(4)
    const embedding = Array.from({ length: 128 }, (_, i) => i / 128)
    const kept = await rewrite(folder, (face) => (face.frameIndex === 1 ? undefined : { ...face, embedding }))
    expect(kept).toBe(3)
    const faceset = await openFaceset(folder)
    const faces = await faceset.all()
    expect(names(faces)).toEqual(['000000_0.png', '000002_0.png', '000003_0.png'])
    expect(faces[2].embedding).toEqual(embedding)
    expect(await faceset.readImage(faces[1])).toEqual(syntheticImage(2))
    expect(faceset.info.sources).toEqual([{ source: 'clip.mp4', framesDone: 4 }])
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('changes nothing when a change is refused or fails', async () => {
    const folder = await facesetOf(2)
    const before = await readFile(join(folder, 'faces.jsonl'), 'utf8')
    await expect(rewrite(folder, (face) => ({ ...face, filename: 'other.png' }))).rejects.toThrow(
      "Expected the same `filename` as before for '000000_0.png', but got 'other.png'. Leave it as it is.",
    )
    await expect(
      rewrite(folder, () => {
        throw new Error('no network')
      }),
    ).rejects.toThrow('no network')
    expect(await readFile(join(folder, 'faces.jsonl'), 'utf8')).toBe(before)
    expect((await readdir(folder)).length).toBe(3)
  })

  it('tells a reader that was opened before', async () => {
    const folder = await facesetOf(2)
    const faceset = await openFaceset(folder)
    await rewrite(folder, (face) => face)
    await expect(faceset.all()).rejects.toThrow(
      'as it was when it was opened, but got a file that was rewritten since. Open the faceset again.',
    )
  })
})

describe('a faceset in memory', () => {
  it('reads like one on disk', async () => {
    const faces = [syntheticFace(0), syntheticFace(1)]
    const faceset = memoryFaceset(faces, [syntheticImage(0), syntheticImage(1)])
    expect(faceset.info).toMatchObject({ ...WHOLE_64, count: 2 })
    expect(await faceset.all()).toEqual(faces)
    expect(await collect(faceset.faces())).toEqual(faces)
    expect(await faceset.readImage(faces[1])).toEqual(syntheticImage(1))
  })

  it('refuses images that do not fit the faces', () => {
    expect(() => memoryFaceset([], [])).toThrow('Expected at least one face for `faces`, but got none.')
    expect(() => memoryFaceset([syntheticFace(0)], [])).toThrow('Expected 1 images for `images`, but got 0.')
    expect(() => memoryFaceset([syntheticFace(0)], [syntheticImage(0, 32)])).toThrow(
      "Expected 64 x 64 pixels of 3 channels for the image of '000000_0.png', but got 32 x 32 of 3.",
    )
    expect(() => memoryFaceset([syntheticFace(0), syntheticFace(0)], [syntheticImage(0), syntheticImage(0)])).toThrow(
      'Expected a file name of its own for each face, but got 1 names for 2 faces.',
    )
  })
})
