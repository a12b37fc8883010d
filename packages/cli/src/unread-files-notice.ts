import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { frameNames, isAnimatedWebp } from '@dfl/media'
import type { StageReport } from './events.js'

/** Pictures and videos that are not taken from a folder of images. */
const UNREAD = /\.(heic|heif|avif|jxl|jp2|bmp|gif|tga|dpx|cr2|cr3|nef|arw|raf|dng|mp4|m4v|mov|mkv|webm|avi|mts)$/i

/** Says which footage of a folder is left out because it is none of the images that folders are read for, or moves. */
export async function* unreadFilesNotice(input: string): AsyncGenerator<StageReport> {
  if (!(await stat(input)).isDirectory()) return
  const names = (await readdir(input)).filter((name) => UNREAD.test(name) && !name.startsWith('.'))
  if (names.length > 0) {
    const text = `${named(names)} left out: of a folder, png, tiff, exr, jpg and webp images are taken. Convert other images, and extract clips one by one.`
    yield { event: 'warning', text }
  }
  const animated: string[] = []
  for (const name of await frameNames(input)) if (await isAnimatedWebp(join(input, name))) animated.push(name)
  if (animated.length > 0)
    yield { event: 'warning', text: `${named(animated)} animated: only the first picture of an animated WebP is read.` }
}

const named = (names: readonly string[]) =>
  names.length === 1 ? `'${names[0]}' is` : `${names.length} files, such as '${[...names].sort()[0]}', are`
