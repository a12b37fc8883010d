import { basename, dirname, extname, join } from 'node:path'
import { DflError } from '@dfl/core'
import { isAnimatedWebp } from './animated-webp.js'
import { unsupported } from './errors.js'
import { frameNames } from './footage-stamp.js'
import { type Frame, type FrameRange, type FrameSource, imageFrame, inRange } from './frame.js'
import { describeImage, readSamples } from './image-samples.js'
import { type Rational, rescale, toFrameRate } from './rational.js'
import { readTimestamps } from './timestamps.js'

export interface FolderSourceOptions extends FrameRange {
  signal?: AbortSignal
  /** Frames per second where the folder has no `timestamps.json`; 25 by default. */
  fps?: number
  /**
   * The images are photos and no sequence: of any sizes, and of any names. Without it the walk ends at an image that differs from
   * the first, and two whose names differ by their ending alone are refused, since results would have one name.
   */
  photos?: boolean
}

/** The images of a folder as frames, in the natural order of their names: 2.png before 10.png, gaps allowed. */
export async function openImageFolder(folder: string, options: FolderSourceOptions): Promise<FrameSource> {
  const names = await frameNames(folder)
  if (names.length === 0)
    throw unsupported(
      folder,
      'a folder of images',
      'one without any',
      'Put .png, .tiff, .exr, .jpg or .webp files there.',
    )
  return openImages(folder, folder, names, options)
}

/** A single image as a clip of one frame. @throws DflError `UNSUPPORTED_MEDIA` where it is an animation. */
export async function openSingleImage(path: string, options: FolderSourceOptions): Promise<FrameSource> {
  if (await isAnimatedWebp(path))
    throw unsupported(
      path,
      'a still picture or a video',
      'an animated WebP',
      'Convert it to a video or to images first.',
    )
  return openImages(path, dirname(path), [basename(path)], options)
}

async function openImages(
  path: string,
  folder: string,
  names: readonly string[],
  options: FolderSourceOptions,
): Promise<FrameSource> {
  const { fps = 25 } = options
  if (!(fps > 0 && Number.isFinite(fps)))
    throw new DflError('BAD_OPTION', `Expected a number above 0 for \`fps\`, but got ${fps}. Give frames per second.`)
  const { linear, ...first } = await describeImage(join(folder, names[0]!))
  const known = await readTimestamps(folder)
  const frameRate = known?.frameRate ?? toFrameRate(fps)
  const timeBase = known?.timeBase ?? { num: frameRate.den, den: frameRate.num }
  const pts = timesOf(names, known?.pts ?? {}, rescale(1, { num: frameRate.den, den: frameRate.num }, timeBase))
  async function* frames(): AsyncGenerator<Frame> {
    if (!options.photos) expectOneEach(path, names)
    for (const [index, name] of names.entries()) {
      options.signal?.throwIfAborted()
      if (!inRange(index, options)) continue
      const file = join(folder, name)
      const image = await readSamples(file)
      const { width, height } = image.samples
      if (!options.photos && (width !== first.width || height !== first.height))
        throw unsupported(
          file,
          `${first.width} x ${first.height} pixels like the first frame`,
          `${width} x ${height}`,
          'Give each clip a folder of its own.',
        )
      yield imageFrame(image, { index, pts: pts[index]!, timeBase, name, file })
    }
  }
  return {
    info: {
      path,
      ...first,
      rotationDegrees: 0,
      sampleAspectRatio: { num: 1, den: 1 },
      frameRate,
      variableFrameRate: known !== undefined && !even(pts),
      frameCount: names.length,
      frameCountIsEstimate: false,
      durationSeconds: secondsUntil(pts, frameRate, timeBase),
      timeBase,
      codec: extname(names[0]!).slice(1).toLowerCase(),
      color: { primaries: 'bt709', transfer: linear ? 'linear' : 'iec61966-2-1', matrix: 'gbr', range: 'full' },
      chromaSite: 'center',
      audio: [],
      metadata: {},
    },
    frames,
    async [Symbol.asyncDispose]() {},
  }
}

/** @throws DflError `UNSUPPORTED_MEDIA` where two images are called the same but for their ending. */
function expectOneEach(path: string, names: readonly string[]): void {
  const stems = new Map<string, string>()
  for (const name of names) {
    const stem = name.slice(0, -extname(name).length)
    const other = stems.get(stem)
    if (other !== undefined)
      throw unsupported(
        path,
        'one image for each frame',
        `'${other}' and '${name}'`,
        'Give each sequence a folder of its own.',
      )
    stems.set(stem, name)
  }
}

/** Times that are known, and after each of them an even step for images that were added later. */
function timesOf(names: readonly string[], known: Readonly<Record<string, number>>, step: number): number[] {
  const out: number[] = []
  for (const name of names) {
    const next = out.length === 0 ? 0 : out[out.length - 1]! + step
    out.push(Math.max(known[name] ?? next, out.length === 0 ? Number.NEGATIVE_INFINITY : out[out.length - 1]! + 1))
  }
  return out
}

const even = (pts: readonly number[]) => pts.every((value, i) => i < 2 || value - pts[i - 1]! === pts[1]! - pts[0]!)

const secondsUntil = (pts: readonly number[], frameRate: Rational, timeBase: Rational) =>
  (pts[pts.length - 1]! * timeBase.num) / timeBase.den + frameRate.den / frameRate.num
