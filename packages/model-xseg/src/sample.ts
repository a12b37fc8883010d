import { DflError, type MaskPolygon, type Pixels, type Random } from '@dfl/core'
import { createPixels, fillPolygons, resize } from '@dfl/image'
import { drawMotion, move } from './motion.js'
import {
  blend,
  compress,
  flare,
  inCircle,
  motionBlur,
  type Noise,
  recolour,
  rescale,
  sharpen,
  soften,
} from './noise.js'

/** A face on which somebody has drawn what shall be swapped, or whose mask is known otherwise. */
export interface LabelledFace {
  /** [S, S, 3] float32 0..1. */
  image: Pixels
  /** In pixels of `image`. Included ones are filled before excluded ones are cut out. */
  polygons?: readonly MaskPolygon[]
  /** [S, S, 1] float32 0..1; used where no polygon is included. */
  mask?: Pixels
}

/** What the model sees and what it must find. */
export interface MaskSample {
  /** [R, R, 3] float32 0..1. */
  image: Pixels
  /** [R, R, 1], 0 or 1. */
  mask: Pixels
}

/**
 * The mask of a labelled face: [S, S, 1] float32 0..1.
 *
 * @throws DflError `BAD_SHAPE` for a face without polygons that is given no mask.
 */
export function labelMask({ image, polygons = [], mask }: LabelledFace): Pixels {
  const of = (kind: MaskPolygon['kind']) => polygons.filter((p) => p.kind === kind).map(({ points }) => points)
  const included = of('include')
  if (included.length === 0 && !mask)
    throw new DflError(
      'BAD_SHAPE',
      'Expected at least one included polygon or a mask for a labelled face, but got none. Label it, or leave it out.',
    )
  const out = createPixels(image.width, image.height, 1)
  if (included.length > 0) fillPolygons(out, included)
  else out.data.set(mask!.data)
  const excluded = of('exclude')
  if (excluded.length > 0) fillPolygons(out, excluded, 0)
  return out
}

/** A face and its mask at the model's resolution, as they are: what a label is compared with, and for previews. */
export function plainSample(face: LabelledFace, resolution: number): MaskSample {
  const size = { width: resolution, height: resolution }
  const fit = (pixels: Pixels) => (pixels.width === resolution ? pixels : resize(pixels, size))
  return binary({ image: fit(face.image), mask: fit(labelMask(face)) })
}

/**
 * A sample for training: a face in front of another background, moved, warped, lit and stored in ways that hide it.
 *
 * @param faces  All that are labelled; the background is taken from any other of them.
 * @param index  Which of them.
 *
 * Source: the order and the chances of DeepFaceLab's XSeg training.
 */
export function drawSample(
  faces: readonly LabelledFace[],
  index: number,
  { random, resolution: R }: { random: Random; resolution: number },
): MaskSample {
  let { image, mask } = plainSample(faces[index]!, R)
  if (random.chance(0.5) && faces.length > 1) {
    const other = (index + 1 + random.integer(faces.length - 1)) % faces.length
    image = onBackground({ image, mask }, plainSample(faces[other]!, R), random)
  }
  const motion = drawMotion(random, R, { rotationDegrees: 10, zoom: 0.05, shift: 0.05, flipChance: 0.4, warp: true })
  ;({ image, mask } = binary({ image: move(image, motion), mask: move(mask, motion) }))

  const outside = { ...mask, data: mask.data.map((v) => 1 - v) }
  const sometimes = (chance: number, noise: Noise) => {
    if (random.chance(chance)) image = noise(image, random)
  }
  sometimes(0.5, flare(mask))
  sometimes(0.5, flare(outside))
  sometimes(1, inCircle(recolour))
  if (random.chance(0.5)) sometimes(0.5, sharpen)
  else {
    sometimes(0.25, motionBlur)
    sometimes(0.25, soften)
  }
  sometimes(0.25, inCircle(rescale))
  sometimes(0.25, inCircle(compress))
  return { image, mask }
}

/** The face before what surrounds another one, moved about and recoloured. */
function onBackground({ image, mask }: MaskSample, other: MaskSample, random: Random): Pixels {
  const R = image.width
  const motion = drawMotion(random, R, { rotationDegrees: 180, zoom: 0.1, shift: 0.1, flipChance: 0.5, warp: false })
  const background = recolour(move(other.image, motion), random)
  const itsFace = move(other.mask, motion)
  const weight = random.uniform(0, 0.85)
  const share = { ...mask, data: mask.data.map((v, i) => weight * (1 - v) * (1 - itsFace.data[i]!)) }
  return blend(image, background, share)
}

const binary = ({ image, mask }: MaskSample): MaskSample => ({
  image,
  mask: { ...mask, data: mask.data.map((v) => Number(v >= 0.5)) },
})

/** Samples as one side of a training batch: what is seen and what must be found, [N, R, R, C] each. */
export function batchOf(samples: readonly MaskSample[]): {
  warped: Float32Array
  target: Float32Array
  mask: Float32Array
} {
  const joined = (part: 'image' | 'mask') => {
    const size = samples[0]!.image.width ** 2 * (part === 'image' ? 3 : 1)
    const out = new Float32Array(samples.length * size)
    samples.forEach((sample, i) => {
      out.set(sample[part].data, i * size)
    })
    return out
  }
  const image = joined('image')
  return { warped: image, target: image, mask: joined('mask') }
}
