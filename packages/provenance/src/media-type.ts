import { basename, dirname, extname, join } from 'node:path'

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.mp4': 'video/mp4',
  '.m4v': 'video/mp4',
  '.mov': 'video/quicktime',
  '.mkv': 'video/x-matroska',
  '.webm': 'video/webm',
  '.avi': 'video/x-msvideo',
  '.ts': 'video/mp2t',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.tif': 'image/tiff',
  '.tiff': 'image/tiff',
  '.webp': 'image/webp',
  '.exr': 'image/x-exr',
  '.sha256': 'text/plain',
}

/** The media type that a path's ending names: 'video/mp4'. */
export const mediaTypeOf = (path: string): string =>
  MEDIA_TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream'

/** The file of another ending beside a file, where readers of C2PA and XMP look: `c.mkv` → `c.c2pa`. */
export const besideOf = (path: string, ending: string): string =>
  join(dirname(path), `${basename(path, extname(path))}${ending}`)
