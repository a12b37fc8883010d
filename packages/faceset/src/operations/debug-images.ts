import { basename, extname, join } from 'node:path'
import { type FaceMeta, mapConcurrent } from '@dfl/core'
import { drawPoints, drawPolyline, toPixels } from '@dfl/image'
import { writeImage } from '@dfl/media'
import { faceMask } from '../face-mask.js'
import type { Faceset } from '../faceset.js'
import type { FacesetProgress } from '../pack/pack-faceset.js'

/**
 * Writes pictures of the faces with landmarks (green), hand-drawn shapes (yellow included, red excluded) and what lies
 * outside the mask dimmed. Walk it to make it work.
 *
 * @param out Folder of the pictures: JPEG files with the names of the faces.
 */
export async function* writeDebugImages(faceset: Faceset, out: string): AsyncGenerator<FacesetProgress> {
  const total = faceset.info.count
  const write = async (face: FaceMeta) => {
    const picture = toPixels(await faceset.readImage(face))
    const mask = faceMask(face, { mask: await faceset.readMask(face) })
    for (let i = 0; i < picture.data.length; i++) picture.data[i]! *= 0.4 + 0.6 * mask.data[Math.floor(i / 3)]!
    for (const { kind, points } of face.polygons ?? [])
      drawPolyline(picture, points, kind === 'include' ? [1, 0.86, 0] : [1, 0.15, 0.15], { closed: true })
    drawPoints(picture, face.landmarks, [0, 1, 0], Math.max(1, face.size / 200))
    const name = `${basename(face.filename, extname(face.filename))}.jpg`
    await writeImage(join(out, name), picture, { quality: 90 })
  }
  let done = 0
  for await (const _ of mapConcurrent(faceset.faces(), write, 4)) yield { done: ++done, total }
}
