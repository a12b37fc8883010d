import { stat } from 'node:fs/promises'
import { DflError } from '@dfl/core'
import { noSuchFile } from './errors.js'
import { type FolderSourceOptions, openImageFolder, openSingleImage } from './folder-source.js'
import type { FrameSource } from './frame.js'
import { isImagePath } from './images.js'
import { openVideoFrames, type VideoSourceOptions } from './video-source.js'

/** Which frames to read, and what to do about damaged ones. */
export interface OpenFramesOptions extends VideoSourceOptions, FolderSourceOptions {}

/**
 * The frames of a video file, of a folder of images, or of a single image.
 *
 * Video frames come with exact time stamps and in order; those before `start` are decoded and dropped, so indices
 * are exact in every container, unless `seek` spares that.
 *
 * @throws DflError `NO_SUCH_FILE`, `UNSUPPORTED_MEDIA`, `BAD_OPTION`; while walking also `CORRUPT_FILE` for damage in
 * the middle of a video, after the good frames before it.
 */
export async function openFrames(path: string, options: OpenFramesOptions = {}): Promise<FrameSource> {
  const { start = 0, end = Number.POSITIVE_INFINITY, everyNth = 1 } = options
  const whole = (name: string, value: number, least: number) => {
    if (!Number.isInteger(value) && value !== Number.POSITIVE_INFINITY) bad(name, value, `a whole number`)
    if (value < least) bad(name, value, `a whole number of at least ${least}`)
  }
  whole('start', start, 0)
  whole('end', end, start + 1)
  whole('everyNth', everyNth, 1)
  const found = await stat(path).catch((cause) => {
    throw noSuchFile(path, cause)
  })
  if (found.isDirectory()) return openImageFolder(path, options)
  return isImagePath(path) ? openSingleImage(path, options) : openVideoFrames(path, options)
}

function bad(name: string, value: number, expected: string): never {
  throw new DflError('BAD_OPTION', `Expected ${expected} for \`${name}\`, but got ${value}. Count frames from 0.`)
}
