import { join } from 'node:path'
import { createFrames, openFrames, probeVideo } from '@dfl/media'

const examples = join(import.meta.dirname, '..')
const path = join(examples, 'footage/pair1-dst.mp4')
const result = join(examples, 'out/negative.mp4')

// [1]
await using source = await openFrames(path)
await using sink = await createFrames(result, { like: source, audioFrom: path })

// [2]
const rect = { x: 220, y: 60, width: 200, height: 220 }
for await (const frame of source.frames()) {
  if (frame.timestampSeconds < 2) await sink.write(frame)
  else {
    const bitmap = { ...frame.bitmap, data: frame.bitmap.data.map((value) => 255 - value) }
    await sink.write(frame, { bitmap, rects: [rect] })
  }
  frame.close()
  if (frame.index === 95) break
}
await sink.finish()

// [3]
const { width, height, frameCount, durationSeconds, codec, audio } = await probeVideo(result)
console.log(
  `${width}x${height}, ${frameCount} frames, ${durationSeconds.toFixed(2)} s, ${codec} with ${audio[0]?.codec}`,
)

// [1] Either side may also be a folder of images: createFrames(`out/frames`, …) would write PNG files.
// [2] Frames that nobody looks at are never converted to RGB. Of changed frames only the pixels inside `rects` are
//     converted back; all others reach the encoder as the decoder gave them. Leaving the loop early closes the decoder.
// [3] The file appears only with `finish`. Times, colour tags and the sound of the source are kept.
