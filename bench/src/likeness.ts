import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { presetFor, presetNamed, sayDuration } from '@dfl/cli'
import { DflError, FACE_TYPES, type FaceType } from '@dfl/core'
import { benchArguments } from './bench-arguments.js'
import { ROOT } from './footage.js'
import { cellsOf, LOOK_COLUMNS, type Look, lookAt, openPair, PROCESSOR_TIME, secondsOf, trainUntil } from './looks.js'
import { type BenchContext, type Outcome, table } from './report.js'

/** When a run of a length is looked at, in minutes; the end is always. */
const LOOKS: readonly { upTo: number; minutes: readonly number[] }[] = [
  { upTo: 6, minutes: [1, 2, 3, 5] },
  { upTo: 12, minutes: [1, 2, 5, 10] },
  { upTo: Number.POSITIVE_INFINITY, minutes: [5, 10, 20, 30, 60, 120] },
]

/**
 * How soon a swap looks like SRC: the stages of `dfl run`, with the training stopped at given times to merge the clip with
 * the model as it is then and to measure the merged frames. The training then goes on as if nothing had happened.
 */
export async function run(args: string[], context: BenchContext): Promise<Outcome> {
  const { values } = benchArguments(args, {
    pair: { type: 'string', about: 'clips of your own: x for x-src.mp4, x-dst.mp4 and x-truth.mp4' },
    time: { type: 'string', default: '5m', about: 'training time, such as 90s or 10m' },
    at: { type: 'string', about: 'when to look, such as 2m,10m' },
    preset: { type: 'string', about: 'preset of the training' },
    'face-type': { type: 'string', about: "how much of the head is cut out (default: the preset's)" },
    seed: { type: 'string', about: 'seed of the training' },
    weights: { type: 'string', about: 'safetensors file to start from' },
    'from-scratch': { type: 'boolean', about: 'random weights in place of those that new models start from' },
    'every-nth': { type: 'string', default: '1', about: 'measure every so many frames' },
    'processor-time': { type: 'boolean', about: 'train on one thread and count its processor time' },
    out: { type: 'string', about: 'output folder' },
  })
  const seconds = secondsOf('--time', values.time)
  const everyNth = Number(values['every-nth'])
  const looks = values.at ? values.at.split(',').map((at) => secondsOf('--at', at)) : usualLooks(seconds)
  const preset = values.preset ? presetNamed(values.preset) : presetFor({ seconds })
  const faceType = faceTypeOf(values['face-type']) ?? preset.faceType
  const outOf = (name: string) =>
    values.out ??
    join(ROOT, 'workspace', ['likeness', name, preset.name, values['face-type'], values.time].filter(Boolean).join('-'))
  const pair = await openPair(values.pair, { faceType, everyNth, out: outOf }, context)
  const { name, workspace, out } = pair
  // Facesets are kept from run to run, a model is not: its way is what is measured.
  await rm(workspace.model, { recursive: true, force: true })
  const train = {
    seconds,
    preset: preset.name,
    seed: values.seed === undefined ? undefined : Number(values.seed),
    weights: values.weights,
    fromScratch: values['from-scratch'],
    ...(values['processor-time'] ? PROCESSOR_TIME : {}),
  }
  const data = {
    ...{ pair: name, preset: preset.name, faceType, fromScratch: train.fromScratch, seconds, everyNth, out },
    processorTime: values['processor-time'],
  }
  const found: Look[] = []
  let stageSeconds = 0
  for (const at of looks) {
    const trained = await trainUntil(workspace, train, at, context)
    stageSeconds += trained.stageSeconds
    found.push(await lookAt(pair, `${Math.round(at)}s`, { ...trained, stageSeconds }, context))
    // Runs are long: what is known is kept and shown at once.
    await writeFile(join(out, 'likeness.json'), `${JSON.stringify({ ...data, looks: found }, null, 2)}\n`)
    context.tell(describe(found.slice(-1)))
  }
  const text = [describe(found), '', `${name}, preset ${preset.name}. Merged clips, sheets and previews: ${out}`]
  return { text: text.join('\n'), data: { ...data, looks: found } }
}

const describe = (looks: readonly Look[]): string =>
  table(
    ['trained', ...LOOK_COLUMNS],
    looks.map((look) => [sayDuration(look.trainedSeconds), ...cellsOf(look)]),
  )

/** @throws DflError `BAD_OPTION` for what is no face type. */
function faceTypeOf(name: string | undefined): FaceType | undefined {
  if (name === undefined || FACE_TYPES.includes(name as FaceType)) return name as FaceType | undefined
  throw new DflError(
    'BAD_OPTION',
    `Expected one of ${FACE_TYPES.join(', ')} for \`--face-type\`, but got '${name}'. Correct it.`,
  )
}

/** The usual times to look at a run of so many seconds, its end among them. */
function usualLooks(seconds: number): number[] {
  const { minutes } = LOOKS.find(({ upTo }) => seconds <= 60 * upTo)!
  return [...minutes.map((minute) => 60 * minute).filter((at) => at < seconds), seconds]
}
