import type { Side } from '@dfl/core'
import { sayDuration } from '../events.js'
import { choiceFlag, countFlag, switchFlag, textFlag } from '../flags.js'
import { extractStage } from '../stages/extract.js'
import { type MergeJob, mergeStage } from '../stages/merge.js'
import { trainStage } from '../stages/train.js'
import {
  type Command,
  deviceFlag,
  follow,
  generalFlags,
  inWorkspace,
  timeFlag,
  USUAL_WORKSPACE,
  workspaceFlag,
} from './command.js'
import { extractGroup, mergeGroup, modelGroup, trainGroup, trainJobOf } from './flag-groups.js'

const workspaceOf = (main: Readonly<Record<string, unknown>>) =>
  (main.workspace as string | undefined) ?? USUAL_WORKSPACE

/** `dfl extract` */
export const extractCommand: Command = {
  name: 'extract',
  summary: 'find the faces of a clip and cut them out, aligned',
  usage: '--side <src|dst> --input <clip> [options]',
  about: [
    'Writes the faces to <workspace>/src/aligned or <workspace>/dst/aligned, with their landmarks in faces.jsonl. Stopped at any moment, the same command goes on where it was.',
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        choiceFlag('side', 'src gives the face, dst the performance and the frames.', {
          choices: ['src', 'dst'],
          required: true,
        }),
        textFlag('input', 'A video, a folder of images, or an image.', { placeholder: 'clip', required: true }),
        workspaceFlag(),
      ],
    },
    extractGroup(),
    generalFlags,
  ],
  examples: [
    ['dfl extract --side src --input a.mp4', 'extracts the faces of a.mp4 into ./workspace'],
    ['dfl extract --side dst --input b.mp4 --debug-folder look', 'also draws what was found into every frame'],
  ],
  async run({ main = {}, extract = {} }, { terminal, signal }) {
    const folder = workspaceOf(main)
    const { side, input } = main as { side: Side; input: string }
    return inWorkspace(folder, 'extract', async (workspace) => {
      const result = await follow(extractStage(workspace, { side, input, options: extract }, { signal }), terminal)
      const { frames, framesWithFace, faces, faceType, stopped } = result
      if (!stopped) {
        const faceset = workspace.faceset[side]
        terminal.result(`Faces    ${faceset}`, {
          event: 'result',
          ...{ side, faceset, frames, framesWithFace, faces, faceType },
        })
      }
      return { stopped }
    })
  },
}

/** `dfl train` */
export const trainCommand: Command = {
  name: 'train',
  summary: 'train the model on the faces of a workspace',
  usage: '[--time <duration> | --iterations <n>] [options]',
  about: [
    'Makes a model, or goes on with the one that is there, from its last checkpoint. --time is the training time in all: with --time 10m and later --time 30m it is trained for twenty more minutes. Without either it trains until Ctrl-C.',
    'Look at <workspace>/preview/latest.png: src, src painted as src, dst, dst painted as dst, and the swap. The last column says when to stop, not the loss.',
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        timeFlag('Training time in all, such as 90s, 10m or 1h30m.'),
        countFlag('iterations', 'Iterations in all.'),
        deviceFlag(),
        workspaceFlag(),
      ],
    },
    trainGroup,
    modelGroup,
    generalFlags,
  ],
  examples: [
    ['dfl train --time 30m', 'trains the model in ./workspace for half an hour in all'],
    ['dfl train --preset film --resolution 160 --time 8h', 'a larger model, over night'],
  ],
  async run(given, { terminal, signal }) {
    return inWorkspace(workspaceOf(given.main ?? {}), 'train', async (workspace) => {
      const result = await follow(trainStage(workspace, trainJobOf(given), { signal }), terminal)
      const { stopped, iterations, seconds, preview } = result
      if (!stopped)
        terminal.result(
          [
            `Model    ${workspace.model}, ${iterations} iterations, ${sayDuration(seconds)} of training`,
            ...(preview ? [`Preview  ${preview}`] : []),
          ].join('\n'),
          { event: 'result', model: workspace.model, ...result },
        )
      return { stopped }
    })
  },
}

/** `dfl merge` */
export const mergeCommand: Command = {
  name: 'merge',
  summary: "put the swapped faces back into DST's frames",
  usage: '[--input <clip>] [--out <file>] [options]',
  about: [
    "Writes DST's clip with SRC's face: same length, size and timing, sound copied bit for bit. A name without a video's ending makes a folder of images. The result says in its metadata that it is synthetic.",
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        textFlag('input', "DST's clip; the one whose faces were extracted if not given.", { placeholder: 'clip' }),
        textFlag('out', 'The result (default <workspace>/result.mp4).', { placeholder: 'file' }),
        switchFlag('again', 'Make the result again though nothing has changed.'),
        deviceFlag(),
        workspaceFlag(),
      ],
    },
    mergeGroup,
    generalFlags,
  ],
  examples: [
    ['dfl merge --input b.mp4 --out c.mp4', 'the swap, with the usual settings'],
    ['dfl merge --out c.mp4 --erode 10 --blur 30', 'a smaller mask with a softer edge'],
    ['dfl merge --out c.mkv --codec ffv1', 'lossless, for further editing'],
  ],
  async run({ main = {}, merge = {} }, { terminal, signal }) {
    const { input, out, again, device } = main as Pick<MergeJob, 'input' | 'out' | 'again' | 'device'>
    return inWorkspace(workspaceOf(main), 'merge', async (workspace) => {
      const job = { input, out, again, device, options: merge }
      const { stopped, ...result } = await follow(mergeStage(workspace, job, { signal }), terminal)
      if (!stopped) terminal.result(`Result   ${result.result}`, { event: 'result', ...result })
      return { stopped }
    })
  },
}
