import { type Bitmap, DflError, type Rect } from '@dfl/core'
import { lumaWeights } from './color.js'
import type { Frame, FramePart } from './frame.js'
import type { FrameMemory } from './frame-memory.js'
import { bitmapPart, partKey, snapped } from './frame-part.js'
import { partSamples, planeSamples } from './frame-samples.js'
import { halvePlanes } from './halve-planes.js'
import type { AvFrame, AvPixelFormat, Libav } from './libav.js'
import { nearestPlanar, PLANAR_FORMATS, traitsOf } from './pixel-formats.js'
import type { Box, PlaneLayout, Planes } from './planes.js'
import { planesToRgb } from './planes-to-rgb.js'
import { planesToWords, toBytes } from './planes-to-words.js'
import type { Rational } from './rational.js'
import type { Tone } from './tone.js'
import { turn, turnBack, turnRect } from './turn.js'
import type { VideoInfo } from './video-info.js'

/**
 * A decoder's picture as a `Frame`; it owns the picture from now on.
 *
 * @param clip What is known of the clip, how its light is shown where that is not as it is, and memory for what is made of its
 * frames while they are open.
 */
export function videoFrame(
  libav: Libav,
  picture: AvFrame,
  { info, tone, memory }: { info: VideoInfo; tone?: Tone | undefined; memory: FrameMemory },
  place: { index: number; pts: number; timeBase: Rational; name: string },
): Frame {
  // 'yuvj420p' is an old name for 4:2:0 in full range: one name for one thing.
  const name = libav.avGetPixFmtName(picture.format as AvPixelFormat) ?? ''
  if (name.startsWith('yuvj')) {
    picture.format = libav.avGetPixFmtFromName(name.replace('j', ''))
    picture.colorRange = libav.constants.AVCOL_RANGE_JPEG
  }
  // 8 bits that are shown as they are stored lose nothing as bytes: one kind, converted once.
  const bytesOnly = !tone && traitsOf(name).bitDepth === 8
  let held: AvFrame | undefined = picture
  let bitmap: Bitmap | undefined
  let part: { key: string; made: FramePart } | undefined
  const smaller = new Map<number, AvFrame>()
  let views: { layout: PlaneLayout; planes: Planes } | undefined
  /** Memory of parts. */
  const bytes: Uint8Array[] = []
  const bytesOf = (length: number) => {
    const taken = memory.bytes(length)
    bytes.push(taken)
    return taken
  }
  const open = (): AvFrame => {
    if (held) return held
    throw new DflError(
      'BAD_STATE',
      `Expected an open frame for \`${place.name}\`, but it was closed. Read its \`bitmap\` before \`close()\`.`,
    )
  }
  const close = () => {
    held?.free()
    held = undefined
    views = undefined
    memory.giveBack(bytes.splice(0))
    for (const small of smaller.values()) small.free()
    smaller.clear()
  }
  return {
    ...place,
    width: info.width,
    height: info.height,
    timestampSeconds: (place.pts * place.timeBase.num) / place.timeBase.den,
    get bitmap() {
      return (bitmap ??= cut({ x: 0, y: 0, width: info.width, height: info.height }, 1, { kind: 'bytes' }).bitmap)
    },
    part(rect, reduce = 1, wanted = 'bytes') {
      const samples = bytesOnly ? 'bytes' : wanted
      const key = partKey(rect, reduce, samples)
      if (part?.key !== key)
        part = {
          key,
          made:
            bitmap && samples === 'bytes'
              ? bitmapPart(bitmap, rect, reduce)
              : cut(rect, reduce, { kind: samples, bytesOf }),
        }
      return part.made
    },
    samplesIn(rect, reduce = 1) {
      // What is shown otherwise than it is stored is converted here.
      if (held && !tone) views ??= viewsOf()
      if (!held || tone || !views || views.layout.kind === 'rgb') return partSamples(this.part(rect, reduce))
      const { layout, planes } = views
      const { width, height } = planes
      const wanted = { rect, coded: { width, height }, rotationDegrees: info.rotationDegrees }
      if (reduce === 1) return planeSamples(planes, layout, wanted)
      let small = smaller.get(reduce)
      if (!small) smaller.set(reduce, (small = shrunk(libav, held, reduce)))
      return planeSamples(planesOf(small, layout), layout, wanted)
    },
    get samples() {
      return held
    },
    close,
    [Symbol.dispose]: close,
  }

  /** The part, made from the samples that it covers only. */
  function cut(rect: Rect, reduce: number, to: Wanted): FramePart {
    const held = open()
    const samples = readable(libav, held)
    try {
      const { layout, planes } = (samples === held ? (views ??= viewsOf()) : looked(samples))!
      const coded = turnRect(rect, info, turnBack(info.rotationDegrees))
      const box = snapped(coded, samples, reduce)
      const made = reducedRgb(planes, layout, box, { ...to, reduce, tone })
      const [width, height] = [made.width * reduce, made.height * reduce]
      const { x, y } = turnRect({ x: box.left, y: box.top, width, height }, samples, info.rotationDegrees)
      return { bitmap: turn(made, info.rotationDegrees), x, y, reduce }
    } finally {
      if (samples !== held) samples.free()
    }
  }

  function looked(samples: AvFrame) {
    const layout = layoutOf(libav, samples, info)
    return layout && { layout, planes: planesOf(samples, layout) }
  }

  /** Looks at the picture in memory that is kept from frame to frame: see `picturePool`. */
  function viewsOf() {
    const picture = open()
    const layout = layoutOf(libav, picture, info)
    if (!layout) return undefined
    const { picture: copy, data } = memory.pictureLike(picture)
    copy.copy(picture)
    copy.copyProps(picture)
    picture.unref()
    picture.ref(copy)
    copy.free()
    return { layout, planes: planesOf(picture, layout, data) }
  }
}

