import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Random } from '@dfl/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createModel,
  findLearningRate,
  type ModelFolder,
  openModel,
  type Phase,
  parseRecipe,
  type RunEvent,
  readRecipe,
  type StagedRecipe,
  type TrainOptions,
  type TrainReport,
  train,
} from '../src/index.js'
import { BATCH, batchOf, crowd, tiny } from './tiny.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dfl-run-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const phase: Omit<Phase, 'until'> = {
  name: 'learn',
  learningRate: [0.01, 0.01],
  randomWarp: true,
  eyesMouthPrio: 0,
}
const plain = { name: 'plain', assumes: 'nothing', phases: [{ ...phase, until: 1 }] }
const staged = (...ends: StagedRecipe['phases'][number]['until'][]): StagedRecipe => ({
  name: 'staged',
  assumes: 'nothing',
  phases: ends.map((until, i) => ({ ...phase, name: `phase ${i + 1}`, until })),
})
const made = (name = 'model') => createModel(join(folder, name), tiny, { faceType: 'full_face' })
const run = (model: ModelFolder, options: Partial<TrainOptions>, batches = async (draw: number) => batchOf(draw)) =>
  train(model, batches, { recipe: plain, length: {}, batchSize: BATCH, ...options })
async function all(reports: AsyncGenerator<TrainReport>): Promise<TrainReport[]> {
  const out: TrainReport[] = []
  for await (const report of reports) out.push(report)
  return out
}
const events = (reports: readonly TrainReport[]): RunEvent[] => reports.flatMap((report) => report.events)

describe('a run that is killed', () => {
  it('ends bit for bit as one that is not: 25 iterations, a kill, and 25 more', async () => {
    // lrDropout draws by lot, conditions are counted: both must come out the same.
    const options = { recipe: staged({ iterations: 20 }, { iterations: 30 }), settings: { lrDropout: 0.5 } }
    const whole = await made('whole')
    await all(run(whole, options))
    // What lies on the disk now is all that a killed process leaves.
    for await (const { iteration } of run(await made('killed'), { ...options, saveEverySeconds: 0 }))
      if (iteration === 25) await cp(join(folder, 'killed'), join(folder, 'left'), { recursive: true })
    const resumed = await openModel(join(folder, 'left'), [tiny])
    expect(resumed.progress.iteration).toBe(25)
    await all(run(resumed, options))
    expect(resumed.progress.iteration).toBe(50)
    expect(resumed.state.names.sort()).toEqual(whole.state.names.sort())
    for (const name of whole.state.names) expect(resumed.state.get(name).data, name).toEqual(whole.state.get(name).data)
  })
})

describe('a run that goes wrong', () => {
  it('survives a NaN that is put in: goes back, halves its rate, draws other samples, says so and goes on', async () => {
    const model = await made()
    const draws: number[] = []
    const batches = async (draw: number) => {
      draws.push(draw)
      const batch = batchOf(draw % 1000)
      if (draw === 8) (batch.src.target as Float32Array)[0] = Number.NaN
      return batch
    }
    const reports: TrainReport[] = []
    const wishes = new Set<'save' | 'backup'>()
    for await (const report of run(model, { length: { iterations: 12 }, wishes }, batches)) {
      reports.push(report)
      if (report.iteration === 4) wishes.add('save')
    }
    expect(events(reports)).toEqual([
      { kind: 'went-back', because: 'the loss became NaN', fromIteration: 8, toIteration: 5, rateFactor: 0.5 },
    ])
    expect(reports.map((r) => r.iteration)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 6, 7, 8, 9, 10, 11, 12])
    expect(reports.at(-1)!.learningRate).toBe(0.005)
    expect(draws.slice(9, 11)).toEqual([1_000_008, 1_000_009])
    expect(model.state.get('decoder_src/out/weight').data.every(Number.isFinite)).toBe(true)
    expect((await model.readHistory()).map(({ event }) => event)).toEqual(['fed', 'went-back', 'fed'])
  })

  it('never saves weights that are no numbers', async () => {
    const model = await made()
    for await (const { iteration } of run(model, { length: { iterations: 6 } }))
      if (iteration === 3) {
        model.state.set('decoder_dst/out/bias', { data: new Float32Array(4).fill(Number.NaN), shape: [4] })
        break
      }
    expect((await openModel(join(folder, 'model'), [tiny])).progress.iteration).toBe(0)
  })

  it('goes back to the last sound measurement when painted faces become all alike, however long ago they differed most', async () => {
    const model = await made()
    const wishes = new Set<'save' | 'backup'>()
    // Measured once after each iteration: differing most at first, then a little less, then collapsing by and by.
    const spreads = [0.95, ...Array<number>(19).fill(0.9), 0.5, 0.05]
    let n = 0
    const measure = {
      of: async () => ({ mapping: 0.5, spread: spreads[n++] ?? 0.9 }),
      everySeconds: 0,
      best: 'mapping',
    }
    const reports: TrainReport[] = []
    for await (const report of run(model, { length: { iterations: 400 }, measure, saveEverySeconds: 0, wishes })) {
      reports.push(report)
      wishes.add('backup')
      if (events(reports).some(({ kind }) => kind === 'went-back')) break
    }
    const measured = reports.filter((report) => report.events.some(({ kind }) => kind === 'measured'))
    expect(events(reports).find(({ kind }) => kind === 'went-back')).toMatchObject({
      because: 'painted faces became all alike (5 % of the difference between real ones, once 95 %)',
      toIteration: measured[19]!.iteration,
    })
  })

  it('is not suspected while its losses fall with the noise that real ones have', async () => {
    const model = await made()
    const random = new Random(1)
    // Targets that grow easier and vary by a third from batch to batch.
    const batches = async (draw: number) => {
      const batch = batchOf(draw % 10)
      const brightness = (0.2 + Math.exp(-draw / 100)) * random.uniform(0.67, 1.33)
      for (const side of [batch.src, batch.dst])
        side.target = Float32Array.from(side.target, (v) => Math.min(1, 0.5 + brightness * (v - 0.25)))
      return batch
    }
    const reports = await all(run(model, { length: { iterations: 500 } }, batches))
    expect(events(reports)).toEqual([])
  })
})

