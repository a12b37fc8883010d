import { basename, extname, join } from 'node:path'
import { clipOf, DflError } from '@dfl/core'
import { type DrawnFace, placeFaces } from '@dfl/extract'
import { openFaceset, readOutlines } from '@dfl/faceset'
import { openFrames, writeImage } from '@dfl/media'
import { countFlag, textFlag } from '../../flags.js'
import { type DstClip, dstClipOf } from '../../merge-job.js'
import { openWorkspace, type Workspace } from '../../workspace.js'
import { type Command, generalFlags, workspaceOf } from '../command.js'
import { dstClipFlag, workspaceFlag } from '../shared-flags.js'
import { followFaces } from './follow-faces.js'
import { outFlag, withFaceset } from './place.js'

/** `dfl faceset missing` */
export const missingCommand: Command = {
  name: 'faceset missing',
  summary: 'write the frames of DST without a face, to draw boxes on',
  usage: '--out <folder> [options]',
  about: [
    'Frames whose faces were deleted or put aside are among them. Draw a rectangle around each face, from brows to chin, in labelme or VIA, and read them in with dfl faceset place.',
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        outFlag('Folder of the pictures.'),
        dstClipFlag(),
        countFlag(
          'everyNth',
          'Of frames in a row without a face, the first, the last, and every so many between (default 1).',
        ),
        workspaceFlag(),
      ],
    },
    generalFlags,
  ],
  examples: [['dfl faceset missing --out missing --every-nth 10', 'faces are looked for between two boxes, too']],
  async run({ main = {} }, context) {
    const { out, input, everyNth = 1 } = main as { out: string; input?: string; everyNth?: number }
    const workspace = await openWorkspace(workspaceOf(main))
    const clip = await dstClipOf(workspace, input === undefined ? {} : { input })
    const done = await followFaces(writeMissing(workspace, clip, { out, everyNth }), context, 'Looking for frames')
    if (done.stopped) return { stopped: true }
    const { missing, pictures } = done.value
    context.terminal.result(`Pictures ${pictures} of ${missing} frames without a face in ${out}`, {
      event: 'result',
      ...{ out, missing, pictures },
    })
    return { stopped: false }
  },
}

async function* writeMissing(
  workspace: Workspace,
  { path, known }: DstClip,
  { out, everyNth }: { out: string; everyNth: number },
) {
  const there = new Set<number>()
  for await (const face of (await openFaceset(workspace.faceset.dst)).faces())
    if (clipOf(face) === (known?.name ?? '')) there.add(face.frameIndex)
  await using clip = await openFrames(path)
  const total = clip.info.frameCount
  let [missing, pictures, row] = [0, 0, 0]
  for await (const frame of clip.frames()) {
    using _ = frame
    const { index } = frame
    row = there.has(index) ? 0 : row + 1
    if (row > 0) missing++
    const isLast = there.has(index + 1) || index === total - 1
    if (row > 0 && ((row - 1) % everyNth === 0 || isLast)) {
      const stem = basename(path, extname(path))
      await writeImage(join(out, `${stem}_${String(index).padStart(6, '0')}.png`), frame.bitmap)
      pictures++
    }
    yield { done: index + 1, total }
  }
  return { missing, pictures }
}

/** `dfl faceset place` */
export const placeCommand: Command = {
  name: 'faceset place',
  summary: 'add faces of DST that were not found, where boxes are drawn',
  usage: '--boxes <folder> [options]',
  about: [
    'Boxes are rectangles or polygons that labelme or the VGG Image Annotator (VIA) saved, drawn on the pictures of dfl faceset missing. Landmarks are read inside them, and on the way from one box to the next in the frames between that have no face.',
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        textFlag('boxes', 'Folder of the JSON files, or one JSON file.', { placeholder: 'path', required: true }),
        dstClipFlag(),
        workspaceFlag(),
      ],
    },
    generalFlags,
  ],
  examples: [['dfl faceset place --boxes missing', 'where labelme saves beside the pictures']],
  run: ({ main = {} }, context) =>
    withFaceset({ ...main, input: undefined, side: 'dst' }, 'faceset place', async (folder) => {
      const { boxes, input } = main as { boxes: string; input?: string }
      const { path, known } = await dstClipOf(
        await openWorkspace(workspaceOf(main)),
        input === undefined ? {} : { input },
      )
      const drawn = await drawnFaces(boxes, path)
      const named = known?.name === undefined ? {} : { sourceName: known.name }
      const done = await followFaces(placeFaces(path, folder, drawn, named), context, 'Placing faces')
      if (done.stopped) return { stopped: true }
      const { faces, unseen } = done.value
      if (unseen.length > 0)
        context.terminal.report({
          event: 'warning',
          text: `No face is seen in the boxes of frames ${unseen.slice(0, 8).join(', ')}${unseen.length > 8 ? ' and more' : ''}: draw them from brows to chin.`,
        })
      context.terminal.result(`Faces    ${faces} added to ${folder}`, { event: 'result', folder, faces, unseen })
      return { stopped: false }
    }),
}

/** The boxes around what was drawn on pictures that are named as `faceset missing` names them. */
async function drawnFaces(boxes: string, clip: string): Promise<DrawnFace[]> {
  await using source = await openFrames(clip)
  const { width, height } = source.info
  const drawn: DrawnFace[] = []
  for (const { stem, polygons, imageSize } of await readOutlines(boxes)) {
    const index = Number(/_(\d{6,9})$/.exec(stem)?.[1] ?? Number.NaN)
    if (!Number.isSafeInteger(index)) continue
    const [sx, sy] = imageSize ? [width / imageSize.width, height / imageSize.height] : [1, 1]
    for (const { kind, points } of polygons) {
      if (kind === 'exclude') continue
      const xs = points.map(([x]) => x * sx)
      const ys = points.map(([, y]) => y * sy)
      const [x, y] = [Math.min(...xs), Math.min(...ys)]
      drawn.push({ frameIndex: index, rect: { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y } })
    }
  }
  if (drawn.length > 0) return drawn
  throw new DflError(
    'NO_SUCH_FILE',
    `Expected boxes of labelme or the VGG Image Annotator on pictures of dfl faceset missing in \`${boxes}\`, but got none. Draw a rectangle around each face, and keep the pictures' names.`,
    { data: { boxes } },
  )
}
