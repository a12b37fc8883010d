import { DflError } from '@dfl/core'

export type SharpFunction = typeof import('sharp')['default']
export type ImagePipeline = import('sharp').Sharp
export type ImageMetadata = import('sharp').Metadata

/**
 * sharp, loaded on first use.
 *
 * @throws DflError `MISSING_DEPENDENCY` where sharp has no binary for this machine.
 */
export async function loadSharp(): Promise<SharpFunction> {
  try {
    return (await import('sharp')).default
  } catch (cause) {
    throw new DflError(
      'MISSING_DEPENDENCY',
      `Expected the image library \`sharp\` with its binary for this machine, but it could not be loaded. Install it again without leaving out optional packages.`,
      { data: { package: 'sharp' }, cause },
    )
  }
}
