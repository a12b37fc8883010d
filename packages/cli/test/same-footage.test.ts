import { readFile, writeFile } from 'node:fs/promises'
import { type Bitmap, collect } from '@dfl/core'
import { createFaceset } from '@dfl/faceset'
import { crop, toPixels } from '@dfl/image'
import { bitmapFrame, createVideo, openFrames, type VideoInfo, writeImage } from '@dfl/media'
import { describe, expect, it } from 'vitest'
import { dstClipOf } from '../src/merge-job.js'
import { sameFootage } from '../src/same-footage.js'
import { identifyClip, openWorkspace } from '../src/workspace.js'
import { dfl, roundFace, scratchFolder, TINY, writeFaces } from './support.js'

const SIZE = 64
const AT = { x: 50, y: 30 }

/** A picture of a take: takes differ, and so do the moments of one. */
function picture(take: number, moment: number, grade = (value: number) => value): Bitmap {
  const [width, height] = [160, 120]
  const data = new Uint8Array(width * height * 3)
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)]
    data[i] = 255 * grade(0.5 + 0.24 * Math.sin(x / (5 + 2 * take) + moment / 2) + 0.24 * Math.cos(y / 7 - take))
  }
  return { data, width, height, channels: 3 }
}

async function writeTake(folder: string, take: number, { frames = 6, grade }: TakeOptions = {}): Promise<string> {
  for (let i = 0; i < frames; i++) await writeImage(`${folder}/${i}.png`, picture(take, i, grade))
  return folder
}

