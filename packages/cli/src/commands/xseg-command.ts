import { join } from 'node:path'
import { DflError, type Side } from '@dfl/core'
import type { DeviceChoice } from '@dfl/engine'
import { type Faceset, openFaceset, rewrite, setMasks } from '@dfl/faceset'
import { resize, toPixels } from '@dfl/image'
import { createMasker, xseg } from '@dfl/model-xseg'
import type { ModelArchitecture } from '@dfl/nn'
import { openModel } from '@dfl/trainer'
import { sayDuration } from '../events.js'
import { countFlag, switchFlag, textFlag } from '../flags.js'
import { trainXsegStage } from '../stages/train-xseg.js'
import type { Workspace } from '../workspace.js'
import { type Command, follow, generalFlags, inWorkspace, workspaceOf } from './command.js'
import { followFaces } from './faceset/follow-faces.js'
import { deviceFlag, lengthFlags, sideFlag, workspaceFlag, xsegFlag } from './shared-flags.js'
import { verbsCommand } from './verbs.js'

const folderOf = ({ folder }: Workspace, main: Readonly<Record<string, unknown>>) =>
  (main.xseg as string | undefined) ?? join(folder, 'xseg')

const whose = () => sideFlag('Whose faces.')

/** `dfl xseg train` */
const xsegTrainCommand: Command = {
  name: 'xseg train',
  summary: 'train a masker on the outlines that are drawn on faces',
  usage: '[--time <duration> | --iterations <n>] [options]',
  about: [
    'Learns from those faces of SRC and DST that have an outline drawn, such as those of a faceset of DeepFaceLab (dfl faceset import), with its augmentation. A few dozen of each kind of view are enough to begin. Without a length it trains until Ctrl-C; the same command goes on.',
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        ...lengthFlags(),
        countFlag('batchSize', 'Faces in a batch (default 4).', 2),
        countFlag('resolution', 'Side of its images, a multiple of 64 (default 256). Fixed once it exists.', 64),
        textFlag('pretrain', 'Pretrain on this faceset, which needs no outlines: to give back warped faces in gray.', {
          placeholder: 'path',
        }),
        deviceFlag(),
        xsegFlag(),
        workspaceFlag(),
      ],
    },
    generalFlags,
  ],
  examples: [['dfl xseg train --time 2h', 'then dfl xseg apply --side src, and --side dst']],
  async run({ main = {} }, { terminal, signal }) {
    return inWorkspace(workspaceOf(main), 'xseg train', async (workspace) => {
      const { time: seconds, iterations, batchSize, resolution } = main as Record<string, number | undefined>
      const folder = folderOf(workspace, main)
      const device = main.device as DeviceChoice | undefined
      const pretrain = main.pretrain as string | undefined
      const job = { folder, seconds, iterations, batchSize, resolution, pretrain, device }
      const result = await follow(trainXsegStage(workspace, job, { signal }), terminal)
      if (!result.stopped)
        terminal.result(
          `XSeg     ${folder}, ${result.iterations} iterations, ${sayDuration(result.seconds)} of training on ${result.faces} faces`,
          { event: 'result', model: folder, ...result },
        )
      return { stopped: result.stopped }
    })
  },
}

/** `dfl xseg apply` */
const xsegApplyCommand: Command = {
  name: 'xseg apply',
  summary: 'give the faces of a side the masks that a trained XSeg finds',
  usage: '--side <src|dst> [options]',
  about: [
    'Training and merging then use these masks in place of the hull of the landmarks. Faces with an outline drawn keep it: what a person drew counts more.',
  ],
  groups: [{ key: 'main', title: 'Options', flags: [whose(), xsegFlag(), workspaceFlag()] }, generalFlags],
  examples: [['dfl xseg apply --side dst', 'with the XSeg of ./workspace']],
  async run({ main = {} }, context) {
    return inWorkspace(workspaceOf(main), 'xseg apply', async (workspace) => {
      const folder = folderOf(workspace, main)
      const faces = workspace.faceset[main.side as Side]
      const faceset = await openFaceset(faces)
      const { model, state, description } = await openModel(folder, [xseg as unknown as ModelArchitecture])
      if (description.faceType !== faceset.info.faceType)
        throw new DflError(
          'FACE_TYPE_MISMATCH',
          `Expected faces as ${description.faceType}, which the XSeg in \`${folder}\` learned, but got ${faceset.info.faceType}. Extract them as that, or train an XSeg on these.`,
        )
      await using masker = await createMasker(model, state, { batchSize: 1 })
      async function* masks(all: Faceset) {
        const side = masker.resolution
        for await (const face of all.faces()) {
          if (context.signal?.aborted) return
          const picture = toPixels(await all.readImage(face))
          const fit = picture.width === side ? picture : resize(picture, { width: side, height: side })
          const [mask] = await masker.find([fit])
          // Training and DeepFaceLab take a pixel for face or not: the edge is softened where it is used.
          yield { filename: face.filename, mask: { ...mask!, data: mask!.data.map((v) => Number(v >= 0.5)) } }
        }
      }
      const { stopped, ...ended } = await followFaces(setMasks(faces, masks(faceset)), context, `masks of ${main.side}`)
      const masked = 'value' in ended ? ended.value : 0
      if (!stopped) context.terminal.result(`Masks    ${masked} faces in ${faces}`, { event: 'result', faces, masked })
      return { stopped }
    })
  },
}

/** `dfl xseg remove` */
const xsegRemoveCommand: Command = {
  name: 'xseg remove',
  summary: 'take the masks away from the faces of a side; outlines stay',
  usage: '--side <src|dst> [options]',
  about: ['Training and merging use the outlines that are drawn again, and elsewhere the hull of the landmarks.'],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        whose(),
        switchFlag('outlines', 'Take away the outlines that are drawn, and not the masks.'),
        workspaceFlag(),
      ],
    },
    generalFlags,
  ],
  examples: [
    ['dfl xseg remove --side dst', 'in ./workspace'],
    ['dfl xseg remove --side dst --outlines', "DeepFaceLab's remove labels"],
  ],
  async run({ main = {} }, context) {
    return inWorkspace(workspaceOf(main), 'xseg remove', async (workspace) => {
      const faces = workspace.faceset[main.side as Side]
      if (main.outlines) {
        await rewrite(faces, ({ polygons: _, ...face }) => face)
        context.terminal.result(`Outlines gone from ${faces}`, { event: 'result', faces })
        return { stopped: false }
      }
      const faceset = await openFaceset(faces)
      async function* none() {
        for await (const { filename, mask } of faceset.faces()) if (mask) yield { filename, mask: undefined }
      }
      const ended = await followFaces(setMasks(faces, none()), context, `masks of ${main.side} away`)
      if (!ended.stopped) context.terminal.result(`Masks    gone from ${faces}`, { event: 'result', faces })
      return { stopped: ended.stopped }
    })
  },
}

const VERBS: readonly Command[] = [xsegTrainCommand, xsegApplyCommand, xsegRemoveCommand]

/** `dfl xseg` and a verb. */
export const xsegCommand = verbsCommand({
  name: 'xseg',
  summary: 'masks that are learnt from outlines: train, apply, remove',
  about: [
    'What a person outlined on some faces teaches a network to find the face in all others, without hands, hair or glasses.',
  ],
  examples: VERBS.flatMap(({ examples }) => [...examples]),
  verbs: VERBS,
})
