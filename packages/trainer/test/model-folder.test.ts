import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createModel, goBackTo, hasModel, listCheckpoints, type ModelFolder, openModel } from '../src/index.js'
import { tiny } from './tiny.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dfl-model-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const WEIGHT = 'decoder_src/out/weight'

describe('a model folder', () => {
  it('gives back what was saved', async () => {
    const made = await createModel(folder, tiny, { faceType: 'full_face', seed: 3 })
    made.state.set(WEIGHT, { data: made.state.get(WEIGHT).data.map((v) => v + 1), shape: [3, 3, 3, 4] })
    made.progress.iteration = 7
    made.progress.seconds = 1.5
    await made.save()
    const opened = await openModel(folder, [tiny])
    expect(opened.progress).toMatchObject({ iteration: 7, seconds: 1.5 })
    expect(opened.description).toEqual({
      format: 1,
      architecture: 'tiny',
      options: { resolution: 16 },
      faceType: 'full_face',
      seed: 3,
    })
    for (const name of made.state.names) expect(opened.state.get(name).data).toEqual(made.state.get(name).data)
  })

  it('begins with weights that are given', async () => {
    const weights = { [WEIGHT]: { data: new Float32Array(108).fill(0.5), shape: [3, 3, 3, 4] } }
    const made = await createModel(folder, tiny, { faceType: 'full_face', weights })
    expect(made.state.get(WEIGHT).data[0]).toBe(0.5)
  })

  it('refuses weights of another model', async () => {
    const weights = { [WEIGHT]: { data: new Float32Array(4), shape: [4] } }
    await expect(createModel(folder, tiny, { faceType: 'full_face', weights })).rejects.toThrow(
      'Expected [3,3,3,4] for `decoder_src/out/weight`, but the starting weights hold [4]. They belong to a model with other options.',
    )
    expect(await hasModel(folder)).toBe(false)
  })

  it('of a newer program is refused', async () => {
    await createModel(folder, tiny, { faceType: 'full_face' })
    const path = join(folder, 'model.json')
    await writeFile(path, (await readFile(path, 'utf8')).replace('"format": 1', '"format": 2'))
    await expect(openModel(folder, [tiny])).rejects.toMatchObject({
      code: 'BAD_STATE',
      message: `Expected a model of format 1 in \`${path}\`, but got format 2. Use the newer program that wrote it.`,
    })
  })

  it('refuses to be made twice', async () => {
    await createModel(folder, tiny, { faceType: 'full_face' })
    await expect(createModel(folder, tiny, { faceType: 'full_face' })).rejects.toThrow('Expected no model yet in')
  })

  it('says what to do where there is no model', async () => {
    await expect(openModel(folder, [tiny])).rejects.toThrow(
      /^Expected a model in `.*`, but there is no model\.json\. Train one first\.$/,
    )
  })

  it('names the architecture that is missing', async () => {
    await createModel(folder, tiny, { faceType: 'full_face' })
    await expect(openModel(folder, [])).rejects.toThrow(/^No architecture named `tiny`, which `.*model\.json` asks for/)
  })

  it('falls back to the generation before when the newest is damaged, and tells', async () => {
    const made = await createModel(folder, tiny, { faceType: 'full_face' })
    for (const iteration of [5, 9]) {
      made.progress.iteration = iteration
      await made.save()
    }
    const file = join(folder, 'checkpoints', '00000009', 'weights.safetensors')
    const bytes = await readFile(file)
    bytes[bytes.length - 1]! ^= 1
    await writeFile(file, bytes)
    const opened = await openModel(folder, [tiny])
    expect(opened.progress.iteration).toBe(5)
    expect(opened.skipped[0]).toContain('`weights.safetensors` is not as it was written')
  })

  it('refuses to start over when every generation is damaged', async () => {
    await createModel(folder, tiny, { faceType: 'full_face' })
    await writeFile(join(folder, 'checkpoints', '00000000', 'progress.json'), '{')
    await expect(openModel(folder, [tiny])).rejects.toThrow('but none of 1 is. Restore a copy')
  })

  const saveAt = async (made: ModelFolder, iteration: number, seconds = 0) => {
    Object.assign(made.progress, { iteration, seconds })
    await made.save()
  }
  const generations = async () => (await listCheckpoints(folder)).map(({ iteration }) => iteration)

  it('keeps the two newest generations and the first of the last two stretches of ten minutes', async () => {
    const made = await createModel(folder, tiny, { faceType: 'full_face' })
    for (const minute of [2, 4, 11, 13, 18, 21, 23, 25, 27]) await saveAt(made, minute, 60 * minute)
    expect(await generations()).toEqual([27, 25, 21, 11])
  })

  it('clears what a killed writer left when it saves, not when it is opened: another process may be writing', async () => {
    await createModel(folder, tiny, { faceType: 'full_face' })
    const unfinished = '.00000004.deadbeef.tmp'
    await mkdir(join(folder, 'checkpoints', unfinished))
    const opened = await openModel(folder, [tiny])
    expect(await readdir(join(folder, 'checkpoints'))).toEqual([unfinished, '00000000'])
    await opened.save()
    expect(await readdir(join(folder, 'checkpoints'))).toEqual(['00000000'])
  })

  it('keeps the best generation and backups, whatever comes after them', async () => {
    const made = await createModel(folder, tiny, { faceType: 'full_face' })
    await saveAt(made, 1)
    await made.keep({ measure: 'mapping', value: 0.4 })
    await saveAt(made, 2)
    await made.keep({ backup: true })
    for (const iteration of [3, 4, 5]) await saveAt(made, iteration)
    expect((await listCheckpoints(folder)).map(({ iteration, kept }) => [iteration, kept])).toEqual([
      [5, undefined],
      [4, undefined],
      [2, 'backup'],
      [1, 'best'],
      [0, undefined],
    ])
    expect(await made.kept()).toEqual({ best: { iteration: 1, measure: 'mapping', value: 0.4 }, backups: [2] })
  })

  it('goes back to a generation and moves later ones aside', async () => {
    const made = await createModel(folder, tiny, { faceType: 'full_face' })
    await saveAt(made, 1)
    await made.keep({ backup: true })
    for (const iteration of [2, 3]) await saveAt(made, iteration)
    expect(await goBackTo(folder, 1)).toEqual([3, 2])
    expect((await openModel(folder, [tiny])).progress.iteration).toBe(1)
    expect(await readdir(join(folder, 'checkpoints', 'aside'))).toEqual(['00000002', '00000003'])
    await expect(goBackTo(folder, 7)).rejects.toThrow(
      /^Expected one of the checkpoints of iteration 1, 0 in .*, but got 7\./,
    )
  })

  it('passes over a generation whose weights are no numbers when it goes back', async () => {
    const made = await createModel(folder, tiny, { faceType: 'full_face' })
    await saveAt(made, 1)
    made.state.set(WEIGHT, { data: new Float32Array(108).fill(Number.NaN), shape: [3, 3, 3, 4] })
    await saveAt(made, 2)
    await made.goBack(2)
    expect(made.progress.iteration).toBe(1)
    expect(made.state.get(WEIGHT).data.every(Number.isFinite)).toBe(true)
  })

  it('leaves out of its log what was undone by going back', async () => {
    const made = await createModel(folder, tiny, { faceType: 'full_face' })
    for (const iteration of [20, 40, 60, 40])
      await made.log({ iteration, seconds: 1, src: iteration, dst: 1, learningRate: 1 })
    made.progress.iteration = 100
    expect((await made.readLog()).map((entry) => entry.iteration)).toEqual([20, 40])
  })

  it('reads its log up to the present weights, torn lines left out', async () => {
    const made = await createModel(folder, tiny, { faceType: 'full_face' })
    for (const iteration of [20, 40]) await made.log({ iteration, seconds: 1, src: 1, dst: 1, learningRate: 1 })
    await appendFile(join(folder, 'log.jsonl'), '{"iteration":4')
    made.progress.iteration = 20
    expect((await made.readLog()).map((entry) => entry.iteration)).toEqual([20])
  })
})
