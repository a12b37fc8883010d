import { rename, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { clipOf, type Side } from '@dfl/core'
import { openFaceset } from '@dfl/faceset'
import { openFrames, writeImage } from '@dfl/media'
import { describe, expect, it } from 'vitest'
import { givenClips } from '../src/clips.js'
import { extractStage, openWorkspace } from '../src/index.js'
import { dstClipOf } from '../src/merge-job.js'
import { type ClipIdentity, identifyClip, type Workspace } from '../src/workspace.js'
import { dfl, scratchFolder, writeFaces, writeGrayFrames } from './support.js'

const inputs = (workspace: Workspace, ...paths: string[]) =>
  givenClips(workspace, 'src', { inputs: paths, flag: '--input' })

/** Puts clips into the record of a side, under the names that they would get. */
async function know(workspace: Workspace, side: Side, ...clips: (ClipIdentity & { name?: string })[]) {
  const { record } = workspace
  await workspace.update({ clips: { ...record.clips, [side]: clips.map((clip) => ({ ...clip, asked: {} })) } })
}

describe('givenClips', () => {
  it('gives each clip a name by which its faces are told from those of the others', async () => {
    await using scratch = await scratchFolder()
    const workspace = await openWorkspace(scratch.at('w'))
    const paths = ['a.mp4', 'A.mov', 'b.mp4', 'x/b'].map((name) => scratch.at(name))
    for (const [i, path] of paths.entries()) {
      if (i < 3) await writeFile(path, String(i).repeat(i + 1))
      else await writeGrayFrames(path)
    }
    const names = async (...given: string[]) => (await inputs(workspace, ...given)).map(({ name }) => name)
    expect(await names(...paths, paths[0]!)).toEqual(['a.mp4', 'A-2.mov', 'b.mp4', 'b-2'])
    // Images that came first go by their own names alone.
    expect(await names(paths[3]!, paths[2]!)).toEqual([undefined, 'b.mp4'])
  })

  it('adds a clip where those of before are named too, and refuses it otherwise', async () => {
    await using scratch = await scratchFolder()
    const workspace = await openWorkspace(scratch.at('w'))
    await writeFaces(workspace.faceset.src)
    const [clip, other] = [scratch.at('clip.mp4'), scratch.at('other.mp4')]
    await writeFile(clip, 'one')
    await writeFile(other, 'another')
    await know(workspace, 'src', { ...(await identifyClip(clip, '')), name: 'clip.mp4' })
    await expect(inputs(workspace, other)).rejects.toThrow(
      `Expected \`${clip}\` for \`--input\`, as before in this workspace, but got \`${other}\`. To add it, name all: --input ${clip} ${other}. Or use another --workspace`,
    )
    const both = await inputs(workspace, other, clip)
    expect(both.map(({ name, known }) => [name, known?.name])).toEqual([
      ['other.mp4', undefined],
      ['clip.mp4', 'clip.mp4'],
    ])
    // Where it was moved, its faces keep the name that they have.
    await rename(clip, scratch.at('renamed.mp4'))
    expect((await inputs(workspace, scratch.at('renamed.mp4')))[0]).toMatchObject({ name: 'clip.mp4' })
    await writeFile(clip, 'something else')
    await expect(inputs(workspace, clip)).rejects.toThrow('but got footage that has changed since. Use another')
  })

  it('finds the clips of a workspace that lost its record', async () => {
    await using scratch = await scratchFolder()
    const workspace = await openWorkspace(scratch.at('w'))
    await writeFaces(workspace.faceset.src)
    for (const name of ['clip.mp4', 'clip.mov']) await writeFile(scratch.at(name), name)
    expect((await inputs(workspace, scratch.at('clip.mp4'))).map(({ name }) => name)).toEqual(['clip.mp4'])
    expect((await inputs(workspace, scratch.at('clip.mov'))).map(({ name }) => name)).toEqual(['clip-2.mov'])
  })
})

describe('dstClipOf', () => {
  it('takes the only clip; of several the one that is named, or that is a copy by its name', async () => {
    await using scratch = await scratchFolder()
    const workspace = await openWorkspace(scratch.at('w'))
    const files = ['a.mp4', 'b.mp4', 'b.mov', 'c.mov']
    for (const [i, name] of files.entries()) await writeFile(scratch.at(name), name.repeat(i + 1))
    const known = async (name: string) => ({ ...(await identifyClip(scratch.at(name), '')), name })
    const [a, b] = [await known('a.mp4'), await known('b.mp4')]
    await know(workspace, 'dst', a)
    expect(await dstClipOf(workspace, {})).toMatchObject({ path: a.path, known: a, suffix: '' })
    expect(await dstClipOf(workspace, { input: scratch.at('c.mov') })).toMatchObject({ known: a, suffix: '' })
    await know(workspace, 'dst', a, b)
    await expect(dstClipOf(workspace, {})).rejects.toThrow(
      `Expected one of DST's 2 clips for \`--input\`, but got none. Say which: ${a.path}, ${b.path}`,
    )
    expect(await dstClipOf(workspace, { input: b.path })).toMatchObject({ known: b, suffix: '-b' })
    expect(await dstClipOf(workspace, { input: scratch.at('b.mov') })).toMatchObject({ known: b, suffix: '-b' })
    await expect(dstClipOf(workspace, { input: scratch.at('c.mov') })).rejects.toThrow('or a copy that is named as one')
  })
})

describe('several clips of a side', () => {
  it('are extracted one after the other into one faceset, which tells them apart', async () => {
    await using scratch = await scratchFolder()
    const footage = fileURLToPath(new URL('../../../examples/footage/pair1-dst.mp4', import.meta.url))
    // Shots of one length whose images have the same names.
    for (const [shot, start] of [
      ['one', 0],
      ['two', 40],
    ] as const) {
      await using clip = await openFrames(footage, { start, end: start + 3 })
      for await (const frame of clip.frames()) {
        await writeImage(scratch.at(shot, `${frame.index - start}.png`), frame.bitmap)
        frame.close()
      }
    }
    await writeGrayFrames(scratch.at('gray'))
    await writeGrayFrames(scratch.at('gray-4'), 4)
    const workspace = await openWorkspace(scratch.at('w'))
    const extractWith = async (options: { everyNth?: number; lastFrame?: number }, ...names: string[]) => {
      const input = names.map((name) => scratch.at(name))
      const stage = extractStage(workspace, { side: 'dst', input, options })
      for (;;) {
        const next = await stage.next()
        if (next.done) return next.value
      }
    }
    const extract = (...names: string[]) => extractWith({}, ...names)
    const faces = async () => (await (await openFaceset(workspace.faceset.dst)).all()).map(clipOf)
    expect(await extractWith({ lastFrame: 2 }, 'one')).toMatchObject({ frames: 3, faces: 3 })
    await expect(extract('one', 'gray')).rejects.toThrow('Expected faces in `gray`, but got none in 2 frames.')
    // A piece of one clip is none of another.
    await expect(extract('one', 'gray-4')).rejects.toThrow('but got none in 4 frames.')
    expect(workspace.record.clips.dst.map(({ path }) => basename(path))).toEqual(['one'])
    // Of clips that are there already the options stay.
    expect(await extractWith({ everyNth: 2 }, 'one', 'two')).toMatchObject({ frames: 5, framesWithFace: 5, faces: 5 })
    expect(await faces()).toEqual(['', '', '', 'two', 'two'])
    expect(await extract('two')).toMatchObject({ frames: 2, faces: 2 })
    await expect(extractWith({ everyNth: 2 }, 'one', 'two')).rejects.toThrow('Expected everyNth 1, with which')
    expect(await faces()).toHaveLength(5)
    const { stdout } = await dfl('faceset', 'info', '--side', 'dst', '--workspace', scratch.at('w'))
    expect(stdout).toContain('Clips        images 3, two 2')
  })
})
