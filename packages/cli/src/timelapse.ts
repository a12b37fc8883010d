import { copyFile, link, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DflError } from '@dfl/core'
import { createVideo, imageSize, openFrames } from '@dfl/media'

const FRAMES_PER_SECOND = 12

/**
 * The previews of a run as a video, one after the other: how many there were. Walk it to make it work.
 *
 * @param folder  With `<iteration>.png`; those of another size than the newest, of an earlier network, are left out.
 * @throws DflError `NO_SUCH_FILE` without previews.
 */
export async function* timelapse(folder: string, out: string): AsyncGenerator<{ done: number; total: number }, number> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => /^\d+\.png$/.test(name)).sort()
  const newest = names.at(-1)
  if (newest === undefined)
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected previews in \`${folder}\`, but there are none. Train first: previews are written while a model trains.`,
    )
  const size = await imageSize(join(folder, newest))
  const only = await mkdtemp(join(folder, '.timelapse-'))
  try {
    for (const name of names) {
      const { width, height } = await imageSize(join(folder, name))
      if (width !== size.width || height !== size.height) continue
      const [from, to] = [join(folder, name), join(only, name)]
      await link(from, to).catch(() => copyFile(from, to)) // exFAT and some network drives have no links.
    }
    await using clip = await openFrames(only, { fps: FRAMES_PER_SECOND })
    await using sink = await createVideo(out, { like: clip })
    let done = 0
    for await (const frame of clip.frames()) {
      await sink.write(frame)
      frame.close()
      yield { done: ++done, total: clip.info.frameCount }
    }
    await sink.finish()
    return done
  } finally {
    await rm(only, { recursive: true, force: true })
  }
}
