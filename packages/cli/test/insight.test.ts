import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { checkStage, evaluateStage, openWorkspace } from '../src/index.js'

const folder = await mkdtemp(join(tmpdir(), 'dfl-insight-'))
afterAll(() => rm(folder, { recursive: true }))

it('check without clips says what to give', async () => {
  const workspace = await openWorkspace(folder)
  await expect(checkStage(workspace, {}).next()).rejects.toThrow(
    `Expected a clip or a faceset for \`--src\`, but it was not given, and no faces of SRC were extracted in \`${folder}\` yet. Give --src <clip>.`,
  )
})

it('check says when there is nothing at a path', async () => {
  const workspace = await openWorkspace(folder)
  await expect(checkStage(workspace, { src: join(folder, 'none.mp4') }).next()).rejects.toThrow(
    /Expected a video or a folder of images for `--src`, but there is nothing at/,
  )
})

it('evaluate says what is missing', async () => {
  const workspace = await openWorkspace(folder)
  await expect(evaluateStage(workspace, {}).next()).rejects.toThrow(
    /Expected a file for `--result`, but there is nothing at `.*result\.mp4`\. Run dfl merge first, or give the merged clip\./,
  )
})

it('evaluate finds the result of a workspace that was moved', async () => {
  const workspace = await openWorkspace(join(folder, 'moved'))
  await workspace.update({
    merged: [
      { dst: '/a.mp4', madeFrom: '', result: join(folder, 'before', 'result.mp4'), frames: 1, framesWithFace: 1 },
    ],
  })
  await expect(evaluateStage(workspace, {}).next()).rejects.toThrow(`at \`${workspace.defaultResult}\``)
  await writeFile(workspace.defaultResult, '')
  await expect(evaluateStage(workspace, {}).next()).rejects.toThrow('for `--dst`, but there is nothing at `/a.mp4`')
})
