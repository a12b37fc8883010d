import {
  badFaces,
  FILTER_OPTIONS,
  openFaceset,
  rejectFaces,
  restoreFaces,
  restoreNames,
  SORT_METHODS,
  type SortName,
  sortFaceset,
} from '@dfl/faceset'
import { choiceFlag, countFlag, switchFlag, tableFlags, textFlag } from '../../flags.js'
import { type Command, generalFlags } from '../command.js'
import { followFaces } from './follow-faces.js'
import { placeFlags, withFaceset } from './place.js'

/** `dfl faceset sort` */
export const sortCommand: Command = {
  name: 'faceset sort',
  summary: 'put the faces in an order, so that the bad ones lie together',
  usage: '--side <src|dst> --by <method> [options]',
  about: [
    'Puts a number before the name of every face, so that a file browser shows them in this order. Delete what you do not want, or move it away; restore-names takes the numbers away again.',
  ],
  words: { title: 'Methods', list: Object.entries(SORT_METHODS).map(([name, { about }]) => [name, about]) },
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        ...placeFlags(),
        choiceFlag('by', 'What the order follows.', { choices: Object.keys(SORT_METHODS), required: true }),
        countFlag('target', 'How many faces final-by-blur and final-by-size keep (default 2000).'),
        textFlag('to', 'File name of the face that similarity compares with.', { placeholder: 'name' }),
      ],
    },
    generalFlags,
  ],
  examples: [
    ['dfl faceset sort --side src --by blur', 'the sharpest first'],
    ['dfl faceset sort --side src --by final-by-blur --target 1500', 'keeps the 1500 best faces of all poses'],
  ],
  run: ({ main = {} }, context) =>
    withFaceset(main, 'faceset sort', async (path) => {
      const { by, ...options } = main as { by: SortName; target?: number; to?: string }
      const done = await followFaces(sortFaceset(path, by, options), context, `Sorting by ${by}`)
      if (done.stopped) return { stopped: true }
      const { sorted, rejected } = done.value
      const aside = rejected > 0 ? `, ${rejected} put aside into ${path}/rejected` : ''
      context.terminal.result(`Sorted   ${sorted} faces by ${by}${aside}`, { event: 'result', by, ...done.value })
      return { stopped: false }
    }),
}

/** Tests that make sense for DST, where a face that is left out is a frame without a swap. */
const LENIENT = { minSize: 0, minSharpness: 0, maxOutside: 1, maxOccluded: 1, duplicates: 0 }

/** `dfl faceset filter` */
export const filterCommand: Command = {
  name: 'faceset filter',
  summary: 'put bad faces aside, with the reasons',
  usage: '--side <src|dst> [options]',
  about: [
    'Moves faces that are too small, blurred, cut off, occluded, of the wrong person, seen before, or whose landmarks cannot be right into the folder rejected inside the faceset. Nothing is deleted: restore brings them back.',
    'With --side dst only landmarks and person are judged unless a limit is given: every frame of DST needs its face.',
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [...placeFlags(), switchFlag('dryRun', 'Only tell what would be put aside.')],
    },
    { key: 'filter', title: 'Limits', flags: tableFlags(FILTER_OPTIONS) },
    generalFlags,
  ],
  examples: [
    ['dfl faceset filter --side src', 'with the usual limits'],
    ['dfl faceset filter --side src --person p1 --min-size 96', 'one person, only large faces'],
  ],
  run: ({ main = {}, filter = {} }, context) =>
    withFaceset(main, 'faceset filter', async (path) => {
      const limits = main.side === 'dst' ? { ...LENIENT, ...filter } : filter
      const faceset = await openFaceset(path)
      const looked = await followFaces(badFaces(faceset, limits), context, 'Looking for bad faces')
      if (looked.stopped) return { stopped: true }
      const bad = looked.value
      const counts: Record<string, number> = {}
      for (const reason of [...bad.values()].flat()) counts[reason] = (counts[reason] ?? 0) + 1
      const dryRun = main.dryRun === true
      if (!dryRun) await rejectFaces(path, bad)
      const lines = [
        `${bad.size} of ${faceset.info.count} faces ${dryRun ? 'would be put aside' : `put aside into ${path}/rejected`}`,
        ...Object.entries(counts).map(([reason, count]) => `  ${reason.padEnd(22)} ${count}`),
        ...(dryRun ? [...bad].map(([filename, reasons]) => `  ${filename}: ${reasons.join(', ')}`) : []),
      ]
      const data = { dryRun, faces: faceset.info.count, rejected: Object.fromEntries(bad), reasons: counts }
      context.terminal.result(lines.join('\n'), { event: 'result', ...data })
      return { stopped: false }
    }),
}

/** `dfl faceset restore` */
export const restoreCommand: Command = {
  name: 'faceset restore',
  summary: 'bring back faces that were put aside',
  usage: '--side <src|dst> [--reason <words>]',
  about: ['Moves faces from the folder rejected back into the faceset.'],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        ...placeFlags(),
        textFlag('reason', 'Only those that were put aside for this reason, such as blurred.', {
          placeholder: 'words',
        }),
      ],
    },
    generalFlags,
  ],
  examples: [
    ['dfl faceset restore --side src', 'all of them'],
    ['dfl faceset restore --side src --reason duplicate', 'only duplicates'],
  ],
  run: ({ main = {} }, { terminal }) =>
    withFaceset(main, 'faceset restore', async (path) => {
      const { reason } = main as { reason?: string }
      const restored = await restoreFaces(
        path,
        ({ rejected = [] }) => reason === undefined || rejected.includes(reason),
      )
      terminal.result(`Restored ${restored} faces`, { event: 'result', restored })
      return { stopped: false }
    }),
}

/** `dfl faceset restore-names` */
export const restoreNamesCommand: Command = {
  name: 'faceset restore-names',
  summary: 'give faces the names they had before sorting',
  usage: '--side <src|dst>',
  about: ['Takes away the numbers that sort put before the names, and orders the faces by their frames.'],
  groups: [{ key: 'main', title: 'Options', flags: placeFlags() }, generalFlags],
  examples: [['dfl faceset restore-names --side src', "SRC's faces of ./workspace"]],
  run: ({ main = {} }, { terminal }) =>
    withFaceset(main, 'faceset restore-names', async (path) => {
      const renamed = await restoreNames(path)
      terminal.result(`Renamed  ${renamed} faces`, { event: 'result', renamed })
      return { stopped: false }
    }),
}
