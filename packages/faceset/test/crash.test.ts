import { type ChildProcess, fork } from 'node:child_process'
import { copyFile, mkdir, readdir, readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { beforeAll, describe, expect, it } from 'vitest'
import { createFaceset, openFaceset } from '../src/index.js'
import { bundle } from './bundle.js'
import { syntheticFace, syntheticImage, temporaryFolder } from './synthetic.js'

const WHOLE_64 = { faceType: 'whole_face', size: 64 } as const

describe('a log cut off at any byte', () => {
  it('loses only what was cut, reads on, and can be written on', async () => {
    const whole = await temporaryFolder()
    const writer = await createFaceset(whole, WHOLE_64)
    for (let i = 0; i < 3; i++) {
      await writer.add(syntheticFace(i), syntheticImage(i))
      await writer.frameDone('clip.mp4', i)
    }
    await writer.close()
    const log = await readFile(join(whole, 'faces.jsonl'))
    const folder = await temporaryFolder()
    for (const name of await readdir(whole)) await copyFile(join(whole, name), join(folder, name))

    // Every byte of the last two records of progress and of the ends of the face between them, some of its middle.
    const ends = [...log.entries()].filter(([, byte]) => byte === 10).map(([at]) => at + 1)
    const start = ends.at(-4)!
    for (
      let length = start;
      length <= log.length;
      length += length > ends.at(-3)! + 60 && length < ends.at(-2)! - 60 ? 97 : 1
    ) {
      await copyFile(join(whole, 'faces.jsonl'), join(folder, 'faces.jsonl'))
      await truncate(join(folder, 'faces.jsonl'), length)
      const complete = ends.filter((end) => end <= length).length - 1 // Lines without the header.
      const { info } = await openFaceset(folder)
      expect(info).toMatchObject({
        count: Math.ceil(complete / 2),
        sources: [{ source: 'clip.mp4', framesDone: Math.floor(complete / 2) }],
        damagedLines: ends.includes(length) ? 0 : 1,
      })
      const again = await createFaceset(folder, WHOLE_64)
      expect(again.done('clip.mp4').size).toBe(Math.floor(complete / 2))
      await again.frameDone('clip.mp4', 1000)
      await again.close()
      const { info: after } = await openFaceset(folder)
      expect(after).toMatchObject({ count: info.count, damagedLines: 0 })
      expect(after.sources[0].framesDone).toBe(info.sources[0].framesDone + 1)
    }
  })

  it('says so when the header is cut off', async () => {
    const folder = await temporaryFolder()
    await (await createFaceset(folder, WHOLE_64)).close()
    await truncate(join(folder, 'faces.jsonl'), 20)
    await expect(openFaceset(folder)).rejects.toMatchObject({ code: 'CORRUPT_FILE' })
  })
})

describe('a writer that is killed', () => {
  let program: string

  beforeAll(async () => {
    program = join(await temporaryFolder(), 'endless-writer.mjs')
    await bundle(new URL('./endless-writer.ts', import.meta.url), program)
  })

  /** Every face that is listed has its whole image, and every frame done has its two faces; returns the frames done. */
  async function checkWhole(folder: string): Promise<number> {
    const faceset = await openFaceset(folder)
    expect(faceset.info).toMatchObject({ missingImages: 0 })
    const facesOfFrame = new Map<number, number>()
    for await (const face of faceset.faces()) {
      const [read, written] = [await faceset.readImage(face), syntheticImage(face.frameIndex * 2 + face.faceIndex)]
      expect(Buffer.from(read.data).equals(Buffer.from(written.data))).toBe(true)
      facesOfFrame.set(face.frameIndex, (facesOfFrame.get(face.frameIndex) ?? 0) + 1)
    }
    const writer = await createFaceset(folder, WHOLE_64)
    const done = writer.done('clip.mp4')
    for (const frame of done) expect(facesOfFrame.get(frame)).toBe(2)
    await writer.close()
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([])
    return done.size
  }

  it('leaves a faceset that is whole and is resumed exactly, after SIGKILL at random moments', async () => {
    const folder = join(await temporaryFolder(), 'faces')
    await mkdir(folder)
    let last = 0
    for (const extraFrames of [0, 17, 31]) {
      await runUntil(() => fork(program, [folder]), last + extraFrames)
      const frames = await checkWhole(folder)
      expect(frames).toBeGreaterThanOrEqual(last)
      last = frames
    }
    expect(last).toBeGreaterThan(0)
  })

  /** Starts the writer, kills it a random moment after it has reported `frames`. */
  async function runUntil(start: () => ChildProcess, frames: number): Promise<void> {
    const child = start()
    const exit = new Promise((resolve) => child.once('exit', resolve))
    child.on('message', async (frame: number) => {
      if (frame < frames) return
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 30))
      child.kill('SIGKILL')
    })
    await exit
    expect(child.signalCode).toBe('SIGKILL')
  }

  it('leaves a faceset that is whole when its thread is ended at random moments', async () => {
    const folder = join(await temporaryFolder(), 'faces')
    await mkdir(folder)
    for (let round = 0; round < 3; round++) {
      const worker = new Worker(program, { argv: [folder] })
      await new Promise((resolve) => worker.once('message', resolve))
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 200))
      await worker.terminate()
      await checkWhole(folder)
    }
  })
})
