import { join } from 'node:path'
import { clipOf, collect, DflError, FACE_TYPES, type FaceMeta } from '@dfl/core'
import {
  copyFaces,
  enhanceFaceset,
  type Faceset,
  type FacesetProgress,
  openFaceset,
  packFaceset,
  recutFaceset,
} from '@dfl/faceset'
import { choiceFlag, countFlag, type Flag, switchFlag, textFlag } from '../../flags.js'
import { type Command, type CommandContext, generalFlags, type Outcome } from '../command.js'
import { followFaces } from './follow-faces.js'
import { copyTarget, facesetPath, openToCopy, outFlag, placeFlags, replaceFaceset, withFaceset } from './place.js'
import { superResolution } from './super-resolution.js'

const sizeFlag = (description: string): Flag => countFlag('size', description, 16)
const outOrReplace = outFlag(
  'Folder of the new faceset. Without it, it takes the place of the old one, which is kept as <name>.old.',
  false,
)

/** A command that makes a changed copy of a faceset, beside it or in its place. */
function copying(
  command: Omit<Command, 'run' | 'groups'> & { flags: readonly Flag[] },
  make: (
    faceset: Faceset,
    folder: string,
    main: Readonly<Record<string, never>>,
  ) => Promise<AsyncGenerator<FacesetProgress>>,
): Command {
  const { flags, ...described } = command
  return {
    ...described,
    groups: [{ key: 'main', title: 'Options', flags: [...placeFlags(), ...flags, outOrReplace] }, generalFlags],
    run: ({ main = {} }, context) =>
      withFaceset(main, command.name, async (path) => {
        const { folder, replaces } = copyTarget(path, main.out as string | undefined)
        const made = await make(await openToCopy(path, context), folder, main as Record<string, never>)
        const done = await followFaces(made, context, command.name)
        if (done.stopped) return { stopped: true }
        if (replaces) await replaceFaceset(path)
        return report(context, replaces ? path : folder)
      }),
  }
}

async function report({ terminal }: CommandContext, faceset: string): Promise<Outcome> {
  const { count, faceType, size } = (await openFaceset(faceset)).info
  const text = `Faceset  ${faceset}: ${count} faces of ${faceType} at ${size} px`
  terminal.result(text, { event: 'result', faceset, count, faceType, size })
  return { stopped: false }
}

/** `dfl faceset resize` */
export const resizeCommand = copying(
  {
    name: 'faceset resize',
    summary: 'scale the faces to another size',
    usage: '--side <src|dst> --size <px> [--out <folder>]',
    about: ['Landmarks, polygons and masks follow. It goes on where it was stopped.'],
    flags: [{ ...sizeFlag('Side of the new aligned images, in pixels.'), required: true }],
    examples: [['dfl faceset resize --side src --size 256', 'the old faces stay in src/aligned.old']],
  },
  async (faceset, folder, { size }) => recutFaceset(faceset, folder, { size }),
)

/** `dfl faceset recut` */
export const recutCommand = copying(
  {
    name: 'faceset recut',
    summary: 'cut the faces again, to a tighter face type',
    usage: '--side <src|dst> --face-type <type> [--size <px>] [--out <folder>]',
    about: ['A wider face type needs the footage: extract again.'],
    flags: [
      choiceFlag('faceType', 'How much of the head the new aligned images show.', {
        choices: FACE_TYPES,
        required: true,
      }),
      sizeFlag('Side of the new aligned images, in pixels; as before if not given.'),
    ],
    examples: [['dfl faceset recut --side src --face-type full_face --out tight', 'whole_face becomes full_face']],
  },
  async (faceset, folder, { faceType, size }) => recutFaceset(faceset, folder, { faceType, size }),
)

/** `dfl faceset enhance` */
export const enhanceCommand = copying(
  {
    name: 'faceset enhance',
    summary: 'make faces finer with a super-resolution network',
    usage: '--side <src|dst> --network <file.onnx> [options]',
    about: [
      'The network is an ONNX file with one input, RGB 0..1 of [1, 3, H, W], and one output, the same picture 2, 3 or 4 times as large. None comes with this program.',
    ],
    flags: [
      textFlag('network', 'The ONNX file.', { placeholder: 'file', required: true }),
      countFlag('tileSize', 'Side of the pieces that the network is given, in pixels; whole faces if not given.'),
      sizeFlag('Side of the new aligned images, in pixels; as before if not given.'),
    ],
    examples: [['dfl faceset enhance --side src --network x4.onnx --tile-size 192', 'in pieces of 192 px']],
  },
  async (faceset, folder, { network, tileSize, size }) => {
    const { enhance, name } = await superResolution(network)
    const made = enhanceFaceset(faceset, folder, enhance, { name, tileSize, size })
    return (async function* () {
      await using _ = enhance
      yield* made
    })()
  },
)

