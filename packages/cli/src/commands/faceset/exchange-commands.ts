import { readdir } from 'node:fs/promises'
import { DflError, FACE_TYPES, type FaceType } from '@dfl/core'
import {
  exportDfl,
  exportMasks,
  type ImportProgress,
  importDfl,
  importFaceswap,
  importMasks,
  openFaceset,
  writeDebugImages,
} from '@dfl/faceset'
import { choiceFlag, countFlag, textFlag } from '../../flags.js'
import { openWorkspace } from '../../workspace.js'
import { type Command, generalFlags, workspaceOf } from '../command.js'
import { followFaces } from './follow-faces.js'
import { facesetPath, openToCopy, outFlag, placeFlags, withFaceset } from './place.js'

/** `dfl faceset import` */
export const importCommand: Command = {
  name: 'faceset import',
  summary: 'open a faceset of DeepFaceLab or faceswap',
  usage: '--input <path> --side <src|dst> [options]',
  about: [
    "Reads DeepFaceLab's JPEG files or a faceset.pak, with landmarks, polygons, masks and persons; pixels stay as they are. Of faceswap's PNG files it reads where the faces are, and cuts them anew from --clip.",
    'Only plain data is read from these files. Nothing in them can run.',
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        ...placeFlags('The faces: a folder of JPEG or PNG files, or a faceset.pak.').map((flag) => ({
          ...flag,
          required: flag.option === 'input',
        })),
        outFlag('Folder of the new faceset, instead of a side of the workspace.', false),
        textFlag('clip', 'The footage that the faces come from; faceswap needs it.', { placeholder: 'clip' }),
        choiceFlag('faceType', "How much of the head faceswap's faces are cut to (default full_face).", {
          choices: FACE_TYPES,
        }),
        countFlag('size', "Side of faceswap's faces, in pixels (default 256).", 16),
      ],
    },
    generalFlags,
  ],
  examples: [
    ['dfl faceset import --input data_src/aligned --side src', "DeepFaceLab's SRC becomes that of ./workspace"],
    [
      'dfl faceset import --input data_dst/aligned --side dst --clip data_dst.mp4',
      'and DST, to be merged into its clip',
    ],
  ],
  async run({ main = {} }, context) {
    const { input, side, clip } = main as Record<string, string>
    const { faceType = 'full_face', size = 256 } = main as { faceType?: FaceType; size?: number }
    const out =
      (main.out as string | undefined) ?? (side && (await openWorkspace(workspaceOf(main))).faceset[side as 'src'])
    if (!out)
      throw new DflError('BAD_OPTION', 'Expected --side src, --side dst or --out <folder>, but got none. Say where to.')
    return withFaceset({ input: out }, 'faceset import', async () => {
      const isFaceswap = await hasOnlyPng(input!)
      if (isFaceswap && clip === undefined)
        throw new DflError(
          'BAD_OPTION',
          "Expected --clip <clip> for faceswap's faces, but got none. Name the footage that they were extracted from.",
        )
      const made = isFaceswap
        ? importFaceswap(input!, out, { clip: clip!, faceType, size })
        : importDfl(input!, out, { clip })
      let left = 0
      const told = async function* (steps: AsyncGenerator<ImportProgress>) {
        for await (const step of steps) {
          if (step.problem && ++left <= 10) context.terminal.report({ event: 'warning', text: step.problem.message })
          yield step
        }
      }
      const done = await followFaces(told(made), context, 'Importing')
      if (done.stopped) return { stopped: true }
      const { count, faceType: type, size: side } = (await openFaceset(out)).info
      const note = left > 0 ? `; ${left} files were left out` : ''
      context.terminal.result(`Faceset  ${out}: ${count} faces of ${type} at ${side} px${note}`, {
        event: 'result',
        ...{ faceset: out, count, faceType: type, size: side, leftOut: left },
      })
      return { stopped: false }
    })
  },
}

async function hasOnlyPng(path: string): Promise<boolean> {
  const names = await readdir(path).catch(() => [])
  return names.some((name) => /\.png$/i.test(name)) && !names.some((name) => /\.(jpe?g|pak)$/i.test(name))
}

