import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { mapConcurrent } from '@dfl/core'
import { isImagePath } from './images.js'

/** What tells one state of footage from another. */
export interface FootageStamp {
  /** Of the file, or of all images of the folder together. */
  bytes: number
  /** When the file, or the image that was changed last, was changed: whole milliseconds since 1970. */
  modifiedMs: number
  /** How many images a folder has; nothing of a file. */
  images?: number
}

/** Files that are looked at together: network drives answer slowly. */
const AT_ONCE = 32

/**
 * The state of a video, an image, or a folder of images. Rendering a sequence anew into its folder, adding images and
 * taking some away all change it.
 */
export async function footageStamp(path: string): Promise<FootageStamp> {
  const found = await stat(path)
  if (!found.isDirectory()) return { bytes: found.size, modifiedMs: Math.floor(found.mtimeMs) }
  const names = await frameNames(path)
  const stamp = { bytes: 0, modifiedMs: 0, images: names.length }
  for await (const { size, mtimeMs } of mapConcurrent(names, (name) => stat(join(path, name)), AT_ONCE)) {
    stamp.bytes += size
    stamp.modifiedMs = Math.max(stamp.modifiedMs, Math.floor(mtimeMs))
  }
  return stamp
}

/** File names of the images of a folder, in the order of their frames; that of a single image; none of a video. */
export async function frameNames(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [basename(path)].filter(isFrameName)
  const order = new Intl.Collator('en', { numeric: true })
  const names = (await readdir(path)).filter(isFrameName)
  return names.sort((a, b) => order.compare(a, b) || (a < b ? -1 : 1))
}

/** Whether a file of a folder counts as one of its frames. */
export const isFrameName = (name: string) => isImagePath(name) && !name.startsWith('.')
