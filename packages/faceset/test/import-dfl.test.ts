import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { collect } from '@dfl/core'
import { readImage } from '@dfl/media'
import { describe, expect, it } from 'vitest'
import { exportDfl, importDfl, openFaceset, readFaceswapHeader } from '../src/index.js'
import { temporaryFolder } from './synthetic.js'

// Made by Python's pickle and NumPy: scripts/golden/dfl_faceset.py
const golden = join(import.meta.dirname, 'golden')
const truth = JSON.parse(readFileSync(join(golden, 'dfl-faceset.json'), 'utf8'))

async function imported(...names: string[]) {
  const [source, folder] = [await temporaryFolder(), await temporaryFolder()]
  for (const name of names) await copyFile(join(golden, name), join(source, name.replace(/^dfl-|\.numpy\d/g, '')))
  const steps = await collect(importDfl(source, folder))
  return { source, folder, steps, faceset: await openFaceset(folder) }
}

const nested = (points: unknown) => JSON.parse(JSON.stringify(points))

describe('importDfl', () => {
  for (const numpy of ['numpy1', 'numpy2'])
    it(`opens a JPEG file of DeepFaceLab with every field, pickled by ${numpy}`, async () => {
      const { faceset } = await imported(`dfl-00001_0.${numpy}.jpg`)
      const [face] = await faceset.all()
      const [expected] = truth.faces
      expect(face).toMatchObject({
        filename: '00001_0.jpg',
        faceType: 'whole_face',
        size: 64,
        sourceFilename: '00001.png',
        frameIndex: 0,
        faceIndex: 0,
        sourceRect: { x: 100, y: 50, width: 128, height: 128 },
        imageToFaceMat: [0.5, 0, -50, 0, 0.5, -25],
        eyebrowsExpandMod: 1.25,
        polygons: [
          {
            kind: 'include',
            points: [
              [5, 5],
              [55, 5],
              [30, 60],
            ],
          },
          {
            kind: 'exclude',
            points: [
              [10, 10],
              [20, 10],
              [15, 20],
            ],
          },
        ],
      })
      expect(nested(face.landmarks)).toEqual(expected.landmarks)
      expect(nested(face.sourceLandmarks)).toEqual(expected.source_landmarks)
      const mask = await faceset.readMask(face)
      expect([mask?.width, mask?.height, mask?.channels]).toEqual([32, 32, 1])
      expect([mask?.data[16 * 32 + 16], mask?.data[0]]).toEqual([255, 0])
    })

  it('keeps the pixels of the JPEG files as they are, and nothing of the pickle', async () => {
    const { faceset, folder } = await imported('dfl-00001_0.numpy1.jpg')
    const before = await readImage(join(golden, 'dfl-00001_0.numpy1.jpg'))
    expect((await faceset.readImage({ filename: '00001_0.jpg' })).data).toEqual(before.data)
    expect((await readFile(join(folder, '00001_0.jpg'))).includes('landmarks')).toBe(false)
  })

  it('opens a faceset.pak with the person of each face', async () => {
    const { faceset, steps } = await imported('dfl-faceset.pak')
    const faces = await faceset.all()
    expect(faces.map(({ filename, person }) => [filename, person])).toEqual([
      ['00001_0.jpg', 'someone'],
      ['00002_0.jpg', 'someone'],
    ])
    expect(nested(faces.map(({ landmarks }) => landmarks))).toEqual(
      truth.faces.map(({ landmarks }: { landmarks: unknown }) => landmarks),
    )
    expect(steps.at(-1)).toMatchObject({ done: 2, total: 2, imported: 2 })
  })

  it('goes on where it was stopped, and does nothing twice', async () => {
    const { source, folder } = await imported('dfl-00001_0.numpy1.jpg')
    await copyFile(join(golden, 'dfl-00002_0.jpg'), join(source, '00002_0.jpg'))
    expect((await collect(importDfl(source, folder))).at(-1)?.imported).toBe(2)
    expect((await openFaceset(folder)).info).toMatchObject({ count: 2, damagedLines: 0 })
  })

  it('tells of each file that it leaves out', async () => {
    const [source, folder] = [await temporaryFolder(), await temporaryFolder()]
    await copyFile(join(golden, 'dfl-00002_0.jpg'), join(source, '00002_0.jpg'))
    const whole = await readFile(join(golden, 'dfl-00001_0.numpy1.jpg'))
    await writeFile(join(source, '00003_0.jpg'), whole.subarray(0, 300))
    await writeFile(join(source, '00004_0.jpg'), '')
    const problems = (await collect(importDfl(source, folder))).flatMap(({ problem }) => problem?.message ?? [])
    expect(problems).toEqual(
      ['00003_0.jpg', '00004_0.jpg'].map(
        (name) =>
          `Expected a whole JPEG file in \`${join(source, name)}\`, but got an empty or damaged one. It is left out.`,
      ),
    )
  })

  it('says so when there is nothing to import', async () => {
    const empty = await temporaryFolder()
    await expect(collect(importDfl(empty, await temporaryFolder()))).rejects.toThrow(
      `Expected faces of DeepFaceLab in \`${empty}\`, but got none. Name a folder of its JPEG files, or a faceset.pak.`,
    )
    await expect(collect(importDfl(join(empty, 'no'), await temporaryFolder()))).rejects.toThrow(
      "Expected a folder of DeepFaceLab's faces or a faceset.pak, but there is nothing at",
    )
  })

  it('gives one clear error for a pack that is cut off', async () => {
    const [source, folder] = [await temporaryFolder(), await temporaryFolder()]
    const pak = await readFile(join(golden, 'dfl-faceset.pak'))
    for (const length of [0, 8, 100, 4000, pak.length - 6000, pak.length - 10]) {
      await writeFile(join(source, 'faceset.pak'), pak.subarray(0, length))
      await expect(collect(importDfl(join(source, 'faceset.pak'), folder))).rejects.toMatchObject({
        code: 'CORRUPT_FILE',
        message: expect.stringMatching(
          /^Expected a faceset\.pak of DeepFaceLab in `.*`, but got a file (that ends before|of another length)/,
        ),
      })
    }
  })

  it('gives one clear error for a pack that calls an image outside its folder, and writes nothing', async () => {
    const pak = (await readFile(join(golden, 'dfl-faceset.pak'))).toString('latin1')
    const [source, folder] = [await temporaryFolder(), join(await temporaryFolder(), 'new')]
    const path = join(source, 'faceset.pak')
    for (const name of ['../../x.jpg', '/000/_0.jpg', 'C:001_0.jpg', '..\\..\\x.jpg', '00001_0.jp\0']) {
      await writeFile(path, Buffer.from(pak.replace('00002_0.jpg', name), 'latin1'))
      const shown = name.replace('\0', '\\u0000')
      await expect(collect(importDfl(path, folder))).rejects.toThrow(
        `Expected a faceset.pak of DeepFaceLab in \`${path}\`, but got one with an image called '${shown}', which leads out of its folder. Copy it again from where it came from.`,
      )
      expect(existsSync(folder)).toBe(false)
    }
  })

  it('keeps both of two images of a pack that have one name, also where only the case of letters differs', async () => {
    const pak = (await readFile(join(golden, 'dfl-faceset.pak'))).toString('latin1')
    for (const name of ['00001_0.jpg', '00001_0.JPG']) {
      const [source, folder] = [await temporaryFolder(), await temporaryFolder()]
      await writeFile(join(source, 'faceset.pak'), Buffer.from(pak.replace('00002_0.jpg', name), 'latin1'))
      for (let again = 0; again < 2; again++)
        expect((await collect(importDfl(source, folder))).at(-1)).toMatchObject({ done: 2, imported: 2 })
      const names = (await (await openFaceset(folder)).all()).map(({ filename }) => filename)
      expect(names).toEqual(['00001_0.jpg', name.replace('.', '~2.')])
    }
  })

  it('never unpacks an image that says it is too large', async () => {
    const [source, folder] = [await temporaryFolder(), await temporaryFolder()]
    const whole = await readFile(join(golden, 'dfl-00001_0.numpy1.jpg'))
    const frame = whole.findIndex((byte, i) => byte === 0xff && (whole[i + 1] === 0xc0 || whole[i + 1] === 0xc2))
    whole.writeUInt16BE(16000, frame + 5)
    whole.writeUInt16BE(16000, frame + 7)
    await writeFile(join(source, '00001_0.jpg'), whole)
    await expect(collect(importDfl(source, folder))).rejects.toThrow(
      `Expected a square image of 16 to 8192 px in \`${join(source, '00001_0.jpg')}\`, but got 16000 x 16000 pixels.`,
    )
  })
})

