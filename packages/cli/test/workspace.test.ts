import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { describe, expect, it } from 'vitest'
import { lockWorkspace, openWorkspace, PRESETS, presetFor, presetNamed } from '../src/index.js'
import { rateForWidth } from '../src/presets.js'
import { identifyClip, isSameClip } from '../src/workspace.js'
import { dfl, scratchFolder, writeGrayFrames } from './support.js'

describe('lockWorkspace', () => {
  it('lets one in at a time, and the next one after it', async () => {
    await using scratch = await scratchFolder()
    const first = await lockWorkspace(scratch.at('w'), 'run')
    await expect(lockWorkspace(scratch.at('w'), 'merge')).rejects.toThrow(
      `Expected a free workspace in \`${scratch.at('w')}\`, but got one that \`dfl run\` uses (process ${process.pid} on ${hostname()}).`,
    )
    await first[Symbol.asyncDispose]()
    await using _ = await lockWorkspace(scratch.at('w'), 'merge')
    expect(await readdir(scratch.at('w'))).toEqual(['workspace.lock'])
  })

  it('takes over from a process that is gone, and from its own number of an earlier life', async () => {
    await using scratch = await scratchFolder()
    const { pid } = spawnSync(process.execPath, ['--version'])
    for (const holder of [
      { pid, since: 1 },
      { pid: process.pid, since: 1 },
    ]) {
      await writeFile(scratch.at('workspace.lock'), JSON.stringify({ host: hostname(), command: 'run', ...holder }))
      await using _ = await lockWorkspace(scratch.at(), 'train')
      expect(JSON.parse(await readFile(scratch.at('workspace.lock'), 'utf8'))).toMatchObject({ command: 'train' })
    }
  })
})

describe('a workspace that cannot be', () => {
  it.skipIf(!existsSync('/proc/self'))('is refused at once below /proc', async () => {
    const { code, stderr } = await dfl('extract', '--side', 'src', '--input', 'a.mp4', '--workspace', '/proc/x')
    expect(code).toBe(3)
    expect(stderr).toBe(
      'dfl: Expected to make the folder `/proc/x`, but `/proc` takes no folders. Choose another place.\n',
    )
  })

  it('is refused where a file stands', async () => {
    await using scratch = await scratchFolder()
    await writeFile(scratch.at('file'), '')
    for (const place of [scratch.at('file'), scratch.at('file', 'below')]) {
      const { code, stderr } = await dfl('train', '--workspace', place)
      expect(code).toBe(3)
      expect(stderr).toMatch(`Expected to read or write \`${place}\`, but got `)
    }
  })
})

