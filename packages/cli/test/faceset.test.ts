import { existsSync } from 'node:fs'
import { appendFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FaceMeta } from '@dfl/core'
import { createFaceset, openFaceset } from '@dfl/faceset'
import { createPixels } from '@dfl/image'
import { describe, expect, it } from 'vitest'
import { dfl, roundFace, scratchFolder, writeFaces, writeGrayFrames } from './support.js'

/** A face of a numbered person, in a place of its own. */
const personAt = (who: number, frameIndex: number): FaceMeta => ({
  filename: `clip_${frameIndex}_${who}.png`,
  ...{ faceType: 'full_face', size: 64, frameIndex, timestampSeconds: frameIndex / 25, faceIndex: who, score: 1 },
  sourceFilename: `clip.mp4#${frameIndex}`,
  landmarks: roundFace(64),
  sourceLandmarks: roundFace(64),
  sourceRect: { x: 200 * who, y: 0, width: 64, height: 64 },
  imageToFaceMat: [1, 0, 0, 0, 1, 0],
  embedding: Array.from({ length: 128 }, (_, i) => (i === who ? 0.6 : 0)),
})

describe('dfl faceset', () => {
  it('lists its verbs, and every verb has help that fits 80 columns', async () => {
    const { stdout } = await dfl('faceset', '--help')
    const verbs = [
      ...stdout
        .split('Verbs\n')[1]!
        .split('\n\n')[0]!
        .matchAll(/^ {2}([a-z-]+) /gm),
    ].map((match) => match[1]!)
    expect(verbs).toContain('sort')
    expect(verbs.length).toBe(22)
    for (const verb of verbs) {
      const { code, stdout: help } = await dfl('faceset', verb, '--help')
      expect([verb, code]).toEqual([verb, 0])
      expect([verb, Math.max(...help.split('\n').map((line) => line.length)) <= 80]).toEqual([verb, true])
    }
  })

  it('says which verbs there are, and which faceset it lacks', async () => {
    expect((await dfl('faceset')).stderr).toContain('after `dfl faceset`, but got nothing. Choose one of them.')
    const { code, stderr } = await dfl('faceset', 'sotr')
    expect(code).toBe(2)
    expect(stderr).toContain("after `dfl faceset`, but got 'sotr'. Did you mean sort?")
    expect((await dfl('faceset', 'info')).stderr).toContain(
      'Expected --side src, --side dst or --input <path>, but got none of them. Say which faceset is meant.\nSee: dfl faceset info --help',
    )
  })

  it('says what a copy lacks because the faceset is not whole', async () => {
    await using scratch = await scratchFolder()
    const faces = scratch.at('src', 'aligned')
    await writeFaces(faces)
    const [image] = (await readdir(faces)).filter((name) => name.endsWith('.png'))
    await rm(join(faces, image!))
    await appendFile(join(faces, 'faces.jsonl'), 'not a face\n')
    const { code, stderr } = await dfl('faceset', 'copy', '--input', faces, '--out', scratch.at('copy'))
    expect(code).toBe(0)
    expect(stderr).toContain(`Without 1 face whose image is gone and 1 line that cannot be read in \`${faces}\`.`)
    expect((await openFaceset(scratch.at('copy'))).info).toMatchObject({ count: 5, damagedLines: 0 })
  })

  it('tells what a faceset shows, and draws it', async () => {
    await using scratch = await scratchFolder()
    await writeFaces(scratch.at('src', 'aligned'))
    const { code, stdout } = await dfl('faceset', 'info', '--side', 'src', '--workspace', scratch.at(), '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toMatchObject({
      event: 'result',
      faces: 6,
      frames: 6,
      size: 64,
    })
    expect(existsSync(scratch.at('src', 'poses.png'))).toBe(true)
    const plain = await dfl('faceset', 'info', '--input', scratch.at('src', 'aligned'))
    expect(plain.stdout).toContain('Faces by pitch (down) and yaw')
  })

  it('puts bad faces of SRC aside, spares those of DST, and brings them back', async () => {
    await using scratch = await scratchFolder()
    for (const side of ['src', 'dst']) {
      await writeFaces(scratch.at(side, 'aligned'))
      await using writer = await createFaceset(scratch.at(side, 'aligned'), { faceType: 'full_face', size: 64 })
      const [face] = await (await openFaceset(scratch.at(side, 'aligned'))).all()
      const tiny = {
        ...face!,
        filename: 'tiny.png',
        sourceRect: { x: 0, y: 0, width: 9, height: 9 },
        landmarks: roundFace(64),
      }
      await writer.add(tiny, createPixels(64, 64, 3))
    }
    const at = ['--workspace', scratch.at()]
    const limits = ['--max-deviation', '1', '--min-sharpness', '0', '--duplicates', '0']
    const dry = await dfl('faceset', 'filter', '--side', 'src', ...at, ...limits, '--dry-run')
    expect(dry.stdout).toContain('1 of 7 faces would be put aside')
    expect(dry.stdout).toContain('  tiny.png: too small')
    expect((await dfl('faceset', 'filter', '--side', 'src', ...at, ...limits)).stdout).toContain(
      '1 of 7 faces put aside',
    )
    expect((await dfl('faceset', 'filter', '--side', 'dst', ...at, '--max-deviation', '1')).stdout).toContain('0 of 7')
    expect((await openFaceset(scratch.at('src', 'aligned'))).info).toMatchObject({ count: 6, missingImages: 0 })
    const back = await dfl('faceset', 'restore', '--side', 'src', ...at, '--reason', 'too small')
    expect(back.stdout).toBe('Restored 1 faces\n')
  })

  it('sorts, packs, unpacks, merges, splits, copies and resizes', async () => {
    await using scratch = await scratchFolder()
    const aligned = scratch.at('src', 'aligned')
    await writeFaces(aligned)
    const side = ['--side', 'src', '--workspace', scratch.at()]
    const run = async (...args: string[]) => {
      const { code, stderr } = await dfl('faceset', ...args)
      expect([args[0], code, code === 0 ? '' : stderr]).toEqual([args[0], 0, ''])
    }
    await run('sort', ...side, '--by', 'brightness')
    expect((await readdir(aligned)).filter((name) => name.startsWith('00000_clip_'))).toHaveLength(1)
    await run('restore-names', ...side)
    await run('pack', ...side, '--out', scratch.at('faces.zip'))
    await run('unpack', '--input', scratch.at('faces.zip'), '--out', scratch.at('unpacked'))
    await run('merge', '--inputs', `${scratch.at('faces.zip')},${scratch.at('unpacked')}`, '--out', scratch.at('both'))
    await run('copy', '--input', scratch.at('both'), '--every-nth', '2', '--out', scratch.at('some'))
    await run('split', '--input', scratch.at('both'), '--by', 'clip', '--out', scratch.at('parts'))
    await run('recut', '--input', scratch.at('unpacked'), '--face-type', 'half_face', '--out', scratch.at('half'))
    await run('resize', ...side, '--size', '32')
    const info = async (...names: string[]) => (await openFaceset(scratch.at(...names))).info
    expect([(await info('both')).count, (await info('some')).count, (await info('parts', 'clip.mp4')).count]).toEqual([
      12, 6, 12,
    ])
    expect([(await info('half')).faceType, (await info('src', 'aligned')).size]).toEqual(['half_face', 32])
    expect((await info('src', 'aligned.old')).size).toBe(64)
  })

  it('splits by person only where persons are known', async () => {
    await using scratch = await scratchFolder()
    await writeFaces(scratch.at('src', 'aligned'))
    const split = (...place: string[]) =>
      dfl('faceset', 'split', ...place, '--by', 'person', '--out', scratch.at('people'))
    const { code, stderr } = await split('--side', 'src', '--workspace', scratch.at())
    expect(code).toBe(3)
    expect(stderr).toContain(
      `Expected faces whose persons are known for \`--by person\`, but got 6 of nobody known in \`${scratch.at('src', 'aligned')}\`. Run first: dfl faceset persons --workspace ${scratch.at()}`,
    )
    const input = scratch.at('src', 'aligned')
    expect((await split('--input', input)).stderr).toContain(`Run first: dfl faceset persons --inputs ${input}`)
    expect(existsSync(scratch.at('people'))).toBe(false)
  })

  it('writes and reads facesets of DeepFaceLab, and masks', async () => {
    await using scratch = await scratchFolder()
    await writeFaces(scratch.at('src', 'aligned'))
    const side = ['--side', 'src', '--workspace', scratch.at()]
    await dfl('faceset', 'export', ...side, '--out', scratch.at('dfl'))
    const imported = await dfl(
      'faceset',
      'import',
      '--input',
      scratch.at('dfl'),
      '--side',
      'dst',
      '--workspace',
      scratch.at(),
    )
    expect(imported.stdout).toContain('6 faces of full_face at 64 px')
    const faces = await (await openFaceset(scratch.at('dst', 'aligned'))).all()
    expect(faces[2]).toMatchObject({ filename: 'clip_000002_0.jpg', sourceFilename: '00003.png', frameIndex: 2 })
    await dfl('faceset', 'export-masks', ...side, '--out', scratch.at('masks'))
    const masks = await dfl('faceset', 'import-masks', ...side, '--masks', scratch.at('masks'))
    expect(masks.stdout).toBe('Masks    6 faces have what was drawn\n')
    await dfl('faceset', 'debug-images', ...side, '--out', scratch.at('look'))
    expect(await readdir(scratch.at('look'))).toHaveLength(6)
  })

  it('finds masks for heads that have none, and refuses faces whose images end at the hair', async () => {
    await using scratch = await scratchFolder()
    const where = ['--side', 'dst', '--workspace', scratch.at()]
    const clip = [
      '--input',
      fileURLToPath(new URL('../../../examples/footage/pair1-dst.mp4', import.meta.url)),
      '--face-type',
      'head',
      '--size',
      '128',
      '--every-nth',
      '96',
    ]
    await dfl('extract', ...where, ...clip, '--embed-every', '0')
    const masked = async () =>
      (await (await openFaceset(scratch.at('dst', 'aligned'))).all()).filter(({ mask }) => mask)
    expect(await masked()).toHaveLength(2)
    await dfl('xseg', 'remove', ...where)
    expect(await masked()).toHaveLength(0)
    const found = await dfl('faceset', 'head-masks', ...where)
    expect([found.code, found.stdout]).toEqual([0, `Masks    2 heads in ${scratch.at('dst', 'aligned')}\n`])
    expect(await masked()).toHaveLength(2)

    await writeFaces(scratch.at('src', 'aligned'))
    const { code, stderr } = await dfl('faceset', 'head-masks', '--side', 'src', '--workspace', scratch.at())
    expect(code).toBe(3)
    expect(stderr).toContain('but got full_face, whose images end at the hair. Extract them with --face-type head.')
  })

  it('names persons, who keep their names when their faces are extracted anew', async () => {
    await using scratch = await scratchFolder()
    const folder = scratch.at('w', 'src', 'aligned')
    const write = async (faces: readonly { count: number; who: number }[]) => {
      await using writer = await createFaceset(folder, { faceType: 'full_face', size: 64 })
      for (const { count, who } of faces)
        for (let i = 0; i < count; i++) {
          await writer.add(personAt(who, i), createPixels(64, 64, 3))
        }
    }
    const persons = async () => {
      const { stdout } = await dfl('faceset', 'persons', '--workspace', scratch.at('w'))
      return stdout
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/\s+/).slice(0, 2))
    }
    await write([
      { count: 6, who: 1 },
      { count: 4, who: 2 },
    ])
    expect(await persons()).toEqual([
      ['p1', '6'],
      ['p2', '4'],
    ])
    await rm(folder, { recursive: true })
    await write([
      { count: 4, who: 3 },
      { count: 6, who: 2 },
    ])
    expect(await persons()).toEqual([
      ['p2', '6'],
      ['p3', '4'],
    ])
    await writeGrayFrames(scratch.at('clip'))
    const line = ['extract', '--side', 'dst', '--input', scratch.at('clip'), '--workspace', scratch.at('w')]
    expect((await dfl(...line, '--person', 'p7')).stderr).toContain(
      'Expected the path of a picture or a person of this workspace for `--person`, but got p7. Known are p2, p3, p1, or give a picture with the face.',
    )
  })
})