/** Flags of which faces to take. */
const CHOICE: Flag[] = [
  textFlag('person', 'Only this person, as persons calls them.', { placeholder: 'name' }),
  textFlag('clip', 'Only faces of this clip, as info lists it.', { placeholder: 'name' }),
  countFlag('minSize', 'Only faces at least so large in their frames, in pixels.'),
  countFlag('maxYaw', 'Only faces turned at most so far, in degrees.'),
  countFlag('everyNth', 'Only the faces of every so many frames.'),
  switchFlag('outlined', 'Only faces that have an outline drawn.'),
]

interface Choice {
  person?: string
  clip?: string
  minSize?: number
  maxYaw?: number
  everyNth?: number
  outlined?: boolean
}

const wantedBy =
  ({ person, clip, minSize = 0, maxYaw = 180, everyNth = 1, outlined = false }: Choice) =>
  (face: FaceMeta): boolean =>
    (person === undefined || face.person === person) &&
    (clip === undefined || nameOfClip(face) === clip) &&
    Math.min(face.sourceRect.width, face.sourceRect.height) >= minSize &&
    (maxYaw >= 180 || Math.abs(face.pose?.yawDegrees ?? 0) <= maxYaw) &&
    face.frameIndex % everyNth === 0 &&
    (!outlined || face.polygons !== undefined)

/** As `faceset info` lists it. */
const nameOfClip = (face: FaceMeta) => clipOf(face) || 'images'

/** `dfl faceset copy` */
export const copyCommand: Command = {
  name: 'faceset copy',
  summary: 'copy the faces that you want into a new faceset',
  usage: '--side <src|dst> --out <folder> [options]',
  about: ['Images are copied byte by byte. It goes on where it was stopped.'],
  groups: [
    { key: 'main', title: 'Options', flags: [...placeFlags(), outFlag('Folder of the new faceset.'), ...CHOICE] },
    generalFlags,
  ],
  examples: [['dfl faceset copy --side src --person p1 --every-nth 3 --out p1', 'a third of the faces of p1']],
  async run({ main = {} }, context) {
    const { out, side: _, input: __, workspace: ___, ...choice } = main as Choice & Record<string, string>
    const from = [await openToCopy(await facesetPath(main), context)]
    const recipe = { operation: 'copy', ...choice }
    const made = copyFaces(from, out!, { recipe, wanted: wantedBy(choice) })
    const done = await followFaces(made, context, 'Copying')
    return done.stopped ? { stopped: true } : report(context, out!)
  },
}

/** `dfl faceset merge` */
export const mergeFacesetsCommand: Command = {
  name: 'faceset merge',
  summary: 'put several facesets together into a new one',
  usage: '--inputs <a,b,…> --out <folder>',
  about: ['They must be of one face type and size: see recut and resize.'],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        textFlag('inputs', 'Folders or packed files, with commas between them.', {
          placeholder: 'paths',
          required: true,
        }),
        outFlag('Folder of the new faceset.'),
      ],
    },
    generalFlags,
  ],
  examples: [['dfl faceset merge --inputs one,two.zip --out both', 'a folder and a packed file']],
  async run({ main = {} }, context) {
    const { inputs, out } = main as { inputs: string; out: string }
    const paths = inputs.split(',')
    const from = await Promise.all(paths.map((path) => openToCopy(path, context)))
    const made = copyFaces(from, out, { recipe: { operation: 'merge', inputs: paths } })
    const done = await followFaces(made, context, 'Merging')
    return done.stopped ? { stopped: true } : report(context, out)
  },
}

