import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findShots, shotOf, writeImage } from '../src/index.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shots-'))
  // Three shots: light, dark, light again; within each the brightness drifts as a slow fade does.
  const light = (index: number) => (index < 4 ? 180 : index < 9 ? 40 : 200) + index
  for (let index = 0; index < 12; index++) {
    const data = new Uint8Array(96 * 54 * 3).fill(light(index))
    await writeImage(join(folder, `${index}.png`), { data, width: 96, height: 54, channels: 3 })
  }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('findShots', () => {
  it('begins a shot at every cut and counts the frames', async () => {
    expect(await findShots(folder)).toMatchObject({
      starts: [0, 4, 9],
      frames: 12,
      names: { length: 12, 10: '10.png' },
    })
  })
})

describe('shotOf', () => {
  it('counts shots from 1', () => {
    const shots = { starts: [0, 4, 9], frames: 12 }
    expect([0, 3, 4, 8, 9, 11].map((frame) => shotOf(shots, frame))).toEqual([1, 1, 2, 2, 3, 3])
  })
})
