import { DflError, type Pixels } from '@dfl/core'
import { gaussianBlur, medianBlur, reduceColors, resize } from '@dfl/image'
import { clamp, type MergeStage } from '../merge-face.js'

/**
 * A stage that sharpens the painted face, or softens it where `percent` is negative.
 *
 * @param percent −100..100. 100 adds as much again of the detail finer than a pixel of the model; −100 takes it away.
 * Source: unsharp masking, Gonzalez, Woods, Digital Image Processing. Deviation: DFL softens by medians.
 */
export function sharpen(percent: number): MergeStage {
  expectPercent('sharpen', percent, -100)
  return changed(percent, (face) => mixed(face, gaussianBlur(face, 1), -percent / 100))
}

/**
 * A stage that takes grain and fine texture off the painted face.
 *
 * @param percent 0..100: how much of a 5 × 5 median shows.
 * Source: Tukey 1977, Exploratory Data Analysis. Deviation: DFL does this to the whole frame; here pixels outside the mask
 * stay as they are.
 */
export function denoise(percent: number): MergeStage {
  expectPercent('denoise', percent, 0)
  return changed(percent, (face) => mixed(face, medianBlur(face, 2), percent / 100))
}

/**
 * A stage that lowers the resolution of the painted face to that of a soft frame: made smaller by `percent` and large
 * again.
 *
 * @param percent 0..100. Deviation: DFL does this to the whole frame; here pixels outside the mask stay as they are.
 * Source: bicubic: Keys 1981, https://doi.org/10.1109/TASSP.1981.1163711
 */
export function degrade(percent: number): MergeStage {
  expectPercent('degrade', percent, 0)
  return changed(percent, (face) => {
    const side = Math.max(1, Math.round(face.width * (1 - percent / 101)))
    return resize(resize(face, { width: side, height: side }, { filter: 'cubic' }), face, { filter: 'cubic' })
  })
}

/**
 * A stage that paints the face with 256 colours only, as old video has them.
 *
 * @param percent 0..100: how much of that shows.
 * Source: median cut: Heckbert 1982, https://doi.org/10.1145/800064.801294
 */
export function colorDegrade(percent: number): MergeStage {
  expectPercent('colorDegrade', percent, 0)
  return changed(percent, (face) => mixed(face, reduceColors(face, 256), percent / 100))
}

/**
 * A stage that shows more detail than the model paints: a network's, mixed with the face made larger by as much.
 *
 * @param enhance Gives back the face, [R, R, 3], at a whole multiple of its size.
 * @param percent 0..100: how much of the network's shows.
 */
export function superResolution(enhance: (face: Pixels) => Pixels | Promise<Pixels>, percent = 100): MergeStage {
  expectPercent('superResolution', percent, 0)
  if (percent === 0) return (face) => face
  return async (face) => {
    const fine = await enhance(face.face)
    if (fine.channels !== 3 || fine.width !== fine.height || fine.width % face.face.width !== 0)
      throw new DflError(
        'BAD_SHAPE',
        `Expected a whole multiple of ${face.face.width} px a side and 3 channels from \`enhance\`, but got ${fine.width} x ${fine.height} of ${fine.channels}. Give back the whole square, larger.`,
      )
    return { ...face, face: clamp(mixed(resize(face.face, fine), fine, percent / 100)) }
  }
}

function changed(percent: number, change: (face: Pixels) => Pixels): MergeStage {
  if (percent === 0) return (face) => face
  return (face) => ({ ...face, face: clamp(change(face.face)) })
}

/** A new picture that is `share` of the way from `a` to `b`. */
function mixed(a: Pixels, b: Pixels, share: number): Pixels {
  const data = new Float32Array(a.data.length)
  for (let i = 0; i < data.length; i++) data[i] = a.data[i]! + share * (b.data[i]! - a.data[i]!)
  return { ...a, data }
}

export function expectPercent(name: string, percent: number, min: number): void {
  if (Number.isFinite(percent) && percent >= min && percent <= 100) return
  throw new DflError(
    'BAD_OPTION',
    `Expected a number between ${min} and 100 for \`${name}\`, but got ${percent}. Give percent; 0 switches it off.`,
    { data: { [name]: percent } },
  )
}
