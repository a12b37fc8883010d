import { DflError } from '@dfl/core'
import { writeFileAtomic } from '@dfl/core/files'
import { countParams, exportDfm } from '@dfl/nn'
import { createModel, type Generation, type HistoryEntry, listCheckpoints, openModel } from '@dfl/trainer'
import { ARCHITECTURES, allArchitectures } from '../architectures.js'
import { loadConfig } from '../config.js'
import { listDflModels, readDflModel } from '../dfl-models.js'
import { sayDuration } from '../events.js'
import { switchFlag, textFlag } from '../flags.js'
import { openWorkspace } from '../workspace.js'
import { type Command, generalFlags, inWorkspace, workspaceOf } from './command.js'
import { modelRestoreCommand, modelTimelapseCommand } from './model-run-commands.js'
import { configFlag, workspaceFlag } from './shared-flags.js'
import { verbsCommand } from './verbs.js'

/** `dfl model info` */
export const modelInfoCommand: Command = {
  name: 'model info',
  summary: 'what the model of a workspace is and how far it was trained',
  usage: '[--workspace <folder>]',
  about: [
    'Tells architecture, options, face type, iterations, time and losses, how many numbers it consists of, which checkpoints there are, and everything that the weights were ever fed.',
    'While a training runs it tells the newest checkpoint.',
  ],
  groups: [{ key: 'main', title: 'Options', flags: [configFlag(), workspaceFlag()] }, generalFlags],
  examples: [['dfl model info', 'the model in ./workspace']],
  async run({ main = {} }, { terminal }) {
    const config = await loadConfig(main.config as string | undefined)
    // Without the workspace's lock: it only reads, and while a training runs is when people ask.
    const { model: folder } = await openWorkspace(workspaceOf(main))
    const run = await openModel(folder, allArchitectures(config))
    const { description, progress, model } = run
    const [history, checkpoints, { best }] = [await run.readHistory(), await listCheckpoints(folder), await run.kept()]
    const parameters = countParams(model.params)
    const lines = [
      `Model      ${folder}`,
      `Kind       ${description.architecture}, ${description.faceType}, ${model.resolution} px`,
      `Options    ${Object.entries(description.options)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ')}`,
      ...Object.entries(model.controls ?? {}).map(
        ([name, { description: what, min, max, default: usual }]) =>
          `Control    ${name}, ${min} to ${max}, usually ${usual}: ${what}`,
      ),
      `Size       ${(parameters / 1e6).toFixed(1)} million parameters`,
      `Trained    ${progress.iteration} iterations, ${sayDuration(progress.seconds)}, loss src ${progress.losses.src.toFixed(3)} dst ${progress.losses.dst.toFixed(3)}`,
      `Kept       ${checkpoints.map(sayCheckpoint).join(', ')}${best ? `; ${best.measure} ${best.value.toFixed(3)} at ${best.iteration}` : ''}`,
      ...history.map((entry, i) => `${i === 0 ? 'History' : ''.padEnd(7)}    ${sayEntry(entry)}`),
    ]
    terminal.result(lines.join('\n'), {
      event: 'result',
      ...{ ...description, ...progress, parameters, checkpoints, best, history },
    })
    return { stopped: false }
  },
}

const sayCheckpoint = ({ iteration, kept }: Generation) => `${iteration}${kept ? ` (${kept})` : ''}`

/** A line of the history for people. */
function sayEntry(entry: HistoryEntry): string {
  const from = `from ${entry.fromIteration} on`
  if (entry.event === 'began') return `${from}  ${entry.with}`
  if (entry.event === 'moved-on') return `at ${entry.fromIteration}  phase ${entry.phase}, after ${entry.because}`
  if (entry.event === 'went-back')
    return `at ${entry.fromIteration}  back to ${entry.toIteration}, because ${entry.because}`
  const { recipe, phase, batchSize, settings, data = {} } = entry
  const set = Object.entries(settings).map(([name, value]) => `${name} ${value}`)
  const many = typeof data.pretrain === 'string' ? [`pretraining on ${data.pretrain}`] : []
  const faces = Object.entries(data).flatMap(([side, of]) =>
    typeof (of as { faces?: number } | null)?.faces === 'number'
      ? [`${side} ${(of as { faces: number }).faces} faces`]
      : [],
  )
  return `${from}  ${recipe}, ${phase}: ${[...many, ...faces, `batch ${batchSize}`, ...set].join(', ')}`
}

