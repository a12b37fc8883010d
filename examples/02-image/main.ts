import { join } from 'node:path'
import {
  boxBlur,
  createPixels,
  drawPolyline,
  fillPolygon,
  gaussianBlur,
  mosaic,
  toBitmap,
  warpAffine,
} from '@dfl/image'
import { openFrames, writeImage } from '@dfl/media'

const examples = join(import.meta.dirname, '..')
await using clip = await openFrames(join(examples, 'footage/pair1-dst.mp4'), { end: 1 })
for await (const frame of clip.frames()) {
  // [1]
  const size = { width: 192, height: 192 }
  const [scale, turn] = [0.8, Math.PI / 12]
  const [a, b] = [scale * Math.cos(turn), scale * Math.sin(turn)]
  const frameToCropMat = [a, b, 96 - a * 365 - b * 170, -b, a, 96 + b * 365 - a * 170] as const
  const crop = warpAffine(frame.bitmap, frameToCropMat, size, { interpolation: 'cubic' })

  // [2]
  const corners = [
    [96, 16],
    [170, 96],
    [96, 176],
    [22, 96],
  ] as const
  const hard = createPixels(192, 192, 1)
  fillPolygon(hard, corners)
  const soft = gaussianBlur(hard, 8)

  // [3]
  const blurred = boxBlur(crop, 7)
  const mixed = {
    ...crop,
    data: crop.data.map((v, i) => blurred.data[i]! + soft.data[Math.floor(i / 3)]! * (v - blurred.data[i]!)),
  }

  // [4]
  const outlined = { ...crop, data: crop.data.slice() }
  drawPolyline(outlined, corners, [1, 0.9, 0.2], { widthPx: 3, closed: true })

  const gray = { ...crop, data: crop.data.map((_, i) => soft.data[Math.floor(i / 3)]!) }
  const sheet = mosaic([[crop, outlined, gray, mixed]], { gapPx: 4 })
  await writeImage(join(examples, 'out/image.png'), toBitmap(sheet))
  console.log(`wrote examples/out/image.png, ${sheet.width}x${sheet.height}`)
}

// [1] Pixels of the frame → pixels of the crop: the direction stands in the name. Pixel centres are mapped, and (0, 0) is
//     the centre of the upper-left pixel. Here the point (365, 170) comes to the middle, turned by 15 degrees.
// [2] Polygons are filled by exact coverage, so their edges are smooth before any blur.
// [3] Pixels are plain data, { data, width, height, channels }: what has no function is a loop over a Float32Array.
// [4] Functions that draw or fill change their first argument, all others leave their input alone.
