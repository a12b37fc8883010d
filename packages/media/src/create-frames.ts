import { extname } from 'node:path'
import { createImageFolder, type ImageFolderOptions } from './folder-sink.js'
import type { FrameSink } from './frame-sink.js'
import { type CreateVideoOptions, createVideo } from './video-sink.js'

/** The endings that mean a video file where frames are written. */
export const VIDEO_EXTENSIONS = ['.mp4', '.m4v', '.mov', '.mkv', '.webm', '.ts'] as const

/** Whether a path's ending names a video. */
export const isVideoPath = (path: string) =>
  (VIDEO_EXTENSIONS as readonly string[]).includes(extname(path).toLowerCase())

/** A video where the path ends like one, otherwise a folder of images; options of the other kind are ignored. */
export async function createFrames(
  path: string,
  options: CreateVideoOptions & Pick<ImageFolderOptions, 'format' | 'quality'>,
): Promise<FrameSink> {
  const { format, quality, ...video } = options
  if (isVideoPath(path)) return createVideo(path, video)
  const { like } = options
  return createImageFolder(path, { like, ...(format ? { format } : {}), ...(quality === undefined ? {} : { quality }) })
}
