import { readFile } from 'node:fs/promises'
import type { Landmarks } from '@dfl/core'
import { exists } from '@dfl/core/files'

/**
 * The landmarks with which a clip was rendered, in pixels of its frames, frame by frame: `lm68` of the frames in the `.json`
 * beside it. Nothing where there is no such file.
 */
export async function exactLandmarks(clip: string): Promise<Landmarks[] | undefined> {
  const path = clip.replace(/\.\w+$/, '.json')
  if (!(await exists(path))) return undefined
  const { frames }: { frames: { lm68: Landmarks }[] } = JSON.parse(await readFile(path, 'utf8'))
  return frames.map(({ lm68 }) => lm68)
}
