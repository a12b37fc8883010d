import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { estimatePose, imageToFaceMat } from '@dfl/align'
import { DflError, type FaceMeta, type FaceType, isDflError, type Point } from '@dfl/core'
import { applyAffineAll, warpAffine } from '@dfl/image'
import { openFrames } from '@dfl/media'
import { faceProblem } from '../face-rules.js'
import { continueFaceset } from '../operations/continue-faceset.js'
import { alignedName } from '../operations/original-names.js'
import { placeOf } from './dfl-face.js'
import type { ImportProgress } from './import-dfl.js'
import { readPngText } from './png-text.js'
import { type Literal, readLiteral } from './read-literal.js'

/** A face as the header of a PNG file of faceswap tells it. */
export interface FaceswapFace {
  /** In pixels of the frame. */
  sourceLandmarks: readonly Point[]
  sourceRect: FaceMeta['sourceRect']
  /** Name of the frame's image; frames of a clip are called 'clip_000012.png', counted from 1. */
  frameName: string
  faceIndex: number
}

/**
 * The face that the header of a PNG file of faceswap describes.
 *
 * @throws DflError `CORRUPT_FILE` when there is no such header, or it is not as it should be.
 */
export function readFaceswapHeader(png: Uint8Array, place: string): FaceswapFace {
  const refuse = (expected: string): never => {
    throw new DflError(
      'CORRUPT_FILE',
      `Expected ${expected} in the header of \`${place}\`, but got something else. It is left out.`,
      { data: { path: place } },
    )
  }
  const text = readPngText(png, 'faceswap', place) ?? refuse('a description of a face by faceswap')
  const header = readLiteral(text, place)
  const alignments = member(header, 'alignments')
  const source = member(header, 'source')
  const rows = member(alignments, 'landmarks_xy')
  const isPoints =
    Array.isArray(rows) &&
    rows.length === 68 &&
    rows.every((row) => Array.isArray(row) && row.length === 2 && row.every((value) => typeof value === 'number'))
  const sourceLandmarks = isPoints ? (rows as unknown as Point[]) : refuse('68 landmarks')
  if (!placeOf(sourceLandmarks, 'full_face', 256)) refuse('landmarks of a face')
  const [x, y, width, height] = ['x', 'y', 'w', 'h'].map((name) => {
    const value = member(alignments, name)
    return typeof value === 'number' ? value : refuse('the box of the face')
  }) as [number, number, number, number]
  const frameName = member(source, 'source_filename')
  const index = member(source, 'face_index')
  return {
    sourceLandmarks,
    sourceRect: { x, y, width: Math.max(0, width), height: Math.max(0, height) },
    frameName: typeof frameName === 'string' ? frameName : refuse('the name of the frame'),
    faceIndex: typeof index === 'number' && Number.isInteger(index) && index >= 0 ? index : 0,
  }
}

/**
 * Imports faces of faceswap: its PNG files tell where the faces are, and they are cut anew from the frames. Walk it to make
 * it work, stop it and call it again as often as you like.
 *
 * Its own aligned images are cut in another geometry; from the frames, faces come out as sharp as extraction makes them.
 *
 * @param source Folder of faceswap's PNG files.
 * @param folder Of the new faceset.
 * @param options `clip`: the video or the folder of frames that the faces were extracted from.
 * @throws DflError `NO_FACES` when nothing could be imported, with the first reason.
 */
export async function* importFaceswap(
  source: string,
  folder: string,
  { clip, faceType, size }: { clip: string; faceType: FaceType; size: number },
): AsyncGenerator<ImportProgress> {
  const names = (await readdir(source)).filter((name) => /\.png$/i.test(name)).sort()
  const faces = new Map<string, FaceswapFace[]>()
  let firstProblem: DflError | undefined
  let done = 0
  for (const name of names) {
    try {
      const face = readFaceswapHeader(await readFile(join(source, name)), join(source, name))
      const key = frameKey(face.frameName)
      faces.set(key, [...(faces.get(key) ?? []), face])
    } catch (problem) {
      if (!isDflError(problem, 'CORRUPT_FILE')) throw problem
      firstProblem ??= problem
      yield { done: ++done, total: names.length, imported: 0, problem }
    }
  }
  let imported = 0
  if (faces.size > 0) {
    const { writer, there } = await continueFaceset(
      folder,
      { operation: 'import-faceswap', faceType, size },
      { faceType, size },
    )
    await using _ = writer
    await using frames = await openFrames(clip)
    for await (const frame of frames.frames()) {
      const { name, index, timestampSeconds } = frame
      const isVideo = name.includes('#')
      const found = faces.get(isVideo ? `#${index + 1}` : name) ?? (isVideo ? undefined : faces.get(`#${index + 1}`))
      for (const { sourceLandmarks, sourceRect, faceIndex } of found ?? []) {
        const mat = imageToFaceMat(sourceLandmarks, faceType, size)
        const face: FaceMeta = {
          filename: alignedName(frame, faceIndex),
          ...{ faceType, size, sourceFilename: name, frameIndex: index, timestampSeconds, faceIndex },
          ...{ sourceLandmarks, sourceRect, imageToFaceMat: mat, score: 1 },
          landmarks: applyAffineAll(mat, sourceLandmarks),
          pose: estimatePose(sourceLandmarks),
          frameSize: { width: frame.bitmap.width, height: frame.bitmap.height },
        }
        if (faceProblem(face)) continue
        const image = () =>
          warpAffine(frame.bitmap, mat, { width: size, height: size }, { interpolation: 'cubic', border: 'replicate' })
        if (!there.has(face.filename)) await writer.add(face, image())
        imported++
        yield { done: ++done, total: names.length, imported }
      }
    }
  }
  if (imported > 0) return
  throw new DflError(
    'NO_FACES',
    `Expected PNG files of faceswap in \`${source}\` with faces of \`${clip}\`, but got none. ` +
      (firstProblem?.message ?? 'Name the clip that they were extracted from.'),
    { data: { source, clip }, cause: firstProblem },
  )
}

/** What frames are found by: '#12' for the twelfth frame of a clip, where a name tells that, else the name. */
function frameKey(frameName: string): string {
  const number = /_(\d{6,})\.\w+$/.exec(frameName)?.[1]
  return number ? `#${Number(number)}` : frameName
}

function member(value: Literal | undefined, name: string): Literal | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value[name] : undefined
}
