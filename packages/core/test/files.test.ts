import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { makeFolder, move, putInPlace, readTextFile, writeFileAtomic } from '../src/files.js'

/** What the next renames fail with: Linux never refuses a rename because a file is open, so a system that does is played. */
const held = vi.hoisted<string[]>(() => [])
vi.mock('node:fs/promises', async (load) => {
  const real = await load<typeof import('node:fs/promises')>()
  const rename = async (from: string, to: string) => {
    const code = held.shift()
    if (code) throw Object.assign(new Error(code), { code })
    await real.rename(from, to)
  }
  return { ...real, rename }
})

let folder = ''
const at = (...names: string[]) => join(folder, ...names)
beforeEach(async () => {
  held.length = 0
  folder = await mkdtemp(join(tmpdir(), 'dfl-files-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('makeFolder', () => {
  it('makes what is missing, and tells the topmost folder that it made', async () => {
    expect(await makeFolder(at('a', 'b', 'c'))).toBe(at('a'))
    expect(await makeFolder(at('a', 'b', 'd'))).toBe(at('a', 'b', 'd'))
    expect(await makeFolder(at('a', 'b'))).toBeUndefined()
    expect(await readdir(at('a', 'b'))).toEqual(['c', 'd'])
  })

  it('lets several make the same folders at once', async () => {
    await Promise.all(Array.from({ length: 8 }, (_, i) => makeFolder(at('a', 'b', String(i)))))
    expect(await readdir(at('a', 'b'))).toHaveLength(8)
  })

  it('says so where a file stands in the way', async () => {
    await writeFile(at('file'), '')
    await expect(makeFolder(at('file'))).rejects.toMatchObject({ code: 'EEXIST', path: at('file') })
    await expect(makeFolder(at('file', 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' })
  })

  it.skipIf(!existsSync('/proc/self'))('says at once where the system takes no folders', async () => {
    await expect(makeFolder('/proc/x/y')).rejects.toThrow(
      'Expected to make the folder `/proc/x`, but `/proc` takes no folders. Choose another place.',
    )
    await expect(writeFileAtomic('/proc/x/y', 'text')).rejects.toMatchObject({ code: 'BAD_STATE' })
  })
})

describe('move', () => {
  const patience = { tries: 3, milliseconds: 1 }

  it.each(['EPERM', 'EACCES', 'EBUSY'])(
    'waits while another program holds the file, as Windows says by %s',
    async (code) => {
      await writeFile(at('new'), 'new')
      await writeFile(at('place'), 'old')
      held.push(code, code)
      await move(at('new'), at('place'), patience)
      expect(await readFile(at('place'), 'utf8')).toBe('new')
    },
  )

  it('gives up after its last try, and at once where waiting does not help', async () => {
    await writeFile(at('new'), 'new')
    held.push('EBUSY', 'EBUSY', 'EBUSY')
    await expect(move(at('new'), at('place'), patience)).rejects.toThrow(
      `Expected to put a file at \`${at('place')}\`, but got no permission, or a program that has it open. Close it there`,
    )
    held.push('ENOSPC', 'unused')
    await expect(move(at('new'), at('place'), patience)).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(held).toEqual(['unused'])
  })
})

describe('readTextFile', () => {
  it.each([
    ['UTF-8', Buffer.from('{ "note": "Größe" }')],
    ['UTF-8 with a mark', Buffer.from('\ufeff{ "note": "Größe" }')],
    ['UTF-16', Buffer.from('\ufeff{ "note": "Größe" }', 'utf16le')],
  ])('reads %s', async (_, bytes) => {
    await writeFile(at('text.json'), bytes)
    expect(JSON.parse(await readTextFile(at('text.json')))).toEqual({ note: 'Größe' })
  })
})

describe('putInPlace', () => {
  it('replaces what stands there by a finished file', async () => {
    await writeFile(at('result.mp4'), 'old')
    await writeFile(at('result.mp4.partial.mp4'), 'new')
    await putInPlace(at('result.mp4.partial.mp4'), at('result.mp4'))
    expect(await readdir(folder)).toEqual(['result.mp4'])
    expect(await readFile(at('result.mp4'), 'utf8')).toBe('new')
  })
})
