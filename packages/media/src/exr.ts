import { libavError, unsupported } from './errors.js'
import { type ExrLayout, exrLayout } from './exr-layout.js'
import { halfFloats, nearestHalf } from './half-floats.js'
import type { ImageSamples } from './image-samples.js'
import { type AvCodecContext, type AvFrame, type AvPixelFormat, loadLibav } from './libav.js'

/** Width and height of an OpenEXR file. */
export function exrSize(bytes: Uint8Array, path: string): { width: number; height: number } {
  const { width, height } = layoutOf(bytes, path)
  return { width, height }
}

function layoutOf(bytes: Uint8Array, path: string): ExrLayout {
  const layout = exrLayout(bytes)
  if (!layout) throw damaged(path, 'its header is damaged')
  return layout
}

/** The planes of libav's float formats, by the channels of an image. */
const PLANES: Readonly<Record<string, { channels: 1 | 3 | 4; planes: readonly number[] }>> = {
  gray: { channels: 1, planes: [0] },
  gbrp: { channels: 3, planes: [2, 0, 1] },
  gbrap: { channels: 4, planes: [2, 0, 1, 3] },
}

/** The samples of an OpenEXR file: R, G and B or Y, and A, of its first part; other channels are left out. */
export async function decodeExr(bytes: Uint8Array, path: string): Promise<ImageSamples> {
  const { width, height, whole, piz } = layoutOf(bytes, path)
  if (width <= 0 || height <= 0 || width * height > 2 ** 28) throw damaged(path, `${width} x ${height} pixels`)
  // The decoder leaves black what is missing.
  if (!whole) throw damaged(path, 'it is cut off')
  const libav = await loadLibav()
  const codec = libav.Codec.findDecoder(libav.constants.AV_CODEC_ID_EXR)
  if (!codec)
    throw unsupported(path, 'an image', 'OpenEXR, which this machine’s libav cannot read', 'Convert it to TIFF.')
  const decoder = new libav.CodecContext()
  const packet = new libav.Packet()
  const picture = new libav.Frame()
  picture.alloc()
  packet.alloc()
  try {
    decoder.allocContext3(codec)
    const opened = await decoder.open2(codec, libav.Dictionary.fromObject({ err_detect: 'explode' }))
    if (opened < 0) throw libavError(libav, opened, path, 'starting the EXR decoder')
    packet.data = Buffer.from(bytes)
    const sent = await decoder.sendPacket(packet)
    if (sent < 0) throw damaged(path, libav.FFmpegError.strerror(sent))
    await decoder.sendPacket(null)
    const received = await decoder.receiveFrame(picture)
    if (received < 0) throw damaged(path, libav.FFmpegError.strerror(received))
    const samples = samplesOf(picture, libav.avGetPixFmtName(picture.format as AvPixelFormat) ?? '', path)
    // It also leaves black, without a word, what it cannot unpack: PIZ of many different 32-bit floats.
    if (piz.some((rows) => isBlack(samples, rows)))
      throw unsupported(
        path,
        'an image',
        'an EXR file whose 32-bit floats are packed as PIZ in a way that libav cannot unpack',
        'Write it with ZIP, or as half floats.',
      )
    return samples
  } finally {
    picture.free()
    packet.free()
    decoder.freeContext()
  }
}

/** Whether rows [from, to) of an image are all 0. */
function isBlack({ data, width, channels }: ImageSamples, [from, to]: readonly [from: number, to: number]): boolean {
  for (let i = from * width * channels; i < to * width * channels; i++) if (data[i] !== 0) return false
  return true
}

function samplesOf(picture: AvFrame, format: string, path: string): ImageSamples {
  const kind = /^(gray|gbrp|gbrap)f(16|32)le$/.exec(format)
  if (!kind)
    throw unsupported(path, 'an EXR file of floats', `one of '${format}'`, 'Write half or float channels R, G, B.')
  const half = kind[2] === '16'
  const { channels, planes } = PLANES[kind[1]!]!
  const { width, height, linesize } = picture
  const data = new Float32Array(width * height * channels)
  const floats = half ? halfFloats() : undefined
  for (const [channel, plane] of planes.entries()) {
    const from = picture.data![plane]!
    const stride = linesize[plane]! >> (half ? 1 : 2)
    const words = half ? new Uint16Array(from.buffer, from.byteOffset, from.byteLength >> 1) : undefined
    const singles = half ? undefined : new Float32Array(from.buffer, from.byteOffset, from.byteLength >> 2)
    for (let y = 0, o = channel; y < height; y++)
      for (let x = 0; x < width; x++, o += channels)
        data[o] = words ? floats![words[y * stride + x]!]! : singles![y * stride + x]!
  }
  return { data, width, height, channels, half }
}

/** An OpenEXR file, losslessly packed: 16-bit floats where the samples came as such, else 32-bit ones. */
export async function encodeExr(image: ImageSamples & { data: Float32Array }): Promise<Buffer> {
  const libav = await loadLibav()
  const { data, width, height, channels, half = false } = image
  const kind = channels === 1 || channels === 2 ? 'gray' : channels === 3 ? 'gbrp' : 'gbrap'
  const codec = libav.Codec.findEncoder(libav.constants.AV_CODEC_ID_EXR)
  if (!codec)
    throw unsupported('.exr', 'an image format', 'OpenEXR, which this machine’s libav cannot write', 'Write tiff.')
  const context: AvCodecContext = new libav.CodecContext()
  const picture = new libav.Frame()
  const packet = new libav.Packet()
  picture.alloc()
  packet.alloc()
  try {
    const doing = (code: number) => {
      if (code < 0) throw libavError(libav, code, '.exr', 'writing an EXR image')
    }
    context.allocContext3(codec)
    Object.assign(context, { width, height })
    context.pixelFormat = libav.avGetPixFmtFromName(`${kind}f32le`)
    context.timeBase = new libav.Rational(1, 25)
    const settings = { compression: 'zip16', format: half ? 'half' : 'float' }
    doing(await context.open2(codec, libav.Dictionary.fromObject(settings)))
    Object.assign(picture, { format: context.pixelFormat, width, height })
    doing(picture.getBuffer(0))
    for (const [channel, plane] of PLANES[kind]!.planes.entries()) {
      const to = picture.data![plane]!
      const stride = picture.linesize[plane]! >> 2
      const singles = new Float32Array(to.buffer, to.byteOffset, to.byteLength >> 2)
      for (let y = 0, i = channel; y < height; y++)
        for (let x = 0; x < width; x++, i += channels) {
          // libav itself would cut off what a half cannot hold.
          singles[y * stride + x] = half ? nearestHalf(data[i]!) : data[i]!
        }
    }
    picture.pts = 0n
    doing(await context.sendFrame(picture))
    await context.sendFrame(null)
    doing(await context.receivePacket(packet))
    return Buffer.from(packet.data!)
  } finally {
    packet.free()
    picture.free()
    context.freeContext()
  }
}

const damaged = (path: string, reason: string) =>
  unsupported(path, 'an image', `an EXR file that cannot be read ('${reason}')`, 'Check that the file is whole.')
