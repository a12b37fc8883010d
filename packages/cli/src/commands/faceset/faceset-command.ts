import type { Command } from '../command.js'
import { verbsCommand } from '../verbs.js'
import {
  debugImagesCommand,
  exportCommand,
  exportMasksCommand,
  importCommand,
  importMasksCommand,
} from './exchange-commands.js'
import { headMasksCommand } from './head-masks-command.js'
import { infoCommand, personsCommand } from './look-commands.js'
import {
  copyCommand,
  enhanceCommand,
  mergeFacesetsCommand,
  packCommand,
  recutCommand,
  resizeCommand,
  splitCommand,
  unpackCommand,
} from './make-commands.js'
import { missingCommand, placeCommand } from './place-commands.js'
import { filterCommand, restoreCommand, restoreNamesCommand, sortCommand } from './sort-commands.js'

const VERBS: readonly Command[] = [
  infoCommand,
  sortCommand,
  filterCommand,
  restoreCommand,
  restoreNamesCommand,
  personsCommand,
  copyCommand,
  mergeFacesetsCommand,
  splitCommand,
  resizeCommand,
  recutCommand,
  enhanceCommand,
  packCommand,
  unpackCommand,
  importCommand,
  exportCommand,
  exportMasksCommand,
  importMasksCommand,
  headMasksCommand,
  missingCommand,
  placeCommand,
  debugImagesCommand,
]

/** `dfl faceset` and a verb. */
export const facesetCommand = verbsCommand({
  name: 'faceset',
  summary: 'look at faces, sort, filter, change and exchange them',
  about: ['Works on the faces that extraction has cut out. Every verb can be stopped and run again.'],
  examples: [
    ['dfl faceset info --side src', 'what SRC shows, in numbers and as a picture'],
    ['dfl faceset filter --side src', 'puts bad faces aside, with the reasons'],
    ['dfl faceset sort --side src --by blur', 'the sharpest first'],
    ['dfl faceset import --input data_src/aligned --side src', "opens DeepFaceLab's faces"],
  ],
  verbs: VERBS,
})
