import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { collect } from '@dfl/core'
import { concatVideos, createVideo, openFrames, probeVideo, readImage, type VideoPart, writeImage } from '@dfl/media'
import { collectReport, type FrameReport } from '@dfl/merge'
import { SYNTHETIC_METADATA } from '@dfl/provenance'
import { describe, expect, it } from 'vitest'
import { parseFrames, parseSpans } from '../src/frame-spans.js'
import { writeComparison, writeStills } from '../src/merge-extras.js'
import { writeMergeReport } from '../src/merge-report.js'
import { expectComparisonPath, expectResultPath, rarePlayedSound } from '../src/merge-result.js'
import { dfl, scratchFolder, writeGrayFrames } from './support.js'

describe('frames on the command line', () => {
  it('are stretches, sorted and joined where they meet', () => {
    expect(parseSpans('120-240', '--frames')).toEqual([{ start: 120, end: 241 }])
    expect(parseSpans('30, 10-12,13,300-', '--frames')).toEqual([
      { start: 10, end: 14 },
      { start: 30, end: 31 },
      { start: 300, end: Number.POSITIVE_INFINITY },
    ])
    expect(parseFrames('7,3-5', '--stills')).toEqual([3, 4, 5, 7])
  })

  it('are refused with the piece that is wrong', () => {
    expect(() => parseSpans('10,9-4', '--frames')).toThrow(
      "Expected frames such as 120-240 or 10,20,120-240 for `--frames`, but got '9-4'. Frames count from 0.",
    )
    expect(() => parseFrames('0-', '--stills')).toThrow('Expected at most 1000 frames for `--stills`')
  })

  it('are checked before any work, as --watch is', async () => {
    await using folder = await scratchFolder()
    const wrong = await dfl('merge', '--workspace', folder.at('w'), '--frames', 'ten')
    expect(wrong.code).not.toBe(0)
    expect(wrong.stderr).toContain("for `--frames`, but got 'ten'.")
    const watch = await dfl('merge', '--workspace', folder.at('w'), '--watch')
    expect(watch.stderr).toContain('Expected frames for `--preview`, but got only --watch.')
  })
})

describe('the place of a result', () => {
  const merge = (input: string, out: string, workspace: string) =>
    dfl('merge', '--input', input, '--out', out, '--workspace', workspace)

  it('is never where the footage is: not in its folder, not over a link to it', async () => {
    await using folder = await scratchFolder()
    await writeGrayFrames(folder.at('shot'))
    await symlink(folder.at('shot'), folder.at('link'), 'junction')
    for (const [input, out] of [
      ['shot', 'shot'],
      ['shot', 'link'],
      ['shot/0.png', 'shot'],
    ] as const) {
      const { code, stderr } = await merge(folder.at(input), folder.at(out), folder.at('w'))
      expect(code).toBe(2)
      expect(stderr).toContain(
        `Expected a new place for \`--out\`, but got \`${folder.at(out)}\`, where the footage itself is. Choose another name.`,
      )
    }
  })

  it('has the stills that are asked for, which is known before the work', async () => {
    await using folder = await scratchFolder()
    await writeGrayFrames(folder.at('shot'), 4)
    const of = (...more: string[]) =>
      dfl('merge', '--input', folder.at('shot'), '--workspace', folder.at('w'), '--stills', '2,9', ...more)
    const told = (frames: string) =>
      `Expected frames of the result for \`--stills\`, but got ${frames}. Name frames that are merged.`
    expect((await of()).stderr).toContain(told('9'))
    expect((await of('--frames', '0-1')).stderr).toContain(told('2, 9'))
  })

  it('is a video that can hold the times and the sound of any clip, or a folder', async () => {
    await expect(expectResultPath('c.avi', [])).rejects.toThrow(
      "Expected a video (.mp4, .m4v, .mov, .mkv, .webm, .ts) or a folder for `--out`, but got `c.avi`. Leave out '.avi' to get a folder of images.",
    )
  })

  it('is no folder with images of something else, which would be marked as synthetic with it', async () => {
    await using folder = await scratchFolder()
    await writeGrayFrames(folder.at('shot'))
    await writeGrayFrames(folder.at('holiday'))
    const { code, stderr } = await merge(folder.at('shot'), folder.at('holiday'), folder.at('w'))
    expect(code).toBe(2)
    expect(stderr).toContain(
      `Expected a new or empty folder for \`--out\`, or one with a result, but got \`${folder.at('holiday')}\`, which holds other files, such as '0.png'. Choose another name.`,
    )
    await mkdir(folder.at('w'), { recursive: true })
    await writeFile(folder.at('w', 'workspace.json'), '{}')
    await expect(expectResultPath(folder.at('w'), [])).rejects.toThrow("other files, such as 'workspace.json'")
    await expect(expectResultPath(folder.at('new'), [])).resolves.toBeUndefined()
    await writeFile(folder.at('holiday', 'timestamps.json'), '{}')
    await expect(expectResultPath(folder.at('holiday'), [folder.at('shot')])).resolves.toBeUndefined()
  })
})

