import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FaceMeta, FaceType, Point } from '@dfl/core'
import { createFaceset } from '@dfl/faceset'
import { createPixels } from '@dfl/image'
import { writeImage } from '@dfl/media'
import { main } from '../src/main.js'

// What is kept for a user, such as a self-made certificate, has no place in the home of who runs the tests.
process.env.XDG_DATA_HOME ??= join(tmpdir(), `dfl-data-${process.pid}`)

/** Runs a command line inside this process; gives its exit code and what it wrote. */
export async function dfl(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' }
  const stream = (name: 'stdout' | 'stderr') => ({
    columns: 80,
    write: (text: string) => {
      written[name] += text
    },
  })
  const code = await main(args, { stdout: stream('stdout'), stderr: stream('stderr') })
  return { code, ...written }
}

/** An empty folder that is gone when the test is over. */
export async function scratchFolder(): Promise<{ at: (...names: string[]) => string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'dfl-cli-'))
  return {
    at: (...names) => join(folder, ...names),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Landmarks of a round face in the middle of a square image. */
export const roundFace = (size: number): Point[] =>
  Array.from({ length: 68 }, (_, i) => {
    const angle = (i / 68) * 2 * Math.PI
    const radius = size * (i % 2 === 0 ? 0.3 : 0.2)
    return [size / 2 + radius * Math.cos(angle), size / 2 + radius * Math.sin(angle)]
  })

/** A faceset of a few smooth pictures. */
export async function writeFaces(folder: string, faceType: FaceType = 'full_face', count = 6): Promise<void> {
  const size = 64
  await using writer = await createFaceset(folder, { faceType, size })
  for (let i = 0; i < count; i++) {
    const picture = createPixels(size, size, 3)
    for (let p = 0; p < picture.data.length; p++) picture.data[p] = 0.5 + 0.4 * Math.sin(p / (97 + 11 * i))
    const meta: FaceMeta = {
      filename: `clip_${String(i).padStart(6, '0')}_0.png`,
      faceType,
      size,
      landmarks: roundFace(size),
      sourceFilename: `clip.mp4#${i}`,
      frameIndex: i,
      timestampSeconds: i / 25,
      faceIndex: 0,
      sourceLandmarks: roundFace(size),
      sourceRect: { x: 0, y: 0, width: size, height: size },
      imageToFaceMat: [1, 0, 0, 0, 1, 0],
      score: 1,
    }
    await writer.add(meta, picture)
    await writer.frameDone('clip.mp4', i)
  }
}

/** A folder of gray pictures, without any face. */
export async function writeGrayFrames(folder: string, count = 2): Promise<void> {
  const data = new Uint8Array(160 * 120 * 3).fill(90)
  for (let i = 0; i < count; i++)
    await writeImage(join(folder, `${i}.png`), { data, width: 160, height: 120, channels: 3 })
}

/** Flags of a model that trains in milliseconds. */
export const TINY =
  '--resolution 32 --no-subpixel --ae-dims 16 --e-dims 8 --d-dims 8 --d-mask-dims 4 --batch-size 2'.split(' ')
