import { hullMask } from '@dfl/align'
import { type Affine, DflError, type Pixels } from '@dfl/core'
import { faceMask } from '@dfl/faceset'
import {
  applyAffineAll,
  dilate,
  erode as erodeMask,
  gaussianBlur,
  invertAffine,
  multiplyAffine,
  resize,
} from '@dfl/image'
import { clamp, type MergeFace, type MergeStage, squareMat } from '../merge-face.js'

/** Which mask says where the new face goes, in DFL's words. */
export const MASK_MODES = [
  'learned-prd*learned-dst',
  'learned-prd+learned-dst',
  'learned-prd',
  'learned-dst',
  'dst',
  'full',
] as const

/** One of `MASK_MODES`. */
export type MaskMode = (typeof MASK_MODES)[number]

/** Masks are worked on as if each face were 256 px wide, so that a number does the same to every face and model. */
const UNIT = 256

/**
 * A stage that takes the mask from the model or from DST's landmarks.
 *
 * `learned-prd` is the painted face's mask, `learned-dst` that of DST's face, `*` their product, `+` their sum cut to 1;
 * `dst` is the outline of DST's face: what was drawn by hand, else the mask that the faceset holds, else the hull of its
 * landmarks; `full` the whole square. What is below 1/255 becomes 0.
 *
 * @param options `insideHull`: whether the outline of DST's face limits the mask.
 */
export function mask(mode: MaskMode, options: { insideHull?: boolean } = {}): MergeStage {
  if (!MASK_MODES.includes(mode))
    throw new DflError(
      'BAD_OPTION',
      `Expected one of ${MASK_MODES.join(', ')} for \`mode\`, but got '${mode}'. Choose one of these masks.`,
      { data: { mode, choices: MASK_MODES } },
    )
  return (face) => {
    const learned = mode === 'dst' || mode === 'full' ? undefined : grow(combine(mode, face), face.mask.width)
    const out =
      learned ??
      (mode === 'dst' ? outline(face) : { ...face.mask, data: new Float32Array(face.mask.data.length).fill(1) })
    if (options.insideHull && mode !== 'dst') multiply(out.data, outline(face).data)
    const { data } = out
    for (let i = 0; i < data.length; i++) if (data[i]! < 1 / 255) data[i] = 0
    return { ...face, mask: out }
  }
}

/**
 * A stage that makes the mask smaller all round, or larger where `px` is negative.
 *
 * @param px In pixels of a face whose crop is 256 pixels wide.
 */
export function erode(px: number): MergeStage {
  expectNumber('erode', px, Number.NEGATIVE_INFINITY)
  return (face) => {
    const radius = (Math.abs(px) * face.mask.width) / UNIT
    if (radius === 0) return face
    // What lies outside the square is no face: eroding starts at the square's edge too.
    return { ...face, mask: px > 0 ? erodeMask(edged(face.mask, 1), radius) : dilate(face.mask, radius) }
  }
}

/**
 * A stage that softens the mask's edge inwards and outwards, and lets it fade to 0 inside the square.
 *
 * @param px Width of the soft edge, from 2 % to 98 %, in pixels of a face whose crop is 256 pixels wide.
 */
export function blur(px: number): MergeStage {
  expectNumber('blur', px, 0)
  return (face) => {
    const sigma = ((px / 4.1) * face.mask.width) / UNIT // the normal distribution's 2 % and 98 % lie 4.1 σ apart
    if (sigma === 0) return face
    const bounded = edged(face.mask, Math.ceil(3 * sigma))
    return { ...face, mask: clamp(gaussianBlur(bounded, sigma)) }
  }
}

/**
 * Where DST's face is, in the mask's geometry: as drawn by hand, as the faceset's own mask says, or else the hull of its
 * landmarks.
 */
function outline(face: MergeFace): Pixels {
  const size = face.mask.width
  const { meta } = face
  const frameToMask: Affine = multiplyAffine(squareMat(face.dst.width, size), face.imageToFaceMat)
  if (!meta.ownMask && !meta.polygons?.length) {
    const { eyebrowsExpandMod } = meta
    return hullMask(applyAffineAll(frameToMask, meta.sourceLandmarks), size, { eyebrowsExpandMod })
  }
  const landmarks = applyAffineAll(meta.imageToFaceMat, meta.sourceLandmarks)
  const alignedToOutputMat = multiplyAffine(frameToMask, invertAffine(meta.imageToFaceMat))
  const place = { alignedToOutputMat, size: { width: size, height: size } }
  return faceMask({ ...meta, landmarks }, { mask: meta.ownMask, ...place })
}

/** A copy of the model's masks, combined, at the model's resolution. */
function combine(mode: Exclude<MaskMode, 'dst' | 'full'>, { swap }: MergeFace): Pixels {
  const data = (mode === 'learned-dst' ? swap.dstMask : swap.mask).data.slice()
  const dst = swap.dstMask.data
  if (mode === 'learned-prd*learned-dst') multiply(data, dst)
  else if (mode === 'learned-prd+learned-dst')
    for (let i = 0; i < data.length; i++) data[i] = Math.min(1, data[i]! + dst[i]!)
  return { ...swap.mask, data }
}

/** A mask at a larger size. */
const grow = (mask: Pixels, size: number): Pixels =>
  mask.width === size ? mask : clamp(resize(mask, { width: size, height: size }))

/** `target` times `factor`, in place. */
function multiply(target: Float32Array, factor: Float32Array): void {
  for (let i = 0; i < target.length; i++) target[i]! *= factor[i]!
}

/** A copy with zeros along the square's edge, `border` pixels wide. */
function edged(mask: Pixels, border: number): Pixels {
  const { width, height } = mask
  const data = mask.data.slice()
  for (let y = 0; y < height; y++) {
    if (y < border || y >= height - border) data.fill(0, y * width, (y + 1) * width)
    else {
      data.fill(0, y * width, y * width + border)
      data.fill(0, (y + 1) * width - border, (y + 1) * width)
    }
  }
  return { ...mask, data }
}

function expectNumber(name: string, px: number, min: number): void {
  if (Number.isFinite(px) && px >= min) return
  throw new DflError(
    'BAD_OPTION',
    `Expected a number of px${min === 0 ? ' of at least 0' : ''} for \`${name}\`, but got ${px}. Give pixels of a 256 px face.`,
    { data: { name, px } },
  )
}
