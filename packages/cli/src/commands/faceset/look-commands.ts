import { basename, dirname, join } from 'node:path'
import {
  describeFaceset,
  type FacesetDescription,
  findPersons,
  openFaceset,
  poseCoverage,
  posePicture,
  type Spread,
} from '@dfl/faceset'
import { writeImage } from '@dfl/media'
import { textFlag } from '../../flags.js'
import { leftOutOf } from '../../left-out.js'
import { knownPersons, rememberPersons } from '../../persons.js'
import { type Command, generalFlags, inWorkspace, workspaceOf } from '../command.js'
import { workspaceFlag } from '../shared-flags.js'
import { followFaces } from './follow-faces.js'
import { facesetPath, placeFlags } from './place.js'

/** `dfl faceset info` */
export const infoCommand: Command = {
  name: 'faceset info',
  summary: 'what a faceset shows, in numbers and as a picture',
  usage: '--side <src|dst> [options]',
  about: [
    'Prints how many faces there are, of whom, how large, sharp and lit, and how many of every pose; and draws a picture with the best face of every pose. Empty cells are poses that a model cannot learn from it.',
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        ...placeFlags(),
        textFlag('against', 'A faceset of DST: tells which of its poses this one lacks.', { placeholder: 'path' }),
        textFlag('picture', 'Where the picture goes (default poses.png beside the faceset).', { placeholder: 'file' }),
      ],
    },
    generalFlags,
  ],
  examples: [
    ['dfl faceset info --side src', "SRC's faces of ./workspace"],
    ['dfl faceset info --side src --against workspace/dst/aligned', 'and what DST shows that SRC does not'],
  ],
  async run({ main = {} }, context) {
    const path = await facesetPath(main)
    const { against, picture = join(dirname(path), 'poses.png') } = main as { against?: string; picture?: string }
    const faceset = await openFaceset(path)
    const looked = await followFaces(describeFaceset(faceset), context, `Looking at ${basename(dirname(path))}`)
    if (looked.stopped) return { stopped: true }
    const { description, facts } = looked.value
    const title = `${path}: ${description.faces} faces of ${faceset.info.faceType} at ${faceset.info.size} px`
    await writeImage(picture, await posePicture(faceset, facts, title))
    const lines = [title, ...describe(description), `Picture      ${picture}`]
    let coverage: ReturnType<typeof poseCoverage> | undefined
    if (against !== undefined) {
      const other = await followFaces(describeFaceset(await openFaceset(against)), context, 'Looking at the other one')
      if (other.stopped) return { stopped: true }
      coverage = poseCoverage(description, other.value.description)
      lines.push(...describeCoverage(coverage))
    }
    const leftOut = leftOutOf(faceset.info, path)
    if (leftOut) lines.push(`Left out     ${leftOut}`)
    const data = { faceset: path, ...faceset.info, ...description, picture, coverage }
    context.terminal.result(lines.join('\n'), { event: 'result', ...data })
    return { stopped: false }
  },
}

function describe(description: FacesetDescription): string[] {
  const { faces, frames, framesWithSeveral, clips, persons, poses } = description
  const counts = (of: Readonly<Record<string, number>>) =>
    Object.entries(of)
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')
  const row = (label: string, { least, low, middle, high, greatest }: Spread, digits: number) =>
    `${label.padEnd(12)} ${[least, low, middle, high, greatest].map((value) => value.toFixed(digits).padStart(8)).join('')}`
  const several = framesWithSeveral > 0 ? `, ${framesWithSeveral} of them several` : ''
  const columns = poses[0]?.length ?? 0
  const yaws = Array.from({ length: columns }, (_, i) => 15 * (i - (columns - 1) / 2))
  return [
    `Frames       ${frames} show a face${several}`,
    `Clips        ${counts(clips)}`,
    `Persons      ${counts(persons) || 'not known; see dfl faceset persons'}`,
    '',
    '                least     10 %  middle    90 % greatest',
    row('Size, px', description.sizePx, 0),
    row('Sharpness', description.sharpness, 2),
    row('Brightness', description.brightness, 2),
    row('Lit from', description.lightX, 2),
    row('Mouth open', description.mouthOpening, 2),
    row('Eyes open', description.eyeOpening, 2),
    '',
    'Faces by pitch (down) and yaw (across, to the right of the image above 0), in degrees',
    `      ${yaws.map((yaw) => String(yaw).padStart(6)).join('')}`,
    ...poses.map((cells, i) => {
      const pitch = 15 * ((poses.length - 1) / 2 - i)
      return `${String(pitch).padStart(6)}${cells.map((count) => (count === 0 ? '·' : String(count)).padStart(6)).join('')}`
    }),
    '',
    ...(faces === 0 ? ['There are no faces in it.'] : []),
  ]
}

function describeCoverage({ share, missing }: ReturnType<typeof poseCoverage>): string[] {
  const list = missing
    .slice(0, 6)
    .map(({ yawDegrees, pitchDegrees, faces }) => `yaw ${yawDegrees}° pitch ${pitchDegrees}° (${faces})`)
  return [
    `Covers       ${Math.round(100 * share)} % of the other one's poses`,
    ...(list.length > 0 ? [`Missing      ${list.join(', ')}`] : []),
  ]
}

/** `dfl faceset persons` */
export const personsCommand: Command = {
  name: 'faceset persons',
  summary: 'find out who is who in all facesets of a workspace',
  usage: '[options]',
  about: [
    'Groups the faces by identity, over both sides, and calls the persons p1, p2, … by how often they are seen; names stay when it is run again. Then filter with --person, or split or copy by person.',
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        workspaceFlag(),
        textFlag('inputs', 'Folders of facesets, with commas between them, instead of a workspace.', {
          placeholder: 'paths',
        }),
      ],
    },
    generalFlags,
  ],
  examples: [['dfl faceset persons', 'both sides of ./workspace']],
  async run({ main = {} }, { terminal }) {
    const { inputs } = main as { inputs?: string }
    const find = async (folders: readonly string[], workspace?: string) => {
      const persons = await findPersons(folders, workspace ? { known: await knownPersons(workspace) } : {})
      if (workspace) await rememberPersons(workspace, persons)
      const text = persons.map(({ person, faces }) => `${person.padEnd(8)} ${String(faces).padStart(6)} faces`)
      const data = persons.map(({ person, faces }) => ({ person, faces }))
      terminal.result(text.join('\n'), { event: 'result', persons: data })
      return { stopped: false }
    }
    if (inputs !== undefined) return find(inputs.split(','))
    return inWorkspace(workspaceOf(main), 'faceset persons', async ({ faceset, folder }) => {
      const there = await Promise.all(
        Object.values(faceset).map((path) =>
          openFaceset(path).then(
            () => [path],
            () => [],
          ),
        ),
      )
      return find(there.flat().length > 0 ? there.flat() : [faceset.src], folder)
    })
  },
}
