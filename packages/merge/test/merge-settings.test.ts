import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolveOptions } from '@dfl/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mergeOptions, readSettings, type SettingsEntry, settingsOf } from '../src/index.js'

const shots = { starts: [0, 100, 200], frames: 300 }
const options = resolveOptions(mergeOptions, { erode: 1, blur: 20 })
const at = (entries: readonly SettingsEntry[], frame: number) => settingsOf(entries, { shots, options })(frame)

describe('settingsOf', () => {
  it('gives the options of the whole clip where nothing else is set', () => {
    expect(at([], 10)).toBe(options)
    expect(at([{ from: 50, erode: 5 }], 49)).toEqual(options)
  })

  it('carries settings on from a frame until they are changed, over cuts, as DFL', () => {
    const entries = [{ from: 150, erode: 7 }, { from: 50, erode: 5, mask: 'learned-dst' } as const]
    expect([49, 50, 149, 150, 299].map((frame) => at(entries, frame).erode)).toEqual([1, 5, 5, 7, 7])
    expect(at(entries, 299).mask).toBe('learned-dst')
  })

  it('sets options for one shot only', () => {
    const entries = [{ from: 50, erode: 5 }, { shot: 2, erode: 9, note: 'hair over the brow' } as const]
    expect([99, 100, 199, 200].map((frame) => at(entries, frame).erode)).toEqual([5, 9, 9, 5])
  })

  it('goes evenly from key frame to key frame, and never over a cut', () => {
    const entries = [
      { key: 120, blur: 10 },
      { key: 160, blur: 50, erode: 4 },
      { shot: 2, blur: 99, erode: 2 },
    ]
    expect([99, 100, 120, 130, 160, 199, 200].map((frame) => at(entries, frame).blur)).toEqual([
      20, 10, 10, 20, 50, 50, 20,
    ])
    expect([100, 199, 200].map((frame) => at(entries, frame).erode)).toEqual([4, 4, 1])
  })

  it('names the frame, the shot and the option of everything that is wrong, at once', () => {
    const entries = [
      { from: 120, erode: 500 },
      { shot: 2, crf: 10 },
      { shot: 3, errode: 1 } as never,
      { key: 140, mask: 'dst' } as const,
    ]
    expect(() => at(entries, 0)).toThrow(
      'Expected a number between -100 and 100 px of a 256 px face for `erode` of frame 120 on, but got 500.',
    )
    expect(() => at(entries, 0)).toThrow('but got `crf` of shot 2: it is of the result as a whole.')
    expect(() => at(entries, 0)).toThrow('but got `errode` of shot 3: there is no such option.')
    expect(() => at(entries, 0)).toThrow(
      'Expected a number at a key frame, but got `mask` of key frame 140. Set it with "from" or "shot".',
    )
  })

  it('refuses places that the clip does not have, and two values for one place', () => {
    expect(() => at([{ shot: 4, erode: 1 }], 0)).toThrow('Expected a shot from 1 to 3, but got shot 4.')
    expect(() => at([{ key: 300, erode: 1 }], 0)).toThrow('Expected a frame below 300, but got key frame 300.')
    const two = [
      { shot: 1, erode: 1 },
      { shot: 1, erode: 2 },
    ]
    expect(() => at(two, 0)).toThrow('Expected `erode` of shot 1 once, but got it twice.')
    expect(() => at([{ erode: 1 }], 0)).toThrow('Expected one of "from", "shot" and "key" for entry 1, but got none.')
  })
})

describe('readSettings', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'settings-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  const read = async (text: string) => {
    const path = join(folder, 'merge.json')
    await writeFile(path, text)
    return readSettings(path)
  }

  it('reads the entries of a file', async () => {
    const settings = [
      { from: 0, erode: 3 },
      { shot: 2, blur: 30, note: 'soft' },
    ]
    expect(await read(JSON.stringify({ format: 1, settings }))).toEqual(settings)
  })

  it('tells the file and the entry of what is wrong', async () => {
    const path = join(folder, 'merge.json')
    await expect(read('{ "format": 1,\n "settings": [ // comment\n] }')).rejects.toThrow(
      'JSON has no comments: write a "note" into an entry.',
    )
    await expect(read('{ "settings": {} }')).rejects.toThrow('Expected { "format": 1, "settings": [ … ] }')
    await expect(read('{ "format": 1, "settings": [{ "shot": 0 }] }')).rejects.toThrow(
      `Expected a whole number of at least 1 for "shot" of entry 1, but got 0.\nChange this in \`${path}\`.`,
    )
    await expect(readSettings(join(folder, 'none.json'))).rejects.toThrow('Expected a file of settings at')
  })
})