describe('measures', () => {
  it('decide which checkpoint is kept as the best, and say when there is no gain', async () => {
    const model = await made()
    let n = 0
    const mapping = [0.1, 0.5, 0.3, ...Array<number>(30).fill(0.2)]
    const measure = { of: async () => ({ mapping: mapping[n++]!, spread: 1 }), everySeconds: 0, best: 'mapping' }
    const reports: TrainReport[] = []
    for await (const report of run(model, { measure })) {
      reports.push(report)
      if (events(reports).some(({ kind }) => kind === 'no-gain')) break
    }
    const measured = events(reports).filter(({ kind }) => kind === 'measured')
    expect(measured).toHaveLength(12)
    const kept = await model.kept()
    expect(kept.best).toMatchObject({ measure: 'mapping', value: 0.5 })
    expect(events(reports).at(-1)).toMatchObject({ kind: 'no-gain', best: 0.5, sinceIteration: kept.best!.iteration })
    expect((await model.readMeasures()).map(({ values }) => values.mapping)).toEqual(mapping.slice(0, 12))
  })
})

describe('staged recipes', () => {
  it('move on by iterations, end a run without a length, and stay where they were when resumed', async () => {
    const recipe = staged({ iterations: 2 }, { iterations: 3 })
    const model = await made()
    for await (const { iteration } of run(model, { recipe })) if (iteration === 3) break
    const resumed = await openModel(join(folder, 'model'), [tiny])
    const reports = await all(run(resumed, { recipe }))
    expect(reports.map((r) => [r.iteration, r.phase])).toEqual([
      [4, 'phase 2'],
      [5, 'phase 2'],
    ])
    expect((await resumed.readHistory()).map((entry) => [entry.event, entry.fromIteration])).toEqual([
      ['fed', 0],
      ['moved-on', 2],
      ['fed', 2],
      ['moved-on', 5],
    ])
  })

  it('move on when a measure has come far enough, or gains no more', async () => {
    let n = 0
    const mapping = [0.2, 0.8, 0.7, 0.6, 0.5]
    const measure = { of: async () => ({ mapping: mapping[Math.min(n++, 4)]! }), everySeconds: 0, best: 'mapping' }
    const recipe = staged({ reaches: { mapping: 0.75 } }, { plateau: { of: 'mapping', measurements: 2 } })
    const reports = await all(run(await made(), { recipe, measure, length: { iterations: 3000 } }))
    expect(events(reports).filter(({ kind }) => kind === 'phase')).toEqual([
      { kind: 'phase', name: 'phase 2', because: 'mapping 0.800' },
      { kind: 'phase', name: 'end of the recipe', because: 'no gain in mapping over 2 measurements' },
    ])
  })

  it('are read from JSON, and refused with all that is wrong', async () => {
    const path = join(folder, 'recipe.json')
    const short = {
      name: 'a',
      assumes: 'b',
      phases: [{ name: 'c', until: 1, learningRate: [1e-3, 1e-4], ganPower: 0.1 }],
    }
    await writeFile(path, JSON.stringify(short))
    expect((await readRecipe(path)).phases[0]).toMatchObject({ randomWarp: true, eyesMouthPrio: 0, ganPower: 0.1 })
    expect(() =>
      parseRecipe(
        { name: 'a', phases: [{ name: 'c', until: { mapping: 1 }, learningRate: 3, ganPower: 9 }] },
        'x.json',
      ),
    ).toThrow(
      'Expected a recipe in `x.json`, but `assumes` must be a text; ' +
        'phase 1 (c): `learningRate` must be two numbers, at its beginning and its end; ' +
        'phase 1 (c): `until`: there is no `mapping`; known are iterations, seconds, plateau, reaches; ' +
        'phase 1 (c): Expected a number between 0 and 5 for `ganPower`, but got 9.. Correct it.',
    )
    await expect(readRecipe(join(folder, 'no.json'))).rejects.toThrow('Expected a recipe at')
  })
})

