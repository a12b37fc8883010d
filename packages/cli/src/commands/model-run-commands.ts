import { join } from 'node:path'
import { DflError } from '@dfl/core'
import { goBackTo, hasModel, listCheckpoints } from '@dfl/trainer'
import { textFlag } from '../flags.js'
import { timelapse } from '../timelapse.js'
import { type Command, generalFlags, inWorkspace, workspaceOf } from './command.js'
import { followFaces } from './faceset/follow-faces.js'
import { workspaceFlag } from './shared-flags.js'

/** `dfl model restore` */
export const modelRestoreCommand: Command = {
  name: 'model restore',
  summary: 'go back to the best checkpoint, a backup, or any other that is kept',
  usage: '--checkpoint <best|iteration> [--workspace <folder>]',
  about: [
    'Training and merging go on from that checkpoint. Later ones are moved to <workspace>/model/checkpoints/aside, and can be deleted there. dfl model info lists what is kept.',
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        textFlag('checkpoint', 'best, or an iteration of which there is a checkpoint.', {
          placeholder: 'which',
          required: true,
        }),
        workspaceFlag(),
      ],
    },
    generalFlags,
  ],
  examples: [['dfl model restore --checkpoint best', 'the checkpoint that measured best by mapping']],
  async run({ main = {} }, { terminal }) {
    const which = String(main.checkpoint)
    return inWorkspace(workspaceOf(main), 'model restore', async ({ model: folder }) => {
      if (!(await hasModel(folder)))
        throw new DflError('NO_SUCH_FILE', `Expected a model in \`${folder}\`, but there is none. Train one first.`)
      const all = await listCheckpoints(folder)
      const found = all.find(
        ({ iteration, kept }) => which === String(iteration) || (which === 'best' && kept === 'best'),
      )
      if (!found)
        throw new DflError(
          'BAD_OPTION',
          `Expected ${all.some(({ kept }) => kept === 'best') ? 'best or ' : ''}one of ${all.map(({ iteration }) => iteration).join(', ')} for \`--checkpoint\`, but got '${which}'. Choose one of them.`,
        )
      const aside = await goBackTo(folder, found.iteration)
      const moved = aside.length > 0 ? `; moved aside: ${aside.join(', ')}` : ''
      terminal.result(`Model    ${folder}, iteration ${found.iteration}${moved}`, {
        event: 'result',
        ...{ model: folder, iteration: found.iteration, aside },
      })
      return { stopped: false }
    })
  },
}

/** `dfl model timelapse` */
export const modelTimelapseCommand: Command = {
  name: 'model timelapse',
  summary: 'the previews of a training as a video',
  usage: '[--out <file>] [--workspace <folder>]',
  about: ['Twelve previews a second, always of the same faces: how the swap came about.'],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        textFlag('out', 'The video (default <workspace>/preview/timelapse.mp4).', { placeholder: 'file' }),
        workspaceFlag(),
      ],
    },
    generalFlags,
  ],
  examples: [['dfl model timelapse', 'of the model in ./workspace']],
  async run({ main = {} }, context) {
    return inWorkspace(workspaceOf(main), 'model timelapse', async ({ preview }) => {
      const out = (main.out as string | undefined) ?? join(preview, 'timelapse.mp4')
      const ended = await followFaces(timelapse(preview, out), context, 'previews into a video')
      if (!ended.stopped)
        context.terminal.result(`Video    ${out}, ${ended.value} previews`, {
          event: 'result',
          ...{ out, previews: ended.value },
        })
      return { stopped: ended.stopped }
    })
  },
}
