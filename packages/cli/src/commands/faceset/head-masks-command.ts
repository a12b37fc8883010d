import { DflError } from '@dfl/core'
import { headMask, selfieSegmenter } from '@dfl/extract'
import { type Faceset, openFaceset, setMasks } from '@dfl/faceset'
import { type Command, generalFlags } from '../command.js'
import { followFaces } from './follow-faces.js'
import { placeFlags, withFaceset } from './place.js'

/** `dfl faceset head-masks` */
export const headMasksCommand: Command = {
  name: 'faceset head-masks',
  summary: 'give heads masks that hold the hair',
  usage: '--side <src|dst> [options]',
  about: [
    'Looks where the person is in each image and takes what lies above the jaw. Extraction does so by itself: this is for heads that were imported, or whose masks were removed. Masks that faces have are replaced; outlines that are drawn count more than masks.',
  ],
  groups: [{ key: 'main', title: 'Options', flags: placeFlags('A faceset: its folder.') }, generalFlags],
  examples: [['dfl faceset head-masks --side src', "for SRC's heads of ./workspace"]],
  run: ({ main = {} }, context) =>
    withFaceset(main, 'faceset head-masks', async (path) => {
      const faceset = await openFaceset(path)
      const { faceType } = faceset.info
      if (faceType !== 'head')
        throw new DflError(
          'FACE_TYPE_MISMATCH',
          `Expected faces as head in \`${path}\`, but got ${faceType}, whose images end at the hair. Extract them with --face-type head.`,
          { data: { path, faceType } },
        )
      const done = await followFaces(setMasks(path, masksOf(faceset, context.signal)), context, 'Masks')
      if (done.stopped) return { stopped: true }
      const result = { event: 'result', faces: path, masked: done.value } as const
      context.terminal.result(`Masks    ${done.value} heads in ${path}`, result)
      return { stopped: false }
    }),
}

/** A mask for each head in which somebody is seen. */
async function* masksOf(faceset: Faceset, signal?: AbortSignal) {
  await using segmenter = await selfieSegmenter()
  for await (const face of faceset.faces()) {
    if (signal?.aborted) return
    const mask = headMask(await segmenter.segment(await faceset.readImage(face)), face)
    if (mask) yield { filename: face.filename, mask }
  }
}
