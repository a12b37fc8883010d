import { type Bitmap, DflError } from '@dfl/core'
import { beforeOf, whole } from './folder-sink.js'
import type { Frame } from './frame.js'
import type { FrameChange } from './frame-sink.js'
import type { ImageSamples } from './image-samples.js'
import type { AvFrame, Libav } from './libav.js'
import { type Painting, paintRects } from './paint-rects.js'
import type { PicturePool, RoomForPicture } from './picture-pool.js'
import type { Planes } from './planes.js'
import { planesToWords, toWords } from './planes-to-words.js'
import type { Tone } from './tone.js'
import { turn, turnBack, turnRect } from './turn.js'
import type { Encoder } from './video-encoder.js'
import { convert, kindOf, layoutOf, planesOf, readable } from './video-frame.js'
import type { VideoInfo } from './video-info.js'

/** What a picture is made for. */
interface Pictured {
  encoder: Encoder
  /** Memory for pictures in the format to paint in. */
  pictures: PicturePool
  source: VideoInfo
  tone: Tone | undefined
}

/** The picture of a frame as the encoder wants it, with the change painted in; the caller frees it. */
export function picturedFor(libav: Libav, target: Pictured, frame: Frame, change?: FrameChange): AvFrame {
  const { encoder } = target
  const painted = paintedFor(libav, target, frame, change)
  const { context } = encoder
  // Encoders such as ProRes's write what the picture says of itself.
  painted.colorPrimaries = context.colorPrimaries
  painted.colorTrc = context.colorTrc
  painted.colorSpace = context.colorSpace
  painted.colorRange = context.colorRange
  painted.chromaLocation = context.chromaLocation
  const { AV_FRAME_FLAG_INTERLACED, AV_FRAME_FLAG_TOP_FIELD_FIRST } = libav.constants
  if (encoder.info.interlaced) painted.setFlags(AV_FRAME_FLAG_INTERLACED)
  if (encoder.info.topFieldFirst) painted.setFlags(AV_FRAME_FLAG_TOP_FIELD_FIRST)
  if (encoder.paintFormat === encoder.pixelFormat) return painted
  const packed = convert(libav, painted, encoder.pixelFormat)
  painted.free()
  return packed
}

/** The picture in the format to paint in. */
function paintedFor(
  libav: Libav,
  { encoder, pictures, source, tone }: Pictured,
  frame: Frame,
  change?: FrameChange,
): AvFrame {
  const { paintFormat, info } = encoder
  const { width, height } = encoder.context
  const { samples } = frame
  const fitted = change && fitting(change, info, frame)
  const own = () => frame.part({ x: 0, y: 0, width: frame.width, height: frame.height }, 1, 'own').bitmap
  const written = layoutOf(libav, { format: paintFormat }, info)!
  const sameRange = info.color.range === source.color.range
  // Luma and chroma are made of R'G'B', of gray, and in another range, by the rules that they are looked at by.
  if (!samples || kindOf(libav, samples) !== written.kind || !sameRange) {
    const shown = fitted ? whole(frame, fitted) : fitting({ bitmap: own(), rects: [] }, info, frame).bitmap
    const bitmap = tone ? litBack(shown, tone) : shown
    const { picture, data } = pictures.take()
    const all = { x: 0, y: 0, width: bitmap.width, height: bitmap.height }
    paint(libav, { picture, data }, info, { bitmap, x: 0, y: 0, rects: [all] })
    if (written.alpha) fillAlpha(planesOf(picture, written, data), written.bitDepth, frame.image)
    return picture
  }
  if (samples.width !== width || samples.height !== height) fitting({ bitmap: frame.bitmap, rects: [] }, info, frame)
  if (samples.format !== paintFormat) {
    const picture = convert(libav, samples, paintFormat)
    if (fitted) paintChange(libav, { picture, data: picture.data! }, { info, tone }, frame, fitted)
    return picture
  }
  if (!fitted) return samples.clone()!
  const room = pictures.take()
  room.picture.copy(samples)
  room.picture.copyProps(samples)
  paintChange(libav, room, { info: source, tone }, frame, fitted)
  return room.picture
}

/** Paints the pixels of a change that differ from the frame. */
function paintChange(
  libav: Libav,
  room: RoomForPicture,
  { info, tone }: { info: VideoInfo; tone: Tone | undefined },
  frame: Frame,
  change: Painting,
): void {
  const painting = { ...change, ...beforeOf(frame, change) }
  paint(libav, room, info, tone ? inOwnLight(libav, frame, { info, tone }, painting) : painting)
}

