import { spawnSync } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { describe, expect, it } from 'vitest'
import { lockWorkspace, openWorkspace, PRESETS, presetFor } from '../src/index.js'
import { isSameClip } from '../src/workspace.js'
import { scratchFolder } from './support.js'

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

describe('openWorkspace', () => {
  it('remembers what was written', async () => {
    await using scratch = await scratchFolder()
    await (await openWorkspace(scratch.at('w'))).update({ preset: 'film' })
    expect((await openWorkspace(scratch.at('w'))).record).toMatchObject({ preset: 'film', clips: {} })
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
})

describe('presetFor', () => {
  it('takes larger networks for longer trainings', () => {
    const night = 6 * 3600
    const names = [60, 480, 481, night, night + 1].map((seconds) => presetFor({ seconds }).name)
    expect(names).toEqual(['quick', 'quick', 'standard', 'standard', 'film'])
    expect([50, 100_000].map((iterations) => presetFor({ iterations }).name)).toEqual(['quick', 'film'])
  })

  it('gives recipes whose phases end one after the other, the last at 1', () => {
    for (const { recipe } of PRESETS) {
      const ends = recipe.phases.map(({ until }) => until)
      expect(ends).toEqual([...ends].sort((a, b) => a - b))
      expect(ends.at(-1)).toBe(1)
    }
  })
})