/** A clip of 25 frames a second that comes from no file. */
const videoInfo = (width: number, height: number, frameCount: number): VideoInfo => ({
  ...{ path: '', width, height, rotationDegrees: 0, sampleAspectRatio: { num: 1, den: 1 } },
  ...{ frameRate: { num: 25, den: 1 }, variableFrameRate: false, frameCount, frameCountIsEstimate: false },
  ...{ durationSeconds: frameCount / 25, timeBase: { num: 1, den: 25 }, codec: 'h264', pixelFormat: 'yuv420p' },
  ...{ bitDepth: 8, chromaSite: 'left', audio: [], metadata: {} },
  color: { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', range: 'limited' },
})

interface TakeOptions {
  frames?: number
  grade?: (value: number) => number
}

/** A workspace whose faces of DST were found in a take. */
async function workspaceOf(folder: string, clip: string, take: number) {
  const workspace = await openWorkspace(folder)
  await using writer = await createFaceset(workspace.faceset.dst, { faceType: 'full_face', size: SIZE })
  for (let i = 0; i < 6; i++) {
    const image = toPixels(crop(picture(take, i), { ...AT, width: SIZE, height: SIZE }))
    const inFrame = roundFace(SIZE).map(([x, y]) => [x + AT.x, y + AT.y] as const)
    await writer.add(
      {
        filename: `${i}_0.png`,
        ...{ faceType: 'full_face', size: SIZE, landmarks: roundFace(SIZE), sourceFilename: `${i}.png`, score: 1 },
        ...{ frameIndex: i, timestampSeconds: i / 25, faceIndex: 0, sourceLandmarks: inFrame },
        sourceRect: { ...AT, width: SIZE, height: SIZE },
        imageToFaceMat: [1, 0, -AT.x, 0, 1, -AT.y],
      },
      image,
    )
  }
  const known = { ...(await identifyClip(clip, '--input')), asked: {} }
  await workspace.update({ clips: { src: [], dst: [known] } })
  return workspace
}

describe('a clip that is merged into', () => {
  it('may be graded or copied, and is refused where it is another', async () => {
    await using scratch = await scratchFolder()
    const take = await writeTake(scratch.at('take'), 0)
    const workspace = await workspaceOf(scratch.at('w'), take, 0)
    const told = async (clip: string, otherFootage = false) =>
      collect(sameFootage(workspace, await dstClipOf(workspace, { input: clip }), { otherFootage }))
    expect(await told(take)).toEqual([])
    const graded = await writeTake(scratch.at('graded'), 0, { grade: (value) => 0.1 + 0.8 * value ** 3 })
    expect(await told(graded)).toEqual([])
    const other = await writeTake(scratch.at('other'), 3)
    await expect(told(other)).rejects.toThrow(
      `Expected the footage that DST's faces were found in (\`${take}\`) for \`--input\`, but got \`${other}\`, which shows something else`,
    )
    expect(await told(other, true)).toEqual([])
  })

  it('is told of where it ends early, or shows other moments', async () => {
    await using scratch = await scratchFolder()
    const take = await writeTake(scratch.at('take'), 0)
    const workspace = await workspaceOf(scratch.at('w'), take, 0)
    const told = async (clip: string) => {
      const events = await collect(sameFootage(workspace, await dstClipOf(workspace, { input: clip }), {}))
      return events.map((event) => (event.event === 'warning' ? event.text : event.event))
    }
    const short = await writeTake(scratch.at('short'), 0, { frames: 4 })
    expect(await told(short)).toEqual([
      "short ends before the frames of DST's last faces: it is shorter than take, which they were found in. Where it was cut or retimed, faces lie beside their frames: extract it in another workspace then.",
    ])
    const late = await writeTake(scratch.at('late'), 0)
    await writeImage(`${late}/3.png`, picture(0, 5))
    expect(await told(late)).toEqual([
      expect.stringMatching(
        /^late is not quite the footage that DST's faces were found in: in frame 3 it agrees to 0\.\d\d of 1 with the face there\./,
      ),
    ])
  })

  it('may have damaged frames', async () => {
    await using scratch = await scratchFolder()
    const take = scratch.at('take.mp4')
    const info = videoInfo(160, 120, 6)
    await using video = await createVideo(take, { like: info, crf: 0, preset: 'ultrafast' })
    for (let index = 0; index < 6; index++)
      await video.write(
        bitmapFrame(picture(0, index), { index, pts: index, timeBase: info.timeBase, name: `${index}` }),
      )
    await video.finish()
    const workspace = await workspaceOf(scratch.at('w'), take, 0)
    const bytes = await readFile(take)
    bytes.fill(0x5a, Math.round(bytes.length * 0.5), Math.round(bytes.length * 0.7))
    await writeFile(scratch.at('damaged.mp4'), bytes)
    await expect(collect((await openFrames(scratch.at('damaged.mp4'))).frames())).rejects.toThrow(
      'Expected a whole frame',
    )
    const clip = await dstClipOf(workspace, { input: scratch.at('damaged.mp4') })
    expect(await collect(sameFootage(workspace, clip, {}))).toEqual([])
  })

  it('is looked at before dfl merge paints, and before it shows a frame', async () => {
    await using scratch = await scratchFolder()
    const take = await writeTake(scratch.at('take'), 0)
    const { folder } = await workspaceOf(scratch.at('w'), take, 0)
    await writeFaces(scratch.at('w', 'src', 'aligned'))
    const trained = await dfl('train', '--workspace', folder, '--iterations', '1', '--from-scratch', ...TINY)
    expect([trained.code, trained.code === 0 ? '' : trained.stderr]).toEqual([0, ''])
    const other = await writeTake(scratch.at('other'), 3)
    const merge = (...more: string[]) =>
      dfl('merge', '--workspace', folder, '--input', other, '--out', scratch.at('out'), '--no-provenance', ...more)
    for (const more of [[], ['--preview', '1']]) {
      const { code, stderr } = await merge(...more)
      expect(code).toBe(3)
      expect(stderr).toContain('If these are meant all the same, add --other-footage.')
    }
    const forced = await merge('--other-footage')
    expect([forced.code, forced.code === 0 ? '' : forced.stderr]).toEqual([0, ''])
  }, 60_000)
})
