import { DflError, type Raster } from '@dfl/core'

/** Throws unless `raster` holds as many samples as its width, height and channels promise. */
export function checkRaster(raster: Raster, name: string): void {
  const { data, width, height, channels } = raster
  if (data.length === width * height * channels && data.length > 0) return
  throw new DflError(
    'BAD_SHAPE',
    `Expected ${width}x${height}x${channels} samples for \`${name}\`, but got ${data.length}. ` +
      'Give the width, height and channels of the data as it is.',
    { data: { width, height, channels, length: data.length } },
  )
}

/** Throws unless `b` has the width and height of `a`, and its channels too unless `channelsToo` is false. */
export function checkSameShape(a: Raster, b: Raster, name: string, channelsToo = true): void {
  if (a.width === b.width && a.height === b.height && (!channelsToo || a.channels === b.channels)) return
  const shape = (r: Raster) => `${r.width}x${r.height}` + (channelsToo ? `x${r.channels}` : '')
  throw new DflError(
    'BAD_SHAPE',
    `Expected ${shape(a)} for \`${name}\`, but got ${shape(b)}. Resize or convert one of the two first.`,
  )
}

/** Throws unless `raster` has exactly `channels` channels. */
export function checkChannels(raster: Raster, channels: number, name: string): void {
  if (raster.channels === channels) return
  throw new DflError(
    'BAD_SHAPE',
    `Expected ${channels} channel${channels === 1 ? '' : 's'} for \`${name}\`, but got ${raster.channels}.`,
  )
}

/** Throws unless width and height are whole numbers of at least 1. */
export function checkSize(size: { width: number; height: number }, name: string): void {
  const { width, height } = size
  if (Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0) return
  throw new DflError(
    'BAD_OPTION',
    `Expected a whole width and height of at least 1 for \`${name}\`, but got ${width}x${height}. Round them first.`,
  )
}

/** Throws unless `value` is a finite number of at least 0. */
export function checkNotNegative(value: number, name: string): void {
  if (Number.isFinite(value) && value >= 0) return
  throw new DflError('BAD_OPTION', `Expected a number of at least 0 for \`${name}\`, but got ${value}.`)
}
