// A program for crash.test.ts: writes two faces a frame until it is killed, and says how far it has come.
import { parentPort } from 'node:worker_threads'
import { createFaceset } from '../src/create-faceset.js'
import { syntheticFace, syntheticImage } from './synthetic-data.js'

const writer = await createFaceset(process.argv[2], { faceType: 'whole_face', size: 64 })
const done = writer.done('clip.mp4')
for (let frame = 0; ; frame++) {
  if (!done.has(frame)) {
    const face = (faceIndex: number) => ({
      ...syntheticFace(frame),
      filename: `${String(frame).padStart(6, '0')}_${faceIndex}.png`,
      faceIndex,
    })
    await Promise.all([0, 1].map((i) => writer.add(face(i), syntheticImage(frame * 2 + i))))
    await writer.frameDone('clip.mp4', frame)
  }
  parentPort?.postMessage(frame)
  process.send?.(frame)
}
