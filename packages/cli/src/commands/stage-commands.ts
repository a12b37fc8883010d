import { DflError, type Side } from '@dfl/core'
import { loadConfig } from '../config.js'
import { settleConsent } from '../consent.js'
import { choiceFlag, switchFlag, textFlag } from '../flags.js'
import { COMPARISONS } from '../merge-extras.js'
import type { MergeJob } from '../merge-job.js'
import { describeSeal } from '../provenance.js'
import { extractStage } from '../stages/extract.js'
import { mergeStage } from '../stages/merge.js'
import { previewMergeStage } from '../stages/preview-merge.js'
import { type Command, follow, generalFlags, inWorkspace, workspaceOf } from './command.js'
import { extractGroups, mergeGroups, mergeJobOf } from './flag-groups.js'
import { provenanceGroup, provenanceJobOf } from './provenance-commands.js'
import { clipsFlag, configFlag, deviceFlag, dstClipFlag, resultFlag, sideFlag, workspaceFlag } from './shared-flags.js'

interface MainFlags {
  preview?: string
  watch?: boolean
  workspace?: string
  config?: string
}

/** `dfl extract` */
export const extractCommand: Command = {
  name: 'extract',
  summary: 'find the faces of a clip and cut them out, aligned',
  usage: '--side <src|dst> --input <clip…> [options]',
  about: [
    'Writes the faces to <workspace>/src/aligned or <workspace>/dst/aligned, with their landmarks in faces.jsonl. Stopped at any moment, the same command goes on where it was.',
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        sideFlag('src gives the face, dst the performance and the frames.'),
        clipsFlag('input', 'A video, a folder of images, or an image; or several.', true),
        workspaceFlag(),
      ],
    },
    ...extractGroups(),
    generalFlags,
  ],
  examples: [
    ['dfl extract --side src --input a.mp4', 'extracts the faces of a.mp4 into ./workspace'],
    ['dfl extract --side src --input a.mp4 photos c.mov', 'later: also those of two more'],
    ['dfl extract --side dst --input b.mp4 --debug-folder look', 'also draws what was found into every frame'],
  ],
  async run({ main = {}, extract = {} }, { terminal, signal }) {
    const folder = workspaceOf(main)
    const { side, input } = main as { side: Side; input: readonly string[] }
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

/** `dfl merge` */
export const mergeCommand: Command = {
  name: 'merge',
  summary: "put the swapped faces back into DST's frames",
  usage: '[--input <clip>] [--out <file>] [options]',
  about: [
    "Writes DST's clip with SRC's face: same length, size and timing, sound copied bit for bit. A name without a video's ending makes a folder of images. The result says in a signed manifest (C2PA) and in XMP that it is synthetic; dfl verify reads it.",
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        dstClipFlag(),
        switchFlag('otherFootage', "Take --input even if it does not show what DST's faces show."),
        resultFlag(),
        textFlag('settings', 'Settings of single shots and frames (default <workspace>/merge.json, if it is there).', {
          placeholder: 'file',
        }),
        textFlag('frames', 'Merge these frames only, such as 120-240; several stretches need a folder.', {
          placeholder: 'frames',
          calledBy: ['only'],
        }),
        textFlag('stills', 'Also write these frames as PNG, such as 10,300.', { placeholder: 'frames' }),
        choiceFlag('compare', 'Also write a video of DST and the result together.', { choices: COMPARISONS }),
        textFlag('package', 'Also write face, mask and matrices for a compositor.', { placeholder: 'folder' }),
        textFlag('preview', 'Only show these frames, beside DST, in <workspace>/preview.', {
          placeholder: 'frames',
          calledBy: ['index', 'start'],
        }),
        switchFlag('watch', 'Stay, and show them again whenever the file of settings changes.'),
        switchFlag('again', 'Make the result again though nothing has changed.'),
        deviceFlag(),
        configFlag(),
        workspaceFlag(),
      ],
    },
    ...mergeGroups,
    provenanceGroup,
    generalFlags,
  ],
  examples: [
    ['dfl merge --input b.mp4 --out c.mp4', 'the swap, with the usual settings'],
    ['dfl merge --out c.mp4 --erode 10 --blur 30', 'a smaller mask with a softer edge'],
    ['dfl merge --out c.mkv --codec ffv1', 'lossless, for further editing'],
    ['dfl merge --frames 120-240 --compare side-by-side', 'a piece, beside DST'],
  ],
  async run({ main = {}, merge = {}, ...given }, { terminal, signal }) {
    const {
      workspace: _,
      config: file,
      ...asked
    } = main as Omit<MergeJob, 'options' | 'xseg' | 'provenance'> & MainFlags
    const config = await loadConfig(file)
    return inWorkspace(workspaceOf(main), 'merge', async (workspace) => {
      const { preview, watch } = asked
      if (watch && preview === undefined)
        throw new DflError('BAD_OPTION', 'Expected frames for `--preview`, but got only --watch. Name frames to watch.')
      if (preview !== undefined) {
        const job = { ...asked, ...mergeJobOf(merge), preview }
        const pictures = await follow(previewMergeStage(workspace, job, { signal, config }), terminal)
        terminal.result(pictures.map((path) => `Preview  ${path}`).join('\n'), { event: 'result', pictures })
        return { stopped: signal?.aborted ?? false }
      }
      const { consent, provenance } = provenanceJobOf(given.provenance)
      const note = await settleConsent(workspace, { file: consent, terminal, signal })
      const job = { ...asked, ...mergeJobOf(merge), provenance }
      const { stopped, ...result } = await follow(mergeStage(workspace, job, { signal, config }), terminal)
      const lines = [
        `Result   ${result.result}`,
        ...(result.provenance ? [`         ${describeSeal(result.provenance)}`] : []),
        ...result.extras.map((path) => `         ${path}`),
        ...(result.report ? [`Report   ${result.report.html}`] : []),
      ]
      if (!stopped) terminal.result(lines.join('\n'), { event: 'result', ...result })
      if (!stopped && note) terminal.say(note)
      return { stopped }
    })
  },
}
