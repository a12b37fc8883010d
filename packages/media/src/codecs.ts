import { defineOptions, type OptionsOf } from '@dfl/core'

/** How videos are written. */
export const VIDEO_OPTIONS = defineOptions({
  codec: {
    type: 'choice',
    default: 'h264',
    choices: ['h264', 'h265', 'av1', 'prores', 'prores-4444', 'dnxhr', 'dnxhr-444', 'ffv1'],
    description:
      'h264 plays everywhere; prores and dnxhr (in .mov) are for editing; ffv1 (in .mkv) is lossless. Bits and colours follow the source as far as the codec goes.',
  },
  crf: {
    type: 'number',
    default: 16,
    min: 0,
    max: 51,
    integer: true,
    description:
      'Quality of h264, h265 and av1: 0 is lossless (not for av1), 16 is hard to tell from the source, 23 is small.',
  },
  preset: {
    type: 'choice',
    default: 'veryfast',
    choices: ['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium', 'slow', 'slower', 'veryslow'],
    description: 'How long h264, h265 and av1 search: slower makes smaller files of the same quality.',
  },
  hardware: {
    type: 'boolean',
    default: false,
    description: 'Encode h264, h265 and av1 on the graphics chip: quicker, larger files. Fails where it cannot.',
  },
})
/** How a video is encoded. */
export type VideoOptions = OptionsOf<typeof VIDEO_OPTIONS>

/** How one of libav's encoders is used for a codec. */
export interface EncoderChoice {
  name: string
  settings: Readonly<Record<string, string>>
  /** Pixel formats that are good for this codec's name; all that the encoder takes, if not given. */
  formats?: readonly string[]
  /** Whether R'G'B' stays R'G'B'; otherwise it becomes luma and chroma. */
  rgb?: boolean
  /** Bits per second where the encoder has no scale of quality. */
  bitRate?: number
}

/** What a choice depends on. */
export interface EncoderWishes extends VideoOptions {
  /** Whether the pictures are R'G'B'. */
  fromRgb: boolean
  bitDepth: number
}

/** The encoders to try for a codec, best first: builds of libav and machines differ. */
export function encoderChoices(wishes: EncoderWishes): EncoderChoice[] {
  const { codec, crf, preset, hardware, fromRgb, bitDepth } = wishes
  if (hardware) return HARDWARE[codec]?.map((name) => ({ name, settings: hardwareSettings(name, crf) })) ?? []
  const lossless = crf === 0
  const quality = { crf: String(crf), preset }
  switch (codec) {
    case 'h264':
      if (lossless && fromRgb && bitDepth === 8)
        return [{ name: 'libx264rgb', settings: quality, rgb: true, formats: ['rgb24'] }]
      return [
        { name: 'libx264', settings: quality, formats: PLANAR_YUV },
        { name: 'libopenh264', settings: {}, bitRate: 0.2 },
      ]
    case 'h265':
      return [{ name: 'libx265', settings: quality, rgb: lossless, ...(lossless ? {} : { formats: PLANAR_YUV }) }]
    case 'av1':
      return [
        {
          name: 'libsvtav1',
          settings: { crf: String(Math.max(1, Math.round((crf * 63) / 51))), preset: AV1_PRESETS[preset] ?? '10' },
        },
      ]
    case 'prores':
      return [{ name: 'prores_ks', settings: { profile: 'hq', vendor: 'apl0' }, formats: ['yuv422p10le'] }]
    case 'prores-4444':
      return [
        { name: 'prores_ks', settings: { profile: '4444', vendor: 'apl0' }, formats: ['yuv444p10le', 'yuva444p10le'] },
      ]
    case 'dnxhr':
      return [{ name: 'dnxhd', settings: { profile: 'dnxhr_hqx' }, formats: ['yuv422p10le'] }]
    case 'dnxhr-444':
      return [{ name: 'dnxhd', settings: { profile: 'dnxhr_444' }, formats: ['yuv444p10le'] }]
    default:
      // Some odd sizes cannot be cut into four: then libav chooses.
      return ['4', '0'].map((slices) => ({ name: 'ffv1', settings: { level: '3', slices, slicecrc: '1' }, rgb: true }))
  }
}

/** What the encoders of H.264 and H.265 are given where R'G'B' became luma and chroma. */
const PLANAR_YUV = ['yuv420p', 'yuv422p', 'yuv444p', 'gray'].flatMap((kind) => [kind, `${kind}10le`, `${kind}12le`])

/** SVT-AV1 counts from 0, slow, to 13. */
const AV1_PRESETS: Readonly<Record<string, string>> = {
  ultrafast: '12',
  superfast: '11',
  veryfast: '10',
  faster: '9',
  fast: '8',
  medium: '6',
  slow: '4',
  slower: '3',
  veryslow: '2',
}

/** Encoders of graphics chips that take pictures from memory. */
const HARDWARE: Readonly<Record<string, readonly string[]>> = {
  h264: ['h264_nvenc', 'h264_videotoolbox', 'h264_qsv', 'h264_amf', 'h264_mf'],
  h265: ['hevc_nvenc', 'hevc_videotoolbox', 'hevc_qsv', 'hevc_amf', 'hevc_mf'],
  av1: ['av1_nvenc', 'av1_qsv', 'av1_amf'],
  prores: ['prores_videotoolbox'],
  'prores-4444': ['prores_videotoolbox'],
}

/** The nearest to `crf` that a chip's encoder has. */
function hardwareSettings(name: string, crf: number): Record<string, string> {
  const q = String(crf)
  if (name.endsWith('nvenc'))
    return crf === 0 ? { preset: 'p5', tune: 'lossless' } : { preset: 'p5', rc: 'constqp', qp: q }
  if (name === 'prores_videotoolbox') return { profile: 'hq' }
  if (name.endsWith('videotoolbox')) return { q: String(Math.max(1, 100 - 2 * crf)), allow_sw: '0' }
  if (name.endsWith('qsv')) return { global_quality: q, preset: 'medium' }
  if (name.endsWith('amf')) return { rc: 'cqp', qp_i: q, qp_p: q }
  return {}
}
