import { DEVICES } from '@dfl/engine'
import { choiceFlag, countFlag, durationFlag, type Flag, switchFlag, textFlag } from '../flags.js'
import { PRESETS } from '../presets.js'
import { USUAL_WORKSPACE } from './command.js'

/** The flag that names the workspace. */
export const workspaceFlag = (usual = USUAL_WORKSPACE): Flag =>
  textFlag('workspace', `Folder of faces, model and previews (default ${usual}).`, { placeholder: 'folder' })

/** The flag for a file with architectures, losses and recipes of the user's own. */
export const configFlag = (): Flag =>
  textFlag('config', 'Things of your own (default dfl.config.mjs or .ts).', { placeholder: 'file' })

/** The flag that says where a model trains and paints. */
export const deviceFlag = (): Flag =>
  choiceFlag('device', 'Where the model runs (default cpu); see dfl doctor.', {
    choices: [...DEVICES, 'auto'],
  })

/** The flags for how long a model is trained, which every sitting counts towards. */
export const lengthFlags = (usual?: string): Flag[] => [
  durationFlag('time', `Training time in all, such as 90s, 10m or 1h30m${usual ? ` (default ${usual})` : ''}.`),
  countFlag('iterations', 'Iterations in all; with --time, whichever ends first.'),
]

/** The flag for a network and its recipe. */
export const presetFlag = (): Flag =>
  choiceFlag('preset', 'Network and recipe; by the training time if not given.', {
    choices: PRESETS.map(({ name }) => name),
  })

/** The flag against the weights that a new model starts from. */
export const fromScratchFlag = (): Flag =>
  switchFlag('fromScratch', 'Start from random weights, not those of rendered heads.')

/** The flag that says which side is meant. */
export const sideFlag = (description: string, required = true): Flag =>
  choiceFlag('side', description, { choices: ['src', 'dst'], required })

/** The flag for the folder of a trained XSeg. */
export const xsegFlag = (): Flag =>
  textFlag('xseg', 'Folder of the XSeg (default <workspace>/xseg).', { placeholder: 'folder' })

/** The flag for the clip of DST that is meant. */
export const dstClipFlag = (): Flag =>
  textFlag('input', "DST's clip; the one whose faces were extracted if not given, where it is only one.", {
    placeholder: 'clip',
  })

/** The flag for footage of one side, of which there may be several clips. */
export const clipsFlag = (option: string, description: string, required = false): Flag =>
  textFlag(option, description, { placeholder: 'clip…', required, repeats: true })

/** The flag for the swapped video. */
export const resultFlag = (): Flag =>
  textFlag('out', 'The result (default <workspace>/result.mp4).', { placeholder: 'file' })
