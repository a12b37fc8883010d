import { readdir, readFile } from 'node:fs/promises'
import { imageSize, readImage } from '@dfl/media'
import { describe, expect, it } from 'vitest'
import { trainJobOf } from '../src/commands/flag-groups.js'
import { openWorkspace, presetNamed, type StageReport, trainStage } from '../src/index.js'
import { sayRunEvent } from '../src/run-events.js'
import { dfl, scratchFolder, TINY, writeFaces } from './support.js'

const model = { resolution: 32, subpixel: false, aeDims: 16, eDims: 8, dDims: 8, dMaskDims: 4 }
const job = (iterations: number) => ({ iterations, model, sampler: { batchSize: 2 } })

async function withFaces() {
  const scratch = await scratchFolder()
  for (const side of ['src', 'dst']) await writeFaces(scratch.at(`w/${side}/aligned`))
  return { ...scratch, workspace: await openWorkspace(scratch.at('w')) }
}

async function walk<T>(
  stage: AsyncGenerator<StageReport, T>,
  each: (report: StageReport) => void = () => {},
): Promise<T> {
  for (;;) {
    const next = await stage.next()
    if (next.done) return next.value
    each(next.value)
  }
}

describe('train', () => {
  it('goes on where it was, does nothing at its end, and goes on when more is asked for', async () => {
    await using place = await withFaces()
    const { workspace } = place
    expect(await walk(trainStage(workspace, job(3)))).toMatchObject({ iterations: 3, skipped: false, stopped: false })
    expect(await walk(trainStage(workspace, job(3)))).toMatchObject({ iterations: 3, skipped: true })
    const reports: StageReport[] = []
    expect(await walk(trainStage(workspace, job(5)), (report) => reports.push(report))).toMatchObject({ iterations: 5 })
    const done = reports.flatMap((report) => (report.event === 'progress' ? [report.done] : []))
    expect(done).toEqual([4, 5])
    // What it takes is told before the first iteration, once.
    const isOfCost = (report: StageReport) =>
      'text' in report && /of memory .* gradients.* ms an iteration .* for 2$/.test(report.text)
    expect(reports.filter(isOfCost)).toHaveLength(1)
    expect(reports.findIndex(isOfCost)).toBeLessThan(reports.findIndex(({ event }) => event === 'progress'))
  })

  it('writes a preview of five columns and five rows at its end', async () => {
    await using place = await withFaces()
    const { preview } = await walk(trainStage(place.workspace, job(2)))
    expect((await readdir(place.at('w/preview'))).sort()).toEqual(['000002.png', 'latest.png', 'masked.png'])
    expect(preview).toBe(place.at('w/preview/000002.png'))
    expect(await imageSize(preview!)).toEqual({ width: 5 * 128 + 4 * 2, height: 5 * 128 + 4 * 2 + 2 * 26 })
  })

  it('shows swaps at several values of what a model can be told', async () => {
    await using place = await withFaces()
    const dims = { resolution: 32, aeDims: 16, interDims: 32, eDims: 8, dDims: 8, dMaskDims: 4 }
    await walk(trainStage(place.workspace, { ...job(1), architecture: 'amp', model: dims }))
    // The face of DST, and morph 0, 0.25, 0.5, 0.75 and 1.
    expect(await imageSize(place.at('w/preview/morph.png'))).toEqual({
      width: 6 * 128 + 5 * 2,
      height: 5 * 128 + 4 * 2 + 2 * 26,
    })
    const { data, width } = await readImage(place.at('w/preview/morph.png'))
    const cell = (column: number) => data.slice(3 * (40 * width + column * 130), 3 * (40 * width + column * 130 + 128))
    for (const column of [1, 2, 3, 4]) expect(cell(column)).not.toEqual(cell(column + 1))
  })

  it('says that a network without start weights takes longer, but not who asked for that', async () => {
    const told = async (more: Parameters<typeof trainStage>[1]) => {
      await using place = await withFaces()
      const texts: string[] = []
      await walk(trainStage(place.workspace, { ...job(1), ...more }), (report) => {
        if ('text' in report) texts.push(report.text)
      })
      return texts.filter((text) => text.startsWith('iteration 0: begins with random weights'))
    }
    expect(await told({})).toHaveLength(1)
    expect(await told({ fromScratch: true })).toEqual([])
    expect(await told({ preset: 'quick96' })).toEqual([])
  })

  it('says that heads need masks of their own, and how large their faces are', async () => {
    await using scratch = await scratchFolder()
    for (const side of ['src', 'dst']) await writeFaces(scratch.at(`w/${side}/aligned`), 'head')
    const told: string[] = []
    await walk(trainStage(await openWorkspace(scratch.at('w')), job(1)), (report) => {
      if ('text' in report) told.push(report.text)
    })
    expect(told).toContain(
      'iteration 0: paints heads of 32 px, which show the face as a full face of 17 px does: it comes out later and softer, so give it more time',
    )
    expect(told).toContain(
      'The heads of SRC and DST have no masks of their own, so only what lies inside the landmarks is swapped, without the hair. Find them: dfl faceset head-masks --side src and dfl faceset head-masks --side dst.',
    )
  })

  it('stops at a signal after the iteration, with everything saved', async () => {
    await using place = await withFaces()
    const stop = new AbortController()
    const result = await walk(trainStage(place.workspace, job(50), { signal: stop.signal }), (report) => {
      if (report.event === 'progress' && report.done === 2) stop.abort()
    })
    expect(result).toMatchObject({ iterations: 2, stopped: true })
    expect(await readdir(place.at('w/model/checkpoints'))).toContain('00000002')
  })

  it('takes another preset of the same network, and refuses another network for a model that is there', async () => {
    await using place = await withFaces()
    await walk(trainStage(place.workspace, job(1)))
    const again = await walk(trainStage(place.workspace, { ...job(2), preset: 'standard' }))
    expect(again).toMatchObject({ iterations: 2, preset: 'standard' })
    const { code, stderr } = await dfl('train', '--workspace', place.at('w'), '--iterations', '3', '--resolution', '64')
    expect(code).toBe(2)
    expect(stderr).toContain('Expected resolution 32, as the model in')
    const other = await dfl('train', '--workspace', place.at('w'), '--iterations', '3', '--preset', 'film')
    expect(other.code).toBe(2)
    expect(other.stderr).toContain('Expected preset standard, as the model in')
  })

  it("trains as DeepFaceLab's Quick96 with its preset", async () => {
    await using place = await withFaces()
    await walk(trainStage(place.workspace, { iterations: 2, preset: 'quick96', model }))
    const read = async (file: string) => readFile(place.at(`w/model/${file}`), 'utf8')
    expect(JSON.parse(await read('model.json'))).toMatchObject({ architecture: 'df', optimiser: 'rmsprop' })
    const [began, fed] = (await read('history.jsonl'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(began).toMatchObject({ with: 'random weights' })
    expect(fed).toMatchObject({
      ...{ recipe: 'quick96', batchSize: 4, settings: { randomWarp: true, eyesMouthPrio: 0, lrDropout: 0.3 } },
      data: { samples: { rareExpressions: false } },
    })
    const { architecture, recipe } = presetNamed('quick96')
    expect(architecture).toEqual({ resolution: 96, aeDims: 128, eDims: 64, dDims: 64, dMaskDims: 16 })
    expect(recipe.phases.map(({ learningRate }) => learningRate)).toEqual([[2e-4, 2e-4]])
  })

  it('trains in mixed precision when asked to, writes that down, and goes on in float32 when not', async () => {
    await using place = await withFaces()
    const told: string[] = []
    await walk(trainStage(place.workspace, { ...job(1), precision: 'mixed' }), (report) => {
      if ('text' in report) told.push(report.text)
    })
    expect(told).toContainEqual(expect.stringMatching(/starts from .*, in mixed precision$/))
    expect(told).toContainEqual(expect.stringMatching(/^In mixed precision a CPU trains about half as fast/))
    expect(await walk(trainStage(place.workspace, job(2)))).toMatchObject({ iterations: 2 })
    const history = (await readFile(place.at('w/model/history.jsonl'), 'utf8')).trim().split('\n')
    const fed = history.map((line) => JSON.parse(line)).filter(({ event }) => event === 'fed')
    expect(fed.map(({ fromIteration, precision }) => [fromIteration, precision])).toEqual([
      [0, 'mixed'],
      [1, undefined],
    ])
  })

  it('takes the precision from its flag', async () => {
    expect(trainJobOf({ train: { precision: 'mixed' } })).toMatchObject({ precision: 'mixed' })
    const wrong = await dfl('train', '--iterations', '5', '--precision', 'half')
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/float32, mixed.*precision.*half/)])
  })

  it('says that a step was left out', () => {
    expect(sayRunEvent({ kind: 'skipped-step', lossScale: 512 }, 7, 3)).toMatchObject({
      ...{ event: 'notice', kind: 'skipped-step', iteration: 7, detail: { lossScale: 512 } },
      text: 'iteration 7: a step before it was left out, because gradients went beyond 16-bit floats; the loss scale is 512 now',
    })
  })

  it('writes lines for machines on stdout and everything for people to stderr with --json', async () => {
    await using place = await withFaces()
    const { code, stdout, stderr } = await dfl(
      'train',
      '--workspace',
      place.at('w'),
      '--iterations',
      '2',
      ...TINY,
      '--json',
    )
    expect({ code, stderr: stderr.includes('Train') }).toEqual({ code: 0, stderr: true })
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.at(-1)).toMatchObject({ event: 'result', iterations: 2, preset: 'quick' })
    expect(lines.find(({ event }) => event === 'progress')).toMatchObject({ stage: 'train', total: 2, phase: 'learn' })
    expect(JSON.parse(await readFile(place.at('w/workspace.json'), 'utf8'))).toMatchObject({
      format: 2,
      preset: 'quick',
    })
  })
})
