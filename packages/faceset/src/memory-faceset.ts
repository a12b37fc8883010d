import { type Bitmap, DflError, type FaceMeta, type FaceType } from '@dfl/core'
import { alignedPng } from './aligned-png.js'
import type { Faceset } from './faceset.js'

/**
 * A faceset of images that are in memory already, for tests and for pipelines that need no disk.
 *
 * @param faces One face type and size for all.
 * @param images The aligned images in the order of `faces`, [size, size, 3].
 * @param masks The masks that faces name, [M, M, 1].
 * @throws DflError `NO_FACES` when there are none, `BAD_SHAPE` when counts, sizes or face types do not agree.
 */
export function memoryFaceset(
  faces: readonly FaceMeta[],
  images: readonly Bitmap[],
  masks: Readonly<Record<string, Bitmap>> = {},
): Faceset {
  const [first] = faces
  if (!first)
    throw new DflError(
      'NO_FACES',
      'Expected at least one face for `faces`, but got none. Pass faces with their images.',
    )
  if (faces.length !== images.length)
    throw new DflError(
      'BAD_SHAPE',
      `Expected ${faces.length} images for \`images\`, but got ${images.length}. Pass one image for each face.`,
    )
  const byName = new Map<string, Bitmap>()
  faces.forEach((face, i) => {
    const { width, height, channels } = images[i]
    if (face.faceType !== first.faceType || face.size !== first.size)
      throw new DflError(
        'BAD_SHAPE',
        `Expected faces of ${first.faceType} at ${first.size} px for \`faces\`, but got ${describe(face)}. ` +
          'Make one faceset for each face type and size.',
      )
    if (width !== face.size || height !== face.size || channels !== 3)
      throw new DflError(
        'BAD_SHAPE',
        `Expected ${face.size} x ${face.size} pixels of 3 channels for the image of '${face.filename}', ` +
          `but got ${width} x ${height} of ${channels}. Pass the aligned image.`,
      )
    byName.set(face.filename, images[i])
  })
  if (byName.size < faces.length)
    throw new DflError(
      'BAD_SHAPE',
      `Expected a file name of its own for each face, but got ${byName.size} names for ${faces.length} faces. Rename them.`,
    )
  const snapshot = [...faces]
  const imageOf = (face: Pick<FaceMeta, 'filename'>) => {
    const image = byName.get(face.filename)
    if (image) return image
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected a face of this faceset for \`face\`, but got '${face.filename}', which it does not list. ` +
        'Pass a face that came from this faceset.',
    )
  }
  return {
    info: {
      count: snapshot.length,
      faceType: first.faceType as FaceType,
      size: first.size,
      sources: [],
      damagedLines: 0,
      missingImages: 0,
    },
    async *faces() {
      yield* snapshot
    },
    all: async () => [...snapshot],
    readImage: async (face) => imageOf(face),
    readFile: async (face) => alignedPng(imageOf(face)),
    async readMask({ mask }) {
      if (mask === undefined) return undefined
      if (masks[mask]) return masks[mask]
      throw new DflError(
        'NO_SUCH_FILE',
        `Expected a mask of this faceset for \`mask\`, but got '${mask}'. Pass it with the faces.`,
      )
    },
    framesDone: () => new Map(),
  }
}

const describe = (face: FaceMeta) => `'${face.filename}' of ${face.faceType} at ${face.size} px`
