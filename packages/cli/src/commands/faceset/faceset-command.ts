import { DflError } from '@dfl/core'
import type { Flag } from '../../flags.js'
import { type Command, generalFlags } from '../command.js'
import {
  debugImagesCommand,
  exportCommand,
  exportMasksCommand,
  importCommand,
  importMasksCommand,
} from './exchange-commands.js'
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
  debugImagesCommand,
]

const shortName = ({ name }: Command) => name.replace(/^faceset /, '')

/** Every flag of the verbs once, without those that all commands have. */
function flagsOfAll(): Flag[] {
  const general = new Set(generalFlags.flags.map(({ name }) => name))
  const flags = new Map<string, Flag>()
  for (const { groups } of VERBS)
    for (const flag of groups.flatMap((group) => group.flags))
      if (!general.has(flag.name)) flags.set(flag.name, { ...flag, required: false })
  return [...flags.values()]
}

/** `dfl faceset` and a verb. */
export const facesetCommand: Command = {
  name: 'faceset',
  summary: 'look at faces, sort, filter, change and exchange them',
  usage: '<verb> [options]',
  about: ['Works on the faces that extraction has cut out. Every verb can be stopped and run again.'],
  groups: [
    {
      key: 'verbs',
      title: 'Options of the verbs',
      flags: flagsOfAll(),
      toldBy: 'dfl faceset <verb> --help',
    },
    generalFlags,
  ],
  examples: [
    ['dfl faceset info --side src', 'what SRC shows, in numbers and as a picture'],
    ['dfl faceset filter --side src', 'puts bad faces aside, with the reasons'],
    ['dfl faceset sort --side src --by blur', 'the sharpest first'],
    ['dfl faceset import --input data_src/aligned --side src', "opens DeepFaceLab's faces"],
  ],
  verbs: VERBS,
  async run() {
    const names = VERBS.map(shortName).join(', ')
    throw new DflError(
      'BAD_OPTION',
      `Expected one of ${names} after \`dfl faceset\`, but got nothing. Choose one of them.`,
    )
  },
}
