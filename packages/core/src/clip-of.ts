/**
 * What a faceset calls the clip that a face is from: 'clip.mp4' of 'clip.mp4#12', 'shot2' of 'shot2/0001.png', and '' of
 * '0001.png', an image of a folder that was given no name.
 */
export function clipOf({ sourceFilename }: { sourceFilename: string }): string {
  const video = /^(.*)#\d+$/s.exec(sourceFilename)
  return video ? video[1]! : sourceFilename.slice(0, Math.max(0, sourceFilename.lastIndexOf('/')))
}

/** What `sourceFilename` is for a frame of a clip that the faceset calls `clip`: 'clip.mp4#12', or 'shot2/0001.png' of an image. */
export const frameNameIn = (
  clip: string,
  { index, name, file }: { index: number; name: string; file?: string },
): string => (file === undefined ? `${clip}#${index}` : `${clip}/${name}`)