/** `dfl faceset split` */
export const splitCommand: Command = {
  name: 'faceset split',
  summary: 'make a faceset of each person, or of each clip',
  usage: '--side <src|dst> --by <person|clip> --out <folder>',
  about: ['Writes folders with the names of the persons or clips into one folder. It goes on where it was stopped.'],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        ...placeFlags(),
        choiceFlag('by', 'What the faces of one part have in common.', { choices: ['person', 'clip'], required: true }),
        outFlag('Folder of the new facesets.'),
      ],
    },
    generalFlags,
  ],
  examples: [['dfl faceset split --side src --by person --out people', 'people/p1, people/p2, …']],
  async run({ main = {} }, context) {
    const { by, out } = main as { by: 'person' | 'clip'; out: string }
    const path = await facesetPath(main)
    const faceset = await openToCopy(path, context)
    const keyOf = (face: FaceMeta) => (by === 'person' ? (face.person ?? 'unknown') : nameOfClip(face))
    const faces = await collect(faceset.faces())
    if (by === 'person' && faces.length > 0 && faces.every(({ person }) => person === undefined))
      throw new DflError(
        'BAD_STATE',
        `Expected faces whose persons are known for \`--by person\`, but got ${faces.length} of nobody known in \`${path}\`. Run first: ${findingPersons(main, path)}`,
        { data: { path } },
      )
    const keys = [...new Set(faces.map(keyOf))].sort()
    const made: string[] = []
    for (const key of keys) {
      const name = key.replace(/[^\p{L}\p{N}._-]+/gu, '_').replace(/^\.+/, '_')
      if (made.includes(name))
        throw new DflError(
          'BAD_STATE',
          `Expected names that make different folders, but got '${name}' twice. Rename one.`,
        )
      const wanted = (face: FaceMeta) => keyOf(face) === key
      const parts = copyFaces([faceset], join(out, name), { recipe: { operation: 'split', by, key }, wanted })
      const done = await followFaces(parts, context, `Copying ${key}`)
      if (done.stopped) return { stopped: true }
      made.push(name)
    }
    const lines = made.map((name) => `Faceset  ${join(out, name)}`)
    context.terminal.result(lines.join('\n'), { event: 'result', facesets: made.map((name) => join(out, name)) })
    return { stopped: false }
  },
}

/** The command that tells who is who in the faceset that a command line means. */
function findingPersons({ side, workspace }: Readonly<Record<string, unknown>>, path: string): string {
  if (side === undefined) return `dfl faceset persons --inputs ${path}`
  return `dfl faceset persons${workspace === undefined ? '' : ` --workspace ${workspace}`}`
}

/** `dfl faceset pack` */
export const packCommand: Command = {
  name: 'faceset pack',
  summary: 'put a faceset into one file',
  usage: '--side <src|dst> --out <file.zip>',
  about: [
    'The file is an ordinary ZIP archive. Everything that reads a faceset reads it as it is, but changes need a folder.',
  ],
  groups: [
    { key: 'main', title: 'Options', flags: [...placeFlags(), outFlag('The file, such as faces.zip.')] },
    generalFlags,
  ],
  examples: [['dfl faceset pack --side src --out faces.zip', "SRC's faces of ./workspace"]],
  async run({ main = {} }, context) {
    const { out } = main as { out: string }
    const made = packFaceset(await openToCopy(await facesetPath(main), context), out)
    const done = await followFaces(made, context, 'Packing')
    return done.stopped ? { stopped: true } : report(context, out)
  },
}

/** `dfl faceset unpack` */
export const unpackCommand: Command = {
  name: 'faceset unpack',
  summary: 'make a folder of a packed faceset',
  usage: '--input <file.zip> --out <folder>',
  about: ['To train on it, unpack it to src/aligned of a workspace. It goes on where it was stopped.'],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        textFlag('input', 'The packed file.', { placeholder: 'file', required: true }),
        outFlag('Folder of the new faceset.'),
      ],
    },
    generalFlags,
  ],
  examples: [['dfl faceset unpack --input faces.zip --out workspace/src/aligned', 'as SRC of ./workspace']],
  async run({ main = {} }, context) {
    const { input, out } = main as { input: string; out: string }
    const made = copyFaces([await openToCopy(input, context)], out, { recipe: { operation: 'unpack' } })
    const done = await followFaces(made, context, 'Unpacking')
    return done.stopped ? { stopped: true } : report(context, out)
  },
}
