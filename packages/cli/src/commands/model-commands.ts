import { DflError } from '@dfl/core'
import { writeFileAtomic } from '@dfl/core/files'
import { countParams, exportDfm } from '@dfl/nn'
import { createModel, openModel } from '@dfl/trainer'
import { ARCHITECTURES, architectureNamed } from '../architectures.js'
import { listDflModels, readDflModel } from '../dfl-models.js'
import { sayDuration } from '../events.js'
import { switchFlag, textFlag } from '../flags.js'
import { type Command, generalFlags, inWorkspace, USUAL_WORKSPACE, workspaceFlag } from './command.js'

const folderOf = (main: Readonly<Record<string, unknown>>) => (main.workspace as string | undefined) ?? USUAL_WORKSPACE

/** `dfl model info` */
export const modelInfoCommand: Command = {
  name: 'model info',
  summary: 'what the model of a workspace is and how far it was trained',
  usage: '[--workspace <folder>]',
  about: ['Tells architecture, options, face type, iterations, time and losses, and how many numbers it consists of.'],
  groups: [{ key: 'main', title: 'Options', flags: [workspaceFlag()] }, generalFlags],
  examples: [['dfl model info', 'the model in ./workspace']],
  async run({ main = {} }, { terminal }) {
    return inWorkspace(folderOf(main), 'model info', async ({ model: folder }) => {
      const { description, progress, model } = await openModel(folder, ARCHITECTURES)
      const parameters = countParams(model.params)
      const lines = [
        `Model      ${folder}`,
        `Kind       ${description.architecture}, ${description.faceType}, ${model.resolution} px`,
        `Options    ${Object.entries(description.options)
          .map(([name, value]) => `${name} ${value}`)
          .join(', ')}`,
        `Size       ${(parameters / 1e6).toFixed(1)} million parameters`,
        `Trained    ${progress.iteration} iterations, ${sayDuration(progress.seconds)}, loss src ${progress.losses.src.toFixed(3)} dst ${progress.losses.dst.toFixed(3)}`,
      ]
      terminal.result(lines.join('\n'), { event: 'result', ...description, ...progress, parameters })
      return { stopped: false }
    })
  },
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
    return inWorkspace(folderOf(main), 'model import', async ({ model: folder }) => {
      const { architecture, options, faceType, iteration, weights } = found
      await createModel(folder, architectureNamed(architecture), { options, faceType, weights, iteration })
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
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        textFlag('out', 'The file, such as person.dfm.', { placeholder: 'file', required: true }),
        switchFlag('half', 'Weights in half precision: half the size.'),
        workspaceFlag(),
      ],
    },
    generalFlags,
  ],
  examples: [['dfl model export --out person.dfm --half', 'the model in ./workspace, in half the size']],
  async run({ main = {} }, { terminal }) {
    const { out, half } = main as { out: string; half?: boolean }
    return inWorkspace(folderOf(main), 'model export', async ({ model: folder }) => {
      const { model, state, description } = await openModel(folder, ARCHITECTURES)
      const bytes = exportDfm(model, state, { half })
      await writeFileAtomic(out, bytes)
      terminal.result(`Model    ${out}, ${(bytes.length / 1e6).toFixed(1)} MB, ${description.faceType}`, {
        event: 'result',
        ...{ out, bytes: bytes.length, faceType: description.faceType },
      })
      return { stopped: false }
    })
  },
}

const VERBS: readonly Command[] = [modelInfoCommand, modelImportCommand, modelExportCommand]

/** `dfl model` and a verb. */
export const modelCommand: Command = {
  name: 'model',
  summary: 'tell what a model is, import one of DeepFaceLab, export it',
  usage: '<verb> [options]',
  about: ['Each verb explains itself: dfl model <verb> --help.'],
  groups: [
    {
      key: 'verbs',
      title: 'Options, explained by dfl model <verb> --help',
      flags: [],
    },
    generalFlags,
  ],
  examples: VERBS.flatMap(({ examples }) => [...examples]),
  verbs: VERBS,
  async run() {
    const names = VERBS.map(({ name }) => name.replace(/^model /, '')).join(', ')
    throw new DflError(
      'BAD_OPTION',
      `Expected one of ${names} after \`dfl model\`, but got nothing. Choose one of them.`,
    )
  },
}
