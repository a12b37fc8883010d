import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createModel,
  createPainter,
  createSwapPainter,
  type ModelFolder,
  openModel,
  phaseAt,
  previewRows,
  progressOf,
  type Recipe,
  type StagedRecipe,
  type Swapped,
  type TrainReport,
  train,
} from '../src/index.js'
import { BATCH, batchOf, tiny } from './tiny.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dfl-train-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const recipe: Recipe = {
  name: 'test',
  assumes: 'nothing',
  phases: [
    { name: 'warp', until: 0.5, learningRate: [0.02, 0.01], randomWarp: true, eyesMouthPrio: 0 },
    { name: 'still', until: 1, learningRate: [0.01, 0.001], randomWarp: false, eyesMouthPrio: 0 },
  ],
}

async function run(
  model: ModelFolder,
  options: { iterations: number; stopAfter?: number; signal?: AbortSignal },
): Promise<TrainReport[]> {
  const reports: TrainReport[] = []
  const loop = train(model, async (iteration) => batchOf(iteration), {
    recipe,
    length: { iterations: options.iterations },
    batchSize: BATCH,
    signal: options.signal,
  })
  for await (const report of loop) if (reports.push(report) === options.stopAfter) break
  return reports
}

describe('train', () => {
  it('warms up where weights come from elsewhere, and not once more when it is resumed', async () => {
    const warm = { ...recipe, warmUpIterations: 4, phases: [{ ...recipe.phases[0]!, until: 1 }] }
    const staged = { ...warm, name: 'staged', phases: [{ ...warm.phases[0]!, until: { iterations: 1000 } }] }
    const rates = async (model: ModelFolder, by: Recipe | StagedRecipe) => {
      const out: number[] = []
      const loop = train(model, async (draw) => batchOf(draw), { recipe: by, length: {}, batchSize: BATCH })
      for await (const { learningRate } of loop) if (out.push(learningRate) === 2) break
      return out
    }
    const model = await createModel(folder, tiny, { faceType: 'full_face', iteration: 500 })
    expect(await rates(model, warm)).toEqual([0.005, 0.01])
    const [third, fourth] = await rates(await openModel(folder, [tiny]), staged)
    expect(third).toBeCloseTo(0.015)
    expect(fourth).toBeCloseTo(0.02)
  })

  it('lowers both losses', async () => {
    const model = await createModel(folder, tiny, { faceType: 'full_face' })
    const reports = await run(model, { iterations: 60 })
    expect(reports).toHaveLength(60)
    const mean = (part: TrainReport[], side: 'src' | 'dst') =>
      part.reduce((sum, r) => sum + r.losses[side], 0) / part.length
    for (const side of ['src', 'dst'] as const)
      expect(mean(reports.slice(-10), side)).toBeLessThan(0.9 * mean(reports.slice(0, 10), side))
  })

  it('ends with the same weights when it was left and taken up again', async () => {
    const whole = await createModel(join(folder, 'whole'), tiny, { faceType: 'full_face' })
    await run(whole, { iterations: 12 })
    await run(await createModel(join(folder, 'parts'), tiny, { faceType: 'full_face' }), {
      iterations: 12,
      stopAfter: 5,
    })
    const taken = await openModel(join(folder, 'parts'), [tiny])
    expect(taken.progress.iteration).toBe(5)
    await run(taken, { iterations: 12 })
    for (const name of whole.state.names) expect(taken.state.get(name).data, name).toEqual(whole.state.get(name).data)
  })

  it('counts its seconds by the clock that it is given', async () => {
    const model = await createModel(folder, tiny, { faceType: 'full_face' })
    let now = 0
    const reports: TrainReport[] = []
    for await (const report of train(model, async (iteration) => batchOf(iteration), {
      ...{ recipe, length: { seconds: 5 }, batchSize: BATCH },
      clock: () => (now += 500), // Asked three times in an iteration: a second passes.
    }))
      reports.push(report)
    expect(reports.map(({ seconds }) => seconds)).toEqual([1, 2, 3, 4, 5])
  })

  it('saves and stops when it is told to', async () => {
    const abort = new AbortController()
    const model = await createModel(folder, tiny, { faceType: 'full_face' })
    for await (const report of train(model, async (i) => batchOf(i), {
      recipe,
      length: {},
      batchSize: BATCH,
      signal: abort.signal,
    }))
      if (report.iteration === 3) abort.abort()
    expect((await openModel(folder, [tiny])).progress.iteration).toBe(3)
  })

  it('reports phases, rates, shares and time left', async () => {
    const model = await createModel(folder, tiny, { faceType: 'full_face' })
    const reports = await run(model, { iterations: 4 })
    expect(reports.map((r) => r.phase)).toEqual(['warp', 'warp', 'still', 'still'])
    expect(reports.map((r) => r.progress)).toEqual([0.25, 0.5, 0.75, 1])
    expect(reports[0]!.learningRate).toBe(0.02)
    expect(reports.at(-1)!.secondsLeft).toBe(0)
    const history = (await readFile(join(folder, 'history.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(history.map((entry) => [entry.fromIteration, entry.phase])).toEqual([
      [0, 'warp'],
      [2, 'still'],
    ])
  })

  it('tells batches whether to warp', async () => {
    const model = await createModel(folder, tiny, { faceType: 'full_face' })
    const seen: boolean[] = []
    const batches = async (iteration: number, phase: { randomWarp: boolean }) => {
      seen.push(phase.randomWarp)
      return batchOf(iteration)
    }
    for await (const _ of train(model, batches, { recipe, length: { iterations: 4 }, batchSize: BATCH }));
    expect(seen).toEqual([true, true, false, false])
  })

  it('gives up when it goes wrong again and again, and keeps the sound checkpoint', async () => {
    const model = await createModel(folder, tiny, { faceType: 'full_face' })
    await run(model, { iterations: 2 })
    const poisoned = async (iteration: number) => {
      const batch = batchOf(iteration)
      ;(batch.src.target as Float32Array)[0] = Number.NaN
      return batch
    }
    const loop = train(model, poisoned, { recipe, length: { iterations: 10 }, batchSize: BATCH })
    await expect(loop.next()).rejects.toThrow(
      'Training went wrong 6 times at iteration 3 (the loss became NaN), also with lower learning rates. The model is as it was at iteration 2.',
    )
    const kept = await openModel(folder, [tiny])
    expect(kept.progress.iteration).toBe(2)
    expect(kept.state.get('decoder_src/out/bias').data.every(Number.isFinite)).toBe(true)
  })
})

describe('recipes', () => {
  it('follow a cosine inside each phase', () => {
    expect(phaseAt(recipe, 0.25).learningRate).toBeCloseTo(0.015)
    expect(phaseAt(recipe, 1)).toMatchObject({ phase: { name: 'still' }, learningRate: 0.001 })
  })

  it('warm up by iterations', () => {
    const warm = { ...recipe, warmUpIterations: 4 }
    expect([0, 1, 3, 9].map((iteration) => phaseAt(warm, 0, iteration).learningRate)).toEqual([0.005, 0.01, 0.02, 0.02])
  })

  it('measure a run by whatever ends first', () => {
    expect(progressOf({ iterations: 100, seconds: 10 }, 20, 5)).toBe(0.5)
    expect(progressOf({}, 20, 5)).toBe(0)
  })

  it('are refused when their phases do not reach the end', () => {
    const broken = { ...recipe, phases: [recipe.phases[0]!] }
    expect(() => phaseAt(broken, 0)).toThrow(
      'Expected phases that end one after the other, the last at 1, for the recipe `test`, but got ends at 0.5.',
    )
  })
})

describe('a painter', () => {
  const face = (value: number) => ({
    data: new Float32Array(16 * 16 * 3).fill(value),
    width: 16,
    height: 16,
    channels: 3 as const,
  })

  it('paints any number of faces as both people, frozen or not', async () => {
    const model = await createModel(folder, tiny, { faceType: 'full_face' })
    await using frozen = await createPainter(model.model, model.state, { batchSize: 2 })
    await using live = await createPainter(model.model, model.state, { batchSize: 2, freeze: false })
    const faces = [face(0.1), face(0.5), face(0.9)]
    const [a, b] = [await frozen.paint(faces), await live.paint(faces)]
    expect(a).toHaveLength(3)
    expect(a[2]!.face.src.data).not.toEqual(a[2]!.face.dst.data)
    a.forEach((painted, i) => {
      painted.mask.dst.data.forEach((v, k) => {
        expect(v).toBeCloseTo(b[i]!.mask.dst.data[k]!, 5)
      })
    })
  })

  it('paints the swap alone as it paints it among the others', async () => {
    const model = await createModel(folder, tiny, { faceType: 'full_face' })
    await using both = await createPainter(model.model, model.state)
    await using swap = await createSwapPainter(model.model, model.state)
    const [expected] = await both.paint([face(0.3)])
    const [{ face: painted, mask, dstMask }] = (await swap.paint([face(0.3)])) as [Swapped]
    const pairs = [
      [painted, expected!.face.src],
      [mask, expected!.mask.src],
      [dstMask, expected!.mask.dst],
    ] as const
    for (const [one, other] of pairs) {
      expect([one.width, one.height, one.channels]).toEqual([other.width, other.height, other.channels])
      one.data.forEach((v, i) => {
        expect(v).toBeCloseTo(other.data[i]!, 5)
      })
    }
  })

  it('makes five-column previews: src, src→src, dst, dst→dst, dst→src', async () => {
    const model = await createModel(folder, tiny, { faceType: 'full_face' })
    await using painter = await createPainter(model.model, model.state)
    const mask = { data: new Float32Array(256).fill(0.5), width: 16, height: 16, channels: 1 as const }
    const { plain, masked } = await previewRows(
      painter,
      { src: [face(0.2)], dst: [face(0.8)] },
      { src: [mask], dst: [mask] },
    )
    const [src, dst] = await painter.paint([face(0.2), face(0.8)])
    expect(plain).toEqual([[face(0.2), src!.face.src, face(0.8), dst!.face.dst, dst!.face.src]])
    expect(masked[0]![0]!.data[0]).toBeCloseTo(0.1)
    const swap = dst!.face.src.data[0]! * dst!.mask.src.data[0]! * dst!.mask.dst.data[0]!
    expect(masked[0]![4]!.data[0]).toBeCloseTo(swap)
  })

  it('refuses faces of another size', async () => {
    const model = await createModel(folder, tiny, { faceType: 'full_face' })
    await using painter = await createPainter(model.model, model.state)
    const wrong = { data: new Float32Array(8 * 8 * 3), width: 8, height: 8, channels: 3 as const }
    await expect(painter.paint([wrong])).rejects.toThrow(
      "Expected [16, 16, 3] for `faces`, but got [8, 8, 3]. Cut faces at the model's resolution.",
    )
  })
})
