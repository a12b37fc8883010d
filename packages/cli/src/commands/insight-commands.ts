import { type CheckJob, checkStage, describeCheck } from '../check.js'
import { describeEvaluation, type EvaluateJob, evaluateStage } from '../evaluate.js'
import { countFlag, textFlag } from '../flags.js'
import { type Command, follow, generalFlags, inWorkspace, workspaceOf } from './command.js'
import { clipsFlag, workspaceFlag } from './shared-flags.js'

/** `dfl check` */
export const checkCommand: Command = {
  name: 'check',
  summary: 'before training: does SRC have what DST needs, and what to shoot',
  usage: '[--src <clip>] [--dst <clip>] [options]',
  about: [
    'Compares the faces of both sides in pose, expression, gaze, light and sharpness, and in the shape of the face, and says which frames of DST nothing in SRC covers and what to shoot or find. Clips are extracted into the workspace first, where dfl run finds their faces again.',
    'Writes a report that opens in any browser, a JSON file and a contact sheet of the DST faces that are not covered.',
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        clipsFlag('src', 'Footage of SRC, or the folder of a faceset; the faces of the workspace if not given.'),
        clipsFlag('dst', 'The same of DST.'),
        textFlag('out', 'The report (default <workspace>/check.html); JSON and contact sheet lie beside it.', {
          placeholder: 'file',
        }),
        countFlag('maxFaces', 'Faces looked at on each side, evenly chosen (default 500).'),
        workspaceFlag(),
      ],
    },
    generalFlags,
  ],
  examples: [
    ['dfl check --src a.mp4 --dst b.mp4', 'extracts both, then writes workspace/check.html'],
    ['dfl check', 'the faces that were extracted in ./workspace'],
  ],
  async run({ main = {} }, { terminal, signal }) {
    const { workspace: _, ...job } = main as CheckJob & { workspace?: string }
    return inWorkspace(workspaceOf(main), 'check', async (workspace) => {
      const result = await follow(checkStage(workspace, job, { signal }), terminal)
      const { check, stopped, ...files } = result
      if (check) {
        const { coverage, shape, exposure, shading, forecast, advice } = check
        const { covered, byAxis, gaps } = coverage
        terminal.result(describeCheck(result), {
          event: 'result',
          ...{ ...files, covered, byAxis, gaps, shape, exposure, shading, forecast, advice },
        })
      }
      return { stopped }
    })
  },
}

/** `dfl evaluate` */
export const evaluateCommand: Command = {
  name: 'evaluate',
  summary: 'after merging: how good the swap is, in numbers and pictures',
  usage: '[--result <clip>] [--truth <clip>] [options]',
  about: [
    "Measures a merged clip: whom it looks like and how much of DST is left, whether it does what DST does, whether colours and grain fit at the face's border, flicker and jitter for each shot, and where DST stays visible. With the true swap, which is known for rendered heads, also the distance to it.",
    'Writes a report that opens in any browser and a JSON file.',
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        textFlag('result', "The merged clip; the workspace's result if not given.", { placeholder: 'clip' }),
        textFlag('dst', "DST's clip; that of the last merge if not given.", { placeholder: 'clip' }),
        textFlag('truth', 'What a perfect swap shows, frame for frame, where it is known.', { placeholder: 'clip' }),
        textFlag('out', 'The report (default <workspace>/evaluation.html); JSON lies beside it.', {
          placeholder: 'file',
        }),
        countFlag('everyNth', 'Look at every so many frames; flicker, jitter and delay need all (default 1).'),
        workspaceFlag(),
      ],
    },
    generalFlags,
  ],
  examples: [
    ['dfl evaluate', "the workspace's result against its DST"],
    ['dfl evaluate --result c.mp4 --dst b.mp4 --out c.html', 'another merge of the same faces'],
  ],
  async run({ main = {} }, { terminal, signal }) {
    const { workspace: _, ...job } = main as EvaluateJob & { workspace?: string }
    return inWorkspace(workspaceOf(main), 'evaluate', async (workspace) => {
      const result = await follow(evaluateStage(workspace, job, { signal }), terminal)
      const { evaluation, stopped, ...files } = result
      if (evaluation) terminal.result(describeEvaluation(result), { event: 'result', ...files, ...evaluation })
      return { stopped }
    })
  },
}