/** A video of the frames in `shot`. */
async function video(folder: { at(name: string): string }, path: string, metadata = {}) {
  await using frames = await openFrames(folder.at('shot'))
  await using clip = await createVideo(path, { like: frames, metadata })
  for await (const frame of frames.frames()) await clip.write(frame)
  await clip.finish()
}

describe('a video that stands where a result should go', () => {
  it('is not replaced unless it is a result, which says so or which the workspace made', async () => {
    await using folder = await scratchFolder()
    await writeGrayFrames(folder.at('shot'))
    const out = folder.at('c.mp4')
    await video(folder, out, { comment: 'the wedding' })
    const { code, stderr } = await dfl(
      'merge',
      '--input',
      folder.at('shot'),
      '--out',
      out,
      '--workspace',
      folder.at('w'),
    )
    expect(code).toBe(2)
    expect(stderr).toContain(
      `Expected a new name or that of an earlier result for \`--out\`, but got \`${out}\`, a file that is none. Choose another name, or move that file away.`,
    )
    const merged = [{ dst: '/a.mp4', madeFrom: '', result: out, frames: 2, framesWithFace: 0 }]
    await expect(expectResultPath(out, [], { merged })).resolves.toBeUndefined()
    const withoutProvenance = [{ at: '2026-01-01', result: out }]
    await expect(expectResultPath(out, [], { withoutProvenance })).resolves.toBeUndefined()
    for (const ending of ['mp4', 'mov', 'mkv']) {
      const result = folder.at(`d.${ending}`)
      await video(folder, result, SYNTHETIC_METADATA)
      await expect(expectResultPath(result, [])).resolves.toBeUndefined()
    }
    await writeFile(folder.at('e.mp4'), 'some notes')
    await expect(expectResultPath(folder.at('e.mp4'), [])).rejects.toThrow('a file that is none')
    await writeFile(folder.at('f.mp4'), '')
    await expect(expectResultPath(folder.at('f.mp4'), [])).resolves.toBeUndefined()
  })
})

describe('a video that stands where a comparison should go', () => {
  it('is not replaced unless it is one', async () => {
    await using folder = await scratchFolder()
    await writeGrayFrames(folder.at('shot'))
    const compared = folder.at('c-side-by-side.mp4')
    await video(folder, compared, { comment: 'the wedding' })
    const names = ['--input', folder.at('shot'), '--out', folder.at('c.mp4'), '--workspace', folder.at('w')]
    const { code, stderr } = await dfl('merge', ...names, '--compare', 'side-by-side')
    expect(code).toBe(2)
    expect(stderr).toContain(
      `Expected no other video where \`--compare\` writes, but got \`${compared}\`, a file that is no comparison. Choose another \`--out\`, or move that file away.`,
    )
    const withoutProvenance = [{ at: '2026-01-01', result: folder.at('c.mp4') }]
    await expect(expectComparisonPath(compared, folder.at('c.mp4'), { withoutProvenance })).resolves.toBeUndefined()
    await video(folder, compared, SYNTHETIC_METADATA)
    await expect(expectComparisonPath(compared, folder.at('c.mp4'), {})).resolves.toBeUndefined()
  })
})