describe('openWorkspace', () => {
  it('leaves alone what another process may be writing; whoever takes the lock clears it', async () => {
    await using scratch = await scratchFolder()
    await (await openWorkspace(scratch.at())).update({})
    await writeFile(scratch.at('.workspace.json.0123abcd.tmp'), '')
    await openWorkspace(scratch.at())
    expect(await readdir(scratch.at())).toContain('.workspace.json.0123abcd.tmp')
    await using _ = await lockWorkspace(scratch.at(), 'train')
    expect(await readdir(scratch.at())).not.toContain('.workspace.json.0123abcd.tmp')
  })

  it('remembers what was written', async () => {
    await using scratch = await scratchFolder()
    await (await openWorkspace(scratch.at('w'))).update({ preset: 'film' })
    expect((await openWorkspace(scratch.at('w'))).record).toMatchObject({ preset: 'film', clips: { src: [], dst: [] } })
  })

  it('reads the record of a workspace whose sides were one clip each', async () => {
    await using scratch = await scratchFolder()
    const clip = { path: '/a/b.mp4', bytes: 10, modifiedMs: 5 }
    const record = {
      ...{ format: 1, faceType: 'head', clips: { dst: clip }, asked: { dst: { faceType: 'head' } } },
      extracted: { dst: { clip, frames: 9, framesWithFace: 8, faces: 8 } },
      merged: { madeFrom: '', result: '/a/c.mp4', frames: 9, framesWithFace: 8 },
    }
    await writeFile(scratch.at('workspace.json'), JSON.stringify(record))
    expect((await openWorkspace(scratch.at())).record).toEqual({
      ...{ format: 2, faceType: 'head' },
      clips: {
        src: [],
        dst: [
          { ...clip, name: 'b.mp4', asked: record.asked.dst, extracted: { frames: 9, framesWithFace: 8, faces: 8 } },
        ],
      },
      merged: [{ ...record.merged, dst: '/a/b.mp4' }],
    })
  })

  it('says what to do about a record that cannot be read', async () => {
    await using scratch = await scratchFolder()
    await writeFile(scratch.at('workspace.json'), '{ "format": ')
    await expect(openWorkspace(scratch.at())).rejects.toThrow(
      'but it cannot be read. Delete it: faces and model stay, and are found again.',
    )
  })

  it('knows a clip that was moved or copied, and one that was changed', () => {
    const clip = { path: '/a/x.mp4', bytes: 10, modifiedMs: 5 }
    expect(isSameClip(clip, { path: '/b/y.mp4', bytes: 10, modifiedMs: 5 })).toBe(true)
    expect(isSameClip(clip, { path: '/b/x.mp4', bytes: 10, modifiedMs: 9 })).toBe(true)
    expect(isSameClip(clip, { path: '/a/x.mp4', bytes: 11, modifiedMs: 5 })).toBe(false)
    expect(isSameClip({ path: '/a/frames' }, { path: '/b/frames' })).toBe(false)
  })

  it('knows a folder of images that was moved, and one whose images are others', async () => {
    await using scratch = await scratchFolder()
    await writeGrayFrames(scratch.at('a'))
    const before = await identifyClip(scratch.at('a'), '--input')
    await rename(scratch.at('a'), scratch.at('b'))
    expect(isSameClip(before, await identifyClip(scratch.at('b'), '--input'))).toBe(true)
    // As an uncompressed sequence that was rendered anew: as many bytes under the same names, where it stood.
    const rendered = new Date(Date.now() + 5000)
    const there = await identifyClip(scratch.at('b'), '--input')
    await utimes(scratch.at('b', '1.png'), rendered, rendered)
    expect(isSameClip(there, await identifyClip(scratch.at('b'), '--input'))).toBe(false)
    await writeGrayFrames(scratch.at('b'), 3)
    expect(isSameClip(before, await identifyClip(scratch.at('b'), '--input'))).toBe(false)
  })
})

describe('rateForWidth', () => {
  const quick = presetNamed('quick')
  it("is 1 for a preset's own network, for narrower ones and for those without widths", () => {
    for (const preset of PRESETS) expect(rateForWidth(preset, preset.architecture)).toBe(1)
    expect(rateForWidth(quick, { eDims: 8, dDims: 8 })).toBe(1)
    expect(rateForWidth(quick, { anything: 3 })).toBe(1)
  })

  it('falls as the network grows wider: of a network like that of film to about its rates', () => {
    const { architecture, recipe } = presetNamed('film')
    const highest = (phases: typeof recipe.phases) => phases[0]!.learningRate[0]
    const rate = rateForWidth(quick, architecture) * highest(quick.recipe.phases)
    expect(rate / highest(recipe.phases)).toBeGreaterThan(0.8)
    expect(rate / highest(recipe.phases)).toBeLessThan(1.6)
    expect(rateForWidth(quick, { eDims: 48, dDims: 32 })).toBeCloseTo(0.5, 12)
  })
})

describe('presetFor', () => {
  it('takes what is made for longer trainings for those, and film on a GPU only', () => {
    const namesOf = (device: string) =>
      [60, 120, 480, 481, 5400, 5401].map((seconds) => presetFor({ seconds, device }).name)
    expect(namesOf('cpu')).toEqual(['quick', 'quick', 'quick', 'standard', 'standard', 'standard'])
    expect(namesOf('tensorflow')).toEqual(namesOf('cpu')) // which may run on a GPU, or not
    expect(namesOf('webgpu')).toEqual(['quick', 'quick', 'standard', 'standard', 'standard', 'film'])
    expect([50, 100_000].map((iterations) => presetFor({ iterations }).name)).toEqual(['quick', 'standard'])
    expect(presetFor({ iterations: 100_000, device: 'cuda' }).name).toBe('film')
    expect([presetFor({}).name, presetFor({ device: 'cuda' }).name]).toEqual(['standard', 'film'])
  })

  it('gives recipes whose phases end one after the other, the last at 1', () => {
    for (const { recipe } of PRESETS) {
      const ends = recipe.phases.map(({ until }) => until)
      expect(ends).toEqual([...ends].sort((a, b) => a - b))
      expect(ends.at(-1)).toBe(1)
    }
  })
})