describe('exportDfl', () => {
  it('writes files that are imported again with all they had', async () => {
    const { faceset } = await imported('dfl-00001_0.numpy1.jpg', 'dfl-00002_0.jpg')
    const [out, again] = [await temporaryFolder(), await temporaryFolder()]
    await collect(exportDfl(faceset, out))
    await collect(importDfl(out, again))
    const back = await openFaceset(again)
    expect(await back.all()).toEqual(
      (await faceset.all()).map((face) => ({ ...face, mask: face.mask && expect.any(String) })),
    )
    expect((await back.readImage({ filename: '00001_0.jpg' })).data).toEqual(
      (await faceset.readImage({ filename: '00001_0.jpg' })).data,
    )
    const mask = await back.readMask((await back.all())[0]!)
    expect([mask?.width, mask?.data[128 * 256 + 128], mask?.data[0]]).toEqual([256, 255, 0])
  })

  const python = process.env.DFL_TEST_PYTHON // A Python with NumPy; without one, the round trip above has to do.
  it.runIf(python)('writes pickles that Python reads as DeepFaceLab does', async () => {
    const { faceset } = await imported('dfl-00001_0.numpy1.jpg')
    const out = await temporaryFolder()
    await collect(exportDfl(faceset, out))
    const script = `
import pickle, struct, sys, json
b = open(sys.argv[1], 'rb').read(); at = 2
while b[at+1] != 0xef: at += 2 + struct.unpack('>H', b[at+2:at+4])[0]
d = pickle.loads(b[at+4:at+2+struct.unpack('>H', b[at+2:at+4])[0]])
print(json.dumps([d['face_type'], d['landmarks'], d['source_filename'], d['source_rect'].tolist(), d['source_rect'].dtype.str,
  d['image_to_face_mat'].tolist(), d['seg_ie_polys']['polys'][1]['type'], d['seg_ie_polys']['polys'][1]['pts'].tolist(),
  d['seg_ie_polys']['polys'][1]['pts'].dtype.str, d['xseg_mask'].dtype.str, d['xseg_mask'].tobytes()[1:4].decode()]))`
    const told = JSON.parse(
      execFileSync(python!, ['-W', 'ignore', '-c', script, join(out, '00001_0.jpg')], { encoding: 'utf8' }),
    )
    const [face] = truth.faces
    expect(told).toEqual([
      'whole_face',
      face.landmarks,
      '00001.png',
      face.source_rect,
      '<i4',
      face.image_to_face_mat,
      0,
      face.seg_ie_polys.polys[1].pts,
      '<f4',
      '|u1',
      'PNG',
    ])
  })
})