/** `dfl model import` */
export const modelImportCommand: Command = {
  name: 'model import',
  summary: "go on with a model of DeepFaceLab's SAEHD, Quick96, AMP or XSeg",
  usage: '--input <folder> [--name <name>] [options]',
  about: [
    'Reads the weights of a DeepFaceLab model folder and makes of them the model of a workspace that has none yet. What the optimiser remembered is not taken over: the first iterations find it again.',
    'Only plain data is read from these files. Nothing in them can run.',
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        textFlag('input', "DeepFaceLab's folder `model`.", { placeholder: 'folder', required: true }),
        textFlag('name', 'Name of the model in it; needed where there are several.', { placeholder: 'name' }),
        workspaceFlag(),
      ],
    },
    generalFlags,
  ],
  examples: [['dfl model import --input DeepFaceLab/workspace/model', 'then dfl train or dfl merge']],
  async run({ main = {} }, { terminal }) {
    const { input, name } = main as { input: string; name?: string }
    const chosen = name ?? (await onlyModel(input))
    const found = await readDflModel(input, chosen)
    return inWorkspace(workspaceOf(main), 'model import', async ({ model: folder }) => {
      const { architecture, options, faceType, iteration, weights } = found
      const known = ARCHITECTURES.find(({ name }) => name === architecture)!
      await createModel(folder, known, { options, faceType, weights, iteration })
      terminal.result(`Model    ${folder}: ${architecture}, ${faceType}, ${iteration} iterations`, {
        event: 'result',
        ...{ model: folder, architecture, options, faceType, iteration },
      })
      return { stopped: false }
    })
  },
}

/** @throws DflError `BAD_OPTION` where there are several models, or none. */
async function onlyModel(folder: string): Promise<string> {
  const names = (await listDflModels(folder)).map(({ name }) => name)
  if (names.length === 1) return names[0]!
  throw new DflError(
    'BAD_OPTION',
    `Expected one model of DeepFaceLab in \`${folder}\`, but got ${names.join(', ') || 'none'}. ${names.length > 1 ? 'Choose with --name.' : 'Name the folder that holds its data.dat.'}`,
  )
}

/** `dfl model export` */
export const modelExportCommand: Command = {
  name: 'model export',
  summary: 'write the model as a .dfm for live programs',
  usage: '--out <file> [--half] [options]',
  about: [
    'Writes one ONNX file with the names and colours that DeepFaceLive, VisoMaster and FaceFusion expect: BGR, channels last. An XSeg becomes what they expect of an XSeg_model.onnx.',
    'While a training runs it takes the newest checkpoint.',
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        textFlag('out', 'The file, such as person.dfm.', { placeholder: 'file', required: true }),
        switchFlag('half', 'Weights in half precision: half the size.'),
        configFlag(),
        workspaceFlag(),
      ],
    },
    generalFlags,
  ],
  examples: [['dfl model export --out person.dfm --half', 'the model in ./workspace, in half the size']],
  async run({ main = {} }, { terminal }) {
    const { out, half } = main as { out: string; half?: boolean }
    const config = await loadConfig(main.config as string | undefined)
    const { model: folder } = await openWorkspace(workspaceOf(main))
    const { model, state, description } = await openModel(folder, allArchitectures(config))
    const bytes = exportDfm(model, state, { half })
    await writeFileAtomic(out, bytes)
    terminal.result(`Model    ${out}, ${(bytes.length / 1e6).toFixed(1)} MB, ${description.faceType}`, {
      event: 'result',
      ...{ out, bytes: bytes.length, faceType: description.faceType },
    })
    return { stopped: false }
  },
}

const VERBS: readonly Command[] = [
  modelInfoCommand,
  modelImportCommand,
  modelExportCommand,
  modelRestoreCommand,
  modelTimelapseCommand,
]

/** `dfl model` and a verb. */
export const modelCommand = verbsCommand({
  name: 'model',
  summary: 'tell what a model is, import, export, go back to a checkpoint',
  about: ['The model of a workspace is the folder model in it: description, weights, history, checkpoints.'],
  examples: VERBS.flatMap(({ examples }) => [...examples]),
  verbs: VERBS,
})
