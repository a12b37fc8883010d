import { loadConfig } from '../config.js'
import { sayDuration, type TrainWish } from '../events.js'
import { switchFlag } from '../flags.js'
import { listenToKeys } from '../keys.js'
import { findRateStage } from '../stages/find-rate.js'
import { trainStage } from '../stages/train.js'
import { type Command, follow, generalFlags, inWorkspace, workspaceOf } from './command.js'
import { checkpointGroup, modelGroup, samplesGroup, settingsGroup, trainGroup, trainJobOf } from './flag-groups.js'
import { configFlag, deviceFlag, lengthFlags, workspaceFlag } from './shared-flags.js'

/** `dfl train` */
export const trainCommand: Command = {
  name: 'train',
  summary: 'train the model on the faces of a workspace',
  usage: '[--time <duration> | --iterations <n>] [options]',
  about: [
    'Makes a model, or goes on with the one that is there. --time is the training time in all: after --time 10m, --time 30m trains twenty minutes more. Without a length it trains until Ctrl-C, or to the end of a recipe with conditions.',
    'Look at <workspace>/preview/latest.png: src, src painted as src, dst, dst painted as dst, and the swap. The last column says when to stop, not the loss; progress.png beside it shows losses and measures over the run.',
    'Keys: s saves, b keeps a backup, p writes a preview, q or Enter ends.',
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        ...lengthFlags(),
        switchFlag('findLearningRate', 'Look for the best learning rate, and train nothing.'),
        deviceFlag(),
        configFlag(),
        workspaceFlag(),
      ],
    },
    trainGroup,
    checkpointGroup,
    samplesGroup,
    settingsGroup,
    modelGroup,
    generalFlags,
  ],
  examples: [
    ['dfl train --time 30m', 'trains the model in ./workspace for half an hour in all'],
    ['dfl train --resolution 384 --time 8h', 'painted finer, over night'],
    ['dfl train --time 9h --no-random-warp --gan-power 0.1', 'then another hour for sharpness'],
    ['dfl train --recipe film.json', 'the phases of a file, to their end'],
  ],
  async run(given, { terminal, signal, stdin }) {
    const main = given.main ?? {}
    const config = await loadConfig(main.config as string | undefined)
    return inWorkspace(workspaceOf(main), 'train', async (workspace) => {
      if (main.findLearningRate) {
        const found = await follow(findRateStage(workspace, trainJobOf(given), { signal, config }), terminal)
        if (!found) return { stopped: true }
        terminal.result(`Rate     ${found.learningRate.toExponential(1)}, for --learning-rate`, {
          event: 'result',
          ...found,
        })
        return { stopped: false }
      }
      const quit = new AbortController()
      const wishes = new Set<TrainWish>()
      using keys = listenToKeys(stdin, {
        s: () => wishes.add('save'),
        b: () => wishes.add('backup'),
        p: () => wishes.add('preview'),
        q: () => quit.abort(),
        '\r': () => quit.abort(),
      })
      if (keys.active) terminal.say('  keys: s save, b backup, p preview, q quit')
      const context = { signal: signal ? AbortSignal.any([signal, quit.signal]) : quit.signal, config, wishes }
      const result = await follow(trainStage(workspace, trainJobOf(given), context), terminal)
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
