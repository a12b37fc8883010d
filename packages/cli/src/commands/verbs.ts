import { DflError } from '@dfl/core'
import type { Flag } from '../flags.js'
import { type Command, generalFlags } from './command.js'

type Chosen = Pick<Command, 'name' | 'summary' | 'about' | 'examples'> & { verbs: readonly Command[] }

/** A command that does nothing but choose one of its verbs: `dfl faceset` and what follows it. */
export function verbsCommand(command: Chosen): Command {
  const { name, verbs } = command
  return {
    ...command,
    usage: '<verb> [options]',
    groups: [
      {
        key: 'verbs',
        title: 'Options of the verbs',
        flags: flagsOfAll(verbs),
        toldBy: `dfl ${name} <verb> --help`,
      },
      generalFlags,
    ],
    async run() {
      const names = verbs.map((verb) => verb.name.slice(name.length + 1)).join(', ')
      throw new DflError(
        'BAD_OPTION',
        `Expected one of ${names} after \`dfl ${name}\`, but got nothing. Choose one of them.`,
      )
    },
  }
}

/** Every flag of the verbs once, without those that all commands have. */
function flagsOfAll(verbs: readonly Command[]): Flag[] {
  const general = new Set(generalFlags.flags.map(({ name }) => name))
  const flags = new Map<string, Flag>()
  for (const flag of verbs.flatMap(({ groups }) => groups.flatMap((group) => group.flags)))
    if (!general.has(flag.name)) flags.set(flag.name, { ...flag, required: false })
  return [...flags.values()]
}
