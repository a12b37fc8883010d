import { DflError } from '@dfl/core'

type Lib = typeof import('node-av/lib')
type Constants = typeof import('node-av/constants')

/** libav's functions and numbers. Everything of ours that touches video is handed one of these. */
export interface Libav extends Lib {
  constants: Constants
}
export type AvFrame = import('node-av/lib').Frame
export type AvPacket = import('node-av/lib').Packet
export type AvStream = import('node-av/lib').Stream
export type AvFormatContext = import('node-av/lib').FormatContext
export type AvCodecContext = import('node-av/lib').CodecContext
export type AvPixelFormat = import('node-av/constants').AVPixelFormat

/**
 * libav, loaded on first use and told to keep its log to itself: what matters comes back as errors.
 *
 * Only node-av's low-level half is used. Its high-level half needs a newer Node than we ask for, and hides the time
 * stamps and the planes that must pass through untouched.
 *
 * @throws DflError `MISSING_DEPENDENCY` where node-av has no binary for this machine.
 */
export async function loadLibav(): Promise<Libav> {
  try {
    const [lib, constants] = await Promise.all([import('node-av/lib'), import('node-av/constants')])
    lib.Log.setLevel(constants.AV_LOG_QUIET)
    return { ...lib, constants }
  } catch (cause) {
    const name = `@seydx/node-av-${process.platform}-${process.arch}`
    throw new DflError(
      'MISSING_DEPENDENCY',
      `Expected the video library \`node-av\` with its binary for this machine, but it could not be loaded. Install it again without leaving out optional packages (\`${name}…\`).`,
      { data: { package: name }, cause },
    )
  }
}