describe('readFaceswapHeader', () => {
  const chunk = (type: string, content: Buffer) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(content.length)
    return Buffer.concat([length, Buffer.from(type, 'latin1'), content, Buffer.alloc(4)])
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const png = (type: string, content: Buffer) =>
    Buffer.concat([signature, chunk(type, content), chunk('IEND', Buffer.alloc(0))])
  const landmarks = Array.from({ length: 68 }, (_, i) => [100 + i, 200.5 - i])
  const printed =
    `{'alignments': {'x': 90, 'w': 80, 'y': 130, 'h': 75, 'landmarks_xy': ${JSON.stringify(landmarks)}, ` +
    `'mask': {'components': {'mask': b'x\\x9c\\'', 'stored_size': 128}}, 'identity': {}}, 'source': {'face_index': 1, ` +
    `'source_filename': "clip_000012.png", 'source_is_video': True, 'source_frame_dims': (360, 640), 'nothing': None}}`
  const expected = {
    sourceLandmarks: landmarks,
    sourceRect: { x: 90, y: 130, width: 80, height: 75 },
    frameName: 'clip_000012.png',
    faceIndex: 1,
  }

  it('reads the header as Python prints it, plain or packed', () => {
    const plain = Buffer.from(`faceswap\0\0\0\0\0${printed}`)
    expect(readFaceswapHeader(png('iTXt', plain), 'a.png')).toEqual(expected)
    const packed = Buffer.concat([Buffer.from('faceswap\0\x01\0\0\0', 'latin1'), deflateSync(printed)])
    expect(readFaceswapHeader(png('iTXt', packed), 'a.png')).toEqual(expected)
  })

  it('gives one clear error for files that are no such files', () => {
    const read = (bytes: Buffer) => () => readFaceswapHeader(bytes, 'a.png')
    expect(read(png('iTXt', Buffer.from('other\0\0\0\0\0x')))).toThrow(
      'Expected a description of a face by faceswap in the header of `a.png`, but got something else. It is left out.',
    )
    expect(read(Buffer.from('GIF89a'))).toThrow('Expected a PNG file in `a.png`, but got something else.')
    expect(read(png('iTXt', Buffer.from('faceswap\0\0\0\0\0__import__("os")')))).toThrow(
      'Expected plain data in the metadata of `a.png`, but got \'__import__("os")\'.',
    )
    const deep = `${'['.repeat(10_000)}`
    expect(read(png('iTXt', Buffer.from(`faceswap\0\0\0\0\0${deep}`)))).toThrow('data nested more than 64 deep')
    const bomb = Buffer.concat([Buffer.from('faceswap\0\x01\0\0\0', 'latin1'), deflateSync(Buffer.alloc(2 ** 25, 32))])
    expect(read(png('iTXt', bomb))).toThrow('a text in it that cannot be unpacked')
  })
})