/** `dfl faceset export` */
export const exportCommand: Command = {
  name: 'faceset export',
  summary: 'write a faceset as DeepFaceLab reads it',
  usage: '--side <src|dst> --out <folder> [--quality <n>]',
  about: ['JPEG files that carry landmarks, polygons, masks and all else that DeepFaceLab knows.'],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        ...placeFlags(),
        outFlag('Folder of the JPEG files.'),
        countFlag('quality', 'Of JPEG, 1 to 100 (default 95). Faces that came as JPEG files stay as they are.'),
      ],
    },
    generalFlags,
  ],
  examples: [['dfl faceset export --side src --out data_src/aligned', "SRC's faces of ./workspace"]],
  async run({ main = {} }, context) {
    const { out, quality } = main as { out: string; quality?: number }
    const faceset = await openToCopy(await facesetPath(main), context)
    const done = await followFaces(exportDfl(faceset, out, { quality }), context, 'Exporting')
    if (done.stopped) return { stopped: true }
    context.terminal.result(`Exported ${faceset.info.count} faces to ${out}`, {
      event: 'result',
      out,
      faces: faceset.info.count,
    })
    return { stopped: false }
  },
}

/** `dfl faceset export-masks` */
export const exportMasksCommand: Command = {
  name: 'faceset export-masks',
  summary: 'write the masks of the faces as images',
  usage: '--side <src|dst> --out <folder>',
  about: ['Gray PNG files with the names of the faces, as training sees the masks: white is face.'],
  groups: [{ key: 'main', title: 'Options', flags: [...placeFlags(), outFlag('Folder of the masks.')] }, generalFlags],
  examples: [['dfl faceset export-masks --side src --out masks', 'to paint on them']],
  async run({ main = {} }, context) {
    const { out } = main as { out: string }
    const faceset = await openToCopy(await facesetPath(main), context)
    const done = await followFaces(exportMasks(faceset, out), context, 'Writing masks')
    if (done.stopped) return { stopped: true }
    context.terminal.result(`Masks    ${out}`, { event: 'result', out, faces: faceset.info.count })
    return { stopped: false }
  },
}

/** `dfl faceset import-masks` */
export const importMasksCommand: Command = {
  name: 'faceset import-masks',
  summary: 'give faces masks or outlines drawn elsewhere',
  usage: '--side <src|dst> --masks <folder>',
  about: [
    'Masks are images with the names of faces, white where the face is. Training uses them in place of the outline of the landmarks.',
    "Outlines are the JSON files that labelme or the VGG Image Annotator (VIA) saves: polygons and rectangles drawn on the faces' images. Those labelled 'exclude' are cut out, such as a hand; all others are face. dfl xseg train learns from them.",
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        ...placeFlags(),
        textFlag('masks', 'Folder of the images or JSON files, or one JSON file.', {
          placeholder: 'path',
          required: true,
        }),
      ],
    },
    generalFlags,
  ],
  examples: [
    ['dfl faceset import-masks --side src --masks masks', "for SRC's faces of ./workspace"],
    ['dfl faceset import-masks --side dst --masks workspace/dst/aligned', 'where labelme saves beside the images'],
  ],
  run: ({ main = {} }, context) =>
    withFaceset(main, 'faceset import-masks', async (path) => {
      const done = await followFaces(importMasks(path, main.masks as string), context, 'Reading masks')
      if (done.stopped) return { stopped: true }
      context.terminal.result(`Masks    ${done.value} faces have what was drawn`, {
        event: 'result',
        masks: done.value,
      })
      return { stopped: false }
    }),
}

/** `dfl faceset debug-images` */
export const debugImagesCommand: Command = {
  name: 'faceset debug-images',
  summary: 'draw landmarks, polygons and masks into copies',
  usage: '--side <src|dst> --out <folder>',
  about: ['What lies outside the mask is dimmed.'],
  groups: [
    { key: 'main', title: 'Options', flags: [...placeFlags(), outFlag('Folder of the pictures.')] },
    generalFlags,
  ],
  examples: [['dfl faceset debug-images --side src --out look', 'to look through them']],
  async run({ main = {} }, context) {
    const { out } = main as { out: string }
    const faceset = await openToCopy(await facesetPath(main), context)
    const done = await followFaces(writeDebugImages(faceset, out), context, 'Drawing')
    if (done.stopped) return { stopped: true }
    context.terminal.result(`Pictures ${out}`, { event: 'result', out, faces: faceset.info.count })
    return { stopped: false }
  },
}