describe('what is written beside a result of several stretches', () => {
  it('shows the frames of the clip that are merged there', async () => {
    await using folder = await scratchFolder()
    const shades = (names: readonly number[]) =>
      Promise.all(
        names.map((shade, i) =>
          writeImage(folder.at(names.length > 5 ? 'clip' : 'result', `${i}.png`), {
            data: new Uint8Array(160 * 120 * 3).fill(shade),
            ...{ width: 160, height: 120, channels: 3 },
          }),
        ),
      )
    await shades([10, 20, 30, 40, 50, 60])
    await shades([20, 50, 60])
    const only = [
      { start: 1, end: 2 },
      { start: 4, end: 6 },
    ]
    const stills = await writeStills(folder.at('result'), [5], only)
    expect((await readImage(join(stills, '000005.png'))).data[0]).toBe(60)
    const video = await writeComparison(folder.at('result'), 'side-by-side', { clip: folder.at('clip'), only })
    await using frames = await openFrames(video)
    const sides: number[][] = []
    for await (const { bitmap } of frames.frames())
      sides.push([40, 280].map((x) => Math.round(bitmap.data[(60 * 320 + x) * 3]! / 10) * 10))
    expect(sides).toEqual([
      [20, 20],
      [50, 50],
      [60, 60],
    ])
    await expect(writeStills(folder.at('result'), [3], only)).rejects.toThrow('but got 3. Name frames that are merged.')
  })

  it('decodes nothing that lies far before them', async () => {
    await using folder = await scratchFolder()
    const demo = fileURLToPath(new URL('../../../examples/footage/pair1-dst.mp4', import.meta.url))
    const parts: VideoPart[] = []
    for (const start of [0, 30]) {
      const path = folder.at(`part${start}.mov`)
      await using source = await openFrames(demo, { start, end: start + 30 })
      await using part = await createVideo(path, { like: source, preset: 'ultrafast' })
      let startPts: number | undefined
      for await (const frame of source.frames()) {
        startPts ??= start === 0 ? 0 : frame.pts
        await part.write(frame)
      }
      await part.finish()
      parts.push({ path, startPts: startPts!, frames: 30 })
    }
    await concatVideos(parts, folder.at('clip.mp4'), { like: await probeVideo(demo) })
    const bytes = await readFile(folder.at('clip.mp4'))
    const pictures = bytes.indexOf('mdat')
    bytes.fill(0, pictures + 2000, pictures + 4000)
    await writeFile(folder.at('clip.mp4'), bytes)
    await using late = await openFrames(demo, { start: 55, end: 57 })
    for await (const { bitmap, index } of late.frames()) await writeImage(folder.at('result', `${index}.png`), bitmap)
    const only = [{ start: 55, end: 57 }]
    const video = await writeComparison(folder.at('result'), 'side-by-side', { clip: folder.at('clip.mp4'), only })
    expect((await probeVideo(video)).frameCount).toBe(2)
    const stills = await writeStills(folder.at('clip.mp4'), [56])
    expect(await readdir(stills)).toEqual(['000056.png'])
  })
})

describe('PCM sound', () => {
  it('is told of where the result is an MP4, which few programs play it from', async () => {
    await using folder = await scratchFolder()
    const wav = Buffer.alloc(44 + 3200)
    wav.write('RIFF\0\0\0\0WAVEfmt ', 0, 'latin1')
    wav.writeUInt32LE(wav.length - 8, 4)
    wav.set([16, 0, 0, 0, 1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0], 16)
    wav.write('data', 36, 'latin1')
    wav.writeUInt32LE(3200, 40)
    await writeFile(folder.at('a.wav'), wav)
    await writeGrayFrames(folder.at('frames'))
    await using frames = await openFrames(folder.at('frames'))
    await using clip = await createVideo(folder.at('b.mov'), { like: frames, audioFrom: folder.at('a.wav') })
    for await (const frame of frames.frames()) await clip.write(frame)
    await clip.finish()
    const told = (out: string) => collect(rarePlayedSound(out, folder.at('b.mov')))
    expect(await told('c.mp4')).toEqual([
      {
        event: 'warning',
        text: 'The sound of b.mov is PCM, which few programs play in MP4. Write .mov, where all do: --out c.mov',
      },
    ])
    expect(await told('c.mov')).toEqual([])
  })
})

describe('the report of a merge', () => {
  it('lists stretches with their reasons, as a page and as JSON', async () => {
    await using folder = await scratchFolder()
    await writeFile(folder.at('result.mp4'), '')
    const collected = collectReport()
    const face = { faceIndex: 0, score: 0.9, sizePx: 100, pasted: true, uncovered: 0.05, beyond: 0 }
    const frame = (index: number, change: Partial<FrameReport>): FrameReport => ({
      ...{ frame: index, timestampSeconds: index / 25, shot: 1, faces: [], issues: [] },
      ...change,
    })
    collected.add(frame(0, { faces: [face] }))
    for (const index of [1, 2]) collected.add(frame(index, { issues: [{ kind: 'put-aside', detail: 'blurred <b>' }] }))
    collected.add(frame(3, { shot: 2, issues: [{ kind: 'put-aside', detail: 'too small' }] }))
    const paths = await writeMergeReport(folder.at('result.mp4'), collected.report())
    expect(paths).toEqual({ html: folder.at('result.report.html'), json: folder.at('result.report.json') })
    const json = JSON.parse(await readFile(paths.json, 'utf8'))
    expect(json).toMatchObject({ frames: 4, framesWithFaces: 1, counts: { 'put-aside': 3 } })
    expect(json.issues).toMatchObject([
      { kind: 'put-aside', from: 1, to: 2, shot: 1, detail: 'blurred <b>' },
      { kind: 'put-aside', from: 3, to: 3, shot: 2, detail: 'too small' },
    ])
    const page = await readFile(paths.html, 'utf8')
    expect(page).toContain('A face of this frame was put aside')
    expect(page).toContain('<td>1-2</td>')
    expect(page).toContain('blurred &lt;b&gt;')
  })
})