/** A painting in the clip's own R'G'B' instead of what is shown; pixels that were not changed as the frame has them. */
export function inOwnLight(
  libav: Libav,
  frame: Frame,
  { info, tone }: { info: VideoInfo; tone: Tone },
  { bitmap, before, x, y, rects }: Painting,
): Painting {
  const held = frame.samples!
  const samples = readable(libav, held)
  const layout = layoutOf(libav, samples, info)!
  const { width, height } = bitmap
  const coded = turnRect({ x, y, width, height }, info, turnBack(info.rotationDegrees))
  const box = { left: coded.x, top: coded.y, right: coded.x + coded.width, bottom: coded.y + coded.height }
  const own = turn(planesToWords(planesOf(samples, layout), layout, box), info.rotationDegrees)
  if (samples !== held) samples.free()
  const shown = toWords(bitmap).data as Uint16Array
  const back = shown.slice()
  tone.back(back)
  const data = own.data.slice() as Uint16Array
  const old = before?.data
  for (let i = 0; i < data.length; i += 3) {
    const now = bitmap.data
    if (old && now[i] === old[i] && now[i + 1] === old[i + 1] && now[i + 2] === old[i + 2]) continue
    for (let k = 0; k < 3; k++) data[i + k] = back[i + k]!
  }
  return { bitmap: { ...own, data }, before: own, x, y, rects }
}

/** What is shown as the clip's own R'G'B'. */
export function litBack(shown: Bitmap, tone: Tone): Bitmap {
  const { data, ...rest } = toWords(shown)
  const words = data.slice() as Uint16Array
  tone.back(words)
  return { ...rest, data: words }
}

/** Alpha of an image, or opaque. */
function fillAlpha({ data, strides, width, height }: Planes, bitDepth: number, image: ImageSamples | undefined): void {
  const plane = data[3]!
  const peak = 2 ** bitDepth - 1
  const channels = image?.channels ?? 3
  const from = image && channels % 2 === 0 ? image.data : undefined
  const scale = from instanceof Float32Array ? peak : peak / (from instanceof Uint16Array ? 65535 : 255)
  for (let y = 0, i = channels - 1; y < height; y++)
    for (let x = 0; x < width; x++, i += channels)
      plane[y * strides[3]! + x] = from ? Math.min(peak, Math.max(0, from[i]! * scale)) + 0.5 : peak
}

/** Paints an upright bitmap over a picture in its coded orientation. */
function paint(
  libav: Libav,
  { picture, data }: RoomForPicture,
  info: VideoInfo,
  { bitmap, x, y, rects, before }: Painting,
) {
  const layout = layoutOf(libav, picture, info)!
  const back = turnBack(info.rotationDegrees)
  const placed = turnRect({ x, y, width: bitmap.width, height: bitmap.height }, info, back)
  paintRects(planesOf(picture, layout, data), layout, {
    bitmap: turn(bitmap, back),
    x: placed.x,
    y: placed.y,
    rects: rects.map((rect) => turnRect(rect, info, back)),
    ...(before ? { before: turn(before, back) } : {}),
  })
}

/** The change with its place, if it lies inside a frame of the clip's size. */
function fitting(change: FrameChange, { width, height }: VideoInfo, frame: Frame): Painting {
  const { bitmap, x, y, rects } = change
  const [left, top] = [x ?? 0, y ?? 0]
  if (x === undefined && y === undefined) {
    if (bitmap.width === width && bitmap.height === height) return { bitmap, x: 0, y: 0, rects }
  } else {
    const inside = left >= 0 && top >= 0 && left + bitmap.width <= width && top + bitmap.height <= height
    if (inside && Number.isInteger(left) && Number.isInteger(top)) return { bitmap, x: left, y: top, rects }
  }
  const at = x === undefined && y === undefined ? '' : ` at ${left}, ${top}`
  const got = `${bitmap.width} x ${bitmap.height}${at}`
  const wanted = at ? `a part of ${width} x ${height} pixels` : `${width} x ${height} pixels like the clip`
  throw new DflError(
    'BAD_SHAPE',
    `Expected ${wanted} for \`bitmap\`, but got ${got} for '${frame.name}'. Scale it first.`,
  )
}