/** What a box becomes. */
interface Wanted {
  kind: 'bytes' | 'own'
  /** Gives memory for so many bytes; new memory if not given. */
  bytesOf?: (length: number) => Uint8Array
}

/** A box of a picture as it is shown, made smaller by a power of two. */
function reducedRgb(
  planes: Planes,
  layout: PlaneLayout,
  box: Box,
  wanted: Wanted & { reduce: number; tone: Tone | undefined },
): Bitmap {
  const { reduce, kind, tone, bytesOf } = wanted
  if (reduce > 1) {
    const half = halvePlanes(planes, layout, box)
    const { width: right, height: bottom } = half.planes
    return reducedRgb(half.planes, half.layout, { left: 0, top: 0, right, bottom }, { ...wanted, reduce: reduce / 2 })
  }
  if (!tone && (kind === 'bytes' || layout.bitDepth === 8)) return planesToRgb(planes, layout, { box, bytesOf })
  const words = planesToWords(planes, layout, box)
  tone?.toDisplay(words.data as Uint16Array)
  return kind === 'bytes' ? toBytes(words) : words
}

/** What the samples of a picture in the given format mean, from its own tags where it has any, else from its clip's. */
export function layoutOf(
  libav: Libav,
  picture: Pick<AvFrame, 'format'> & Partial<Pick<AvFrame, 'colorRange'>>,
  info: VideoInfo,
): PlaneLayout | undefined {
  const name = libav.avGetPixFmtName(picture.format as AvPixelFormat) ?? ''
  const format = PLANAR_FORMATS[name]
  if (!format) return undefined
  const { AVCOL_RANGE_JPEG } = libav.constants
  return {
    ...format,
    fullRange: picture.colorRange === AVCOL_RANGE_JPEG || info.color.range === 'full',
    ...lumaWeights(info.color.matrix, info.rotationDegrees % 180 === 0 ? info.height : info.width),
    chromaSite: info.chromaSite === 'center' ? 'center' : 'left',
  }
}

/** A view of a picture's samples: no copy, valid only while the picture is open. @param bytes Its planes, where they are at hand. */
export function planesOf(picture: AvFrame, layout: PlaneLayout, bytes: readonly Uint8Array[] = picture.data!): Planes {
  const { width, height, linesize } = picture
  if (layout.bitDepth === 8) return { data: bytes, strides: linesize, width, height }
  const data = bytes.map((plane) => new Uint16Array(plane.buffer, plane.byteOffset, plane.byteLength >> 1))
  return { data, strides: linesize.map((stride) => stride >> 1), width, height }
}

/** The picture in a format that is read directly: itself, or a copy that the caller frees. */
export function readable(libav: Libav, picture: AvFrame): AvFrame {
  const format = picture.format as AvPixelFormat
  if ((libav.avGetPixFmtName(format) ?? '') in PLANAR_FORMATS) return picture
  return convert(libav, picture, nearestPlanar(libav, format))
}

/** Whether a picture holds RGB (or a palette), luma and chroma, or luma alone. */
export const kindOf = (libav: Libav, picture: AvFrame) =>
  traitsOf(libav.avGetPixFmtName(picture.format as AvPixelFormat) ?? '').kind

/** The picture in another pixel format, of the same size and time; the caller frees it. */
export function convert(libav: Libav, picture: AvFrame, format: AvPixelFormat): AvFrame {
  const { SWS_BICUBIC, SWS_ACCURATE_RND, SWS_FULL_CHR_H_INP, SWS_FULL_CHR_H_INT } = libav.constants
  const { width, height } = picture
  const out = blank(libav, format, width, height)
  out.copyProps(picture)
  const scaler = new libav.SoftwareScaleContext()
  const flags = SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP | SWS_FULL_CHR_H_INT
  scaler.getContext(width, height, picture.format as AvPixelFormat, width, height, format, flags as never)
  const code = scaler.scaleFrameSync(out, picture)
  scaler.freeContext()
  if (code < 0) {
    out.free()
    const name = libav.avGetPixFmtName(picture.format as AvPixelFormat)
    throw new DflError(
      'UNSUPPORTED_MEDIA',
      `Expected a known pixel format, but got '${name}'. Convert the video first.`,
    )
  }
  return out
}

/** The picture made smaller, each sample the mean of those it covers; the caller frees it. */
function shrunk(libav: Libav, picture: AvFrame, reduce: number): AvFrame {
  const { width, height } = picture
  const format = picture.format as AvPixelFormat
  const out = blank(libav, format, Math.ceil(width / reduce), Math.ceil(height / reduce))
  const scaler = new libav.SoftwareScaleContext()
  scaler.getContext(width, height, format, out.width, out.height, format, libav.constants.SWS_AREA as never)
  const code = scaler.scaleFrameSync(out, picture)
  scaler.freeContext()
  if (code >= 0) return out
  out.free()
  throw new DflError('UNSUPPORTED_MEDIA', `Expected a frame that can be made smaller, but libav gave error ${code}.`)
}

/** A picture with memory of its own, not filled; the caller frees it. */
export function blank(libav: Libav, format: AvPixelFormat, width: number, height: number): AvFrame {
  const picture = new libav.Frame()
  picture.alloc()
  picture.format = format
  picture.width = width
  picture.height = height
  if (picture.getBuffer(0) < 0)
    throw new DflError(
      'BAD_STATE',
      `Expected memory for a frame of ${width} x ${height} pixels, but there is none. Close frames after use.`,
    )
  return picture
}
