import { DflError, type Pixels } from '@dfl/core'
import { copyPixels, dilate, erode as erodeMask, gaussianBlur, resize } from '@dfl/image'
import { clamp, type Masker, type MergeFace, type MergeStage } from '../merge-face.js'
import { outline } from './outline.js'
import { type XSegMasks, xsegMasks } from './xseg-masks.js'

/** Which mask says where the new face goes, in DFL's words. */
export const MASK_MODES = [
  'learned-prd*learned-dst',
  'learned-prd+learned-dst',
  'learned-prd',
  'learned-dst',
  'XSeg-prd',
  'XSeg-dst',
  'XSeg-prd*XSeg-dst',
  'learned-prd*learned-dst*XSeg-prd*XSeg-dst',
  'dst',
  'full',
] as const

/** One of `MASK_MODES`. */
export type MaskMode = (typeof MASK_MODES)[number]

/** Masks are worked on as if each face were 256 px wide, so that a number does the same to every face and model. */
const UNIT = 256

/**
 * A stage that takes the mask from the model, from a trained XSeg or from DST's landmarks.
 *
 * `learned-prd` is the painted face's mask, `learned-dst` that of DST's face, as the model paints them; `XSeg-prd` and
 * `XSeg-dst` are what an XSeg finds in the painted face and in the frame. `*` is the product, `+` the sum cut to 1. `dst`
 * is the outline of DST's face: what was drawn by hand, else the mask that the faceset holds, else the hull of its
 * landmarks; `full` the whole square. What is below 1/255 becomes 0.
 *
 * @param options `insideHull`: whether the outline of DST's face limits the mask. `masker`: the XSeg, for modes that name it.
 * @throws DflError `BAD_OPTION` for a mode that it does not know, or one of XSeg without a `masker`.
 */
export function mask(mode: MaskMode, options: { insideHull?: boolean; masker?: Masker } = {}): MergeStage {
  if (!MASK_MODES.includes(mode))
    throw new DflError(
      'BAD_OPTION',
      `Expected one of ${MASK_MODES.join(', ')} for \`mode\`, but got '${mode}'. Choose one of these masks.`,
      { data: { mode, choices: MASK_MODES } },
    )
  const { insideHull, masker } = options
  const factors = mode.split(/[*+]/)
  const sides = (['prd', 'dst'] as const).filter((side) => factors.includes(`XSeg-${side}`))
  if (sides.length > 0 && !masker)
    throw new DflError(
      'BAD_OPTION',
      `Expected a trained XSeg for \`mask\` '${mode}', but got none. Give a masker, or choose a mask without XSeg.`,
      { data: { mode } },
    )
  return async (face) => {
    const known: XSegMasks = face.dstFace ? { dst: face.dstFace } : {}
    const unknown = sides.filter((side) => !known[side])
    const found = masker && unknown.length > 0 ? { ...known, ...(await xsegMasks(face, masker, unknown)) } : known
    const size = face.mask.width
    const parts = factors.map((factor) => grow(factorOf(factor, face, found), size))
    const out = copyPixels(parts[0]!)
    const { data } = out
    for (const part of parts.slice(1))
      if (mode.includes('+')) for (let i = 0; i < data.length; i++) data[i] = Math.min(1, data[i]! + part.data[i]!)
      else multiply(data, part.data)
    if (insideHull && mode !== 'dst') multiply(data, outline(face, size).data)
    for (let i = 0; i < data.length; i++) if (data[i]! < 1 / 255) data[i] = 0
    return { ...face, mask: out, ...(found.dst ? { dstFace: found.dst } : {}) }
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

/** One of the masks that a mode's name is made of, at its own size. */
function factorOf(factor: string, face: MergeFace, xseg: XSegMasks): Pixels {
  switch (factor) {
    case 'learned-prd':
      return face.swap.mask
    case 'learned-dst':
      return face.swap.dstMask
    case 'XSeg-prd':
      return xseg.prd!
    case 'XSeg-dst':
      return xseg.dst!
    case 'dst':
      return outline(face, face.mask.width)
    default:
      return { ...face.mask, data: new Float32Array(face.mask.data.length).fill(1) }
  }
}

/** A mask at the size at which masks are worked on. */
const grow = (mask: Pixels, size: number): Pixels =>
  mask.width === size ? mask : clamp(resize(mask, { width: size, height: size }))

/** `target` times `factor`, in place. */
function multiply(target: Float32Array, factor: Float32Array): void {
  for (let i = 0; i < target.length; i++) target[i]! *= factor[i]!
}

/** A copy with zeros along the square's edge, `border` pixels wide. */
function edged(mask: Pixels, border: number): Pixels {
  const { width, height } = mask
  const out = copyPixels(mask)
  const { data } = out
  for (let y = 0; y < height; y++) {
    if (y < border || y >= height - border) data.fill(0, y * width, (y + 1) * width)
    else {
      data.fill(0, y * width, y * width + border)
      data.fill(0, (y + 1) * width - border, (y + 1) * width)
    }
  }
  return out
}

function expectNumber(name: string, px: number, min: number): void {
  if (Number.isFinite(px) && px >= min) return
  throw new DflError(
    'BAD_OPTION',
    `Expected a number of px${min === 0 ? ' of at least 0' : ''} for \`${name}\`, but got ${px}. Give pixels of a 256 px face.`,
    { data: { name, px } },
  )
}