describe('a run', () => {
  it('writes a backup when it is wished for, and on time', async () => {
    const model = await made()
    const wishes = new Set<'save' | 'backup'>(['backup'])
    for await (const _ of run(model, { length: { iterations: 3 }, wishes }));
    expect((await model.kept()).backups).toEqual([1])
    expect(wishes.size).toBe(0)
    for await (const _ of run(model, { length: { iterations: 5 }, backupEverySeconds: 1e-9 }));
    expect((await model.kept()).backups).toEqual([1, 4, 5])
  })

  it('takes settings over those of the phases, and writes down what it was fed', async () => {
    const model = await made()
    const options = { settings: { clipgrad: 1, randomWarp: false }, data: { src: 'a' } }
    await all(run(model, { ...options, length: { iterations: 1 } }))
    await all(run(model, { ...options, length: { iterations: 2 } }))
    await all(run(model, { length: { iterations: 3 } }))
    expect(await model.readHistory()).toMatchObject([
      {
        event: 'fed',
        fromIteration: 0,
        settings: { clipgrad: 1, randomWarp: false, eyesMouthPrio: 0 },
        data: { src: 'a' },
      },
      { event: 'fed', fromIteration: 2, settings: { randomWarp: true } },
    ])
  })

  it('tells of a step before it first runs, and times it without learning', async () => {
    const model = await made()
    const before = model.state.snapshot()
    const told: { phase: string; bytes: number; ms: number; iteration: number; same: boolean }[] = []
    const onPrepared: TrainOptions['onPrepared'] = async ({ phase, memory, time }) => {
      const ms = await time()
      const same = model.state.names.every((name) =>
        model.state.get(name).data.every((v, i) => v === before[name]!.data[i]),
      )
      told.push({ phase, bytes: memory.total, ms, iteration: model.progress.iteration, same })
    }
    await all(run(model, { length: { iterations: 2 }, onPrepared }))
    expect(told).toEqual([
      { phase: 'learn', bytes: expect.any(Number), ms: expect.any(Number), iteration: 0, same: true },
    ])
    expect(Math.min(told[0]!.bytes, told[0]!.ms)).toBeGreaterThan(0)
  })

  it('trains further people whom a model paints, and asks for their faces', async () => {
    const model = await createModel(join(folder, 'model'), crowd, { faceType: 'full_face' })
    const before = model.state.snapshot()
    const batches = async (draw: number) => ({ ...batchOf(draw), people: { carol: batchOf(draw + 500).src } })
    const [report] = await all(train(model, batches, { recipe: plain, length: { iterations: 1 }, batchSize: BATCH }))
    expect(report!.losses.parts).toHaveProperty('carol/mse')
    expect(model.state.get('decoder_carol/out/weight').data).not.toEqual(before['decoder_carol/out/weight']!.data)
    const without = train(model, async (i) => batchOf(i), { recipe: plain, length: {}, batchSize: BATCH })
    await expect(without.next()).rejects.toThrow(
      'Expected samples of carol, whom the model paints, in the batch, but got none.',
    )
  })

  it('finds a learning rate without touching the model', async () => {
    const model = await made()
    const before = model.state.snapshot()
    const { learningRate, tried } = await findLearningRate(model, async (draw) => batchOf(draw), { batchSize: BATCH })
    expect(learningRate).toBeGreaterThan(1e-5)
    expect(learningRate).toBeLessThan(0.1)
    expect(tried.length).toBeGreaterThan(20)
    for (const [name, { data }] of Object.entries(before)) expect(model.state.get(name).data).toEqual(data)
    await expect(findLearningRate(model, async (i) => batchOf(i), { batchSize: BATCH, iterations: 5 })).rejects.toThrow(
      'Expected at least 20 for `iterations`, but got 5.',
    )
  })
})
