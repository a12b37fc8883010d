import { estimatePose, eyeOpening, mouthOpening } from '@dfl/align'
import { type Bitmap, type FaceMeta, mapConcurrent, type Pixels, type Rect } from '@dfl/core'
import { createPixels, resize, sampleScale } from '@dfl/image'
import { faceMask } from '../face-mask.js'
import type { Faceset } from '../faceset.js'
import type { FacesetProgress } from '../pack/pack-faceset.js'
import { laplacianVariance, sharpness } from './sharpness.js'

/** What is looked at in the images, besides what is known of the faces. */
export type Looked = 'sharpness' | 'motionBlur' | 'colors' | 'light' | 'histogram' | 'grayHistogram' | 'thumbnail'

/** What sorting, filtering and reports know of a face. */
export interface FaceFacts
  extends Pick<
    FaceMeta,
    'filename' | 'sourceFilename' | 'frameIndex' | 'faceIndex' | 'originalFilename' | 'person' | 'score'
  > {
  yawDegrees: number
  pitchDegrees: number
  /** In pixels of the frame. */
  sourceRect: Rect
  /** Of the detector's box, in pixels of the frame. */
  sourceArea: number
  mouthOpening: number
  eyeOpening: number
  embedding?: Float32Array
  /** 0..1, the share of sharp edges. */
  sharpness: number
  /** Variance of the Laplacian. */
  motionBlur: number
  /** Mean value and hue of the whole image, 0..1, and how many of its samples are 0. */
  brightness: number
  hue: number
  black: number
  /** Where the light comes from: −1..1 from the left of the image to the right, and from above to below. */
  lightX: number
  lightY: number
  /** Square roots of the shares of 64 levels of R, G, B, and of 64 gray levels inside the mask. */
  histogram?: Float32Array
  grayHistogram?: Float32Array
  /** 16 x 16 pixels of R, G, B. */
  thumbnail?: Uint8Array
}

export const THUMBNAIL_SIDE = 16
const LEVELS = 64
/** Images are looked at in no more than this side, in pixels. */
const LARGEST = 512

/**
 * The facts of all faces of a faceset, in its order, at the end. Walk it to make it work.
 *
 * @param looked What to look at in the images; without any, no image is read.
 */
export async function* factsOf(
  faceset: Faceset,
  looked: readonly Looked[],
): AsyncGenerator<FacesetProgress, FaceFacts[]> {
  const total = faceset.info.count
  const wanted = new Set(looked)
  const facts: FaceFacts[] = []
  const look = async (face: FaceMeta): Promise<FaceFacts> => {
    const known = knownFacts(face)
    if (wanted.size === 0) return known
    const image = await faceset.readImage(face)
    const mask = faceMask(face, { mask: await faceset.readMask(face) })
    return lookAt(image, mask, known, wanted)
  }
  for await (const one of mapConcurrent(faceset.faces(), look, 4)) {
    facts.push(one)
    yield { done: facts.length, total }
  }
  return facts
}

function knownFacts(face: FaceMeta): FaceFacts {
  const { filename, sourceFilename, frameIndex, faceIndex, originalFilename, person, score, sourceRect } = face
  const { yawDegrees, pitchDegrees } = face.pose ?? estimatePose(face.sourceLandmarks)
  return {
    ...{ filename, sourceFilename, frameIndex, faceIndex, originalFilename, person, score, sourceRect },
    ...{ yawDegrees, pitchDegrees },
    sourceArea: sourceRect.width * sourceRect.height,
    mouthOpening: mouthOpening(face.sourceLandmarks),
    eyeOpening: eyeOpening(face.sourceLandmarks),
    ...(face.embedding && { embedding: Float32Array.from(face.embedding) }),
    ...{ sharpness: 0, motionBlur: 0, brightness: 0, hue: 0, black: 0, lightX: 0, lightY: 0 },
  }
}

function lookAt(image: Bitmap, mask: Pixels, known: FaceFacts, wanted: ReadonlySet<Looked>): FaceFacts {
  const facts = { ...known }
  if (wanted.has('colors')) Object.assign(facts, colorsOf(image))
  if (wanted.has('histogram')) facts.histogram = histogramOf(image)
  if (wanted.has('thumbnail')) facts.thumbnail = thumbnailOf(image)
  const inGray = (['sharpness', 'motionBlur', 'light', 'grayHistogram'] as const).some((name) => wanted.has(name))
  if (!inGray) return facts
  const large = grayOf(image)
  const side = Math.min(LARGEST, image.width)
  const size = { width: side, height: side }
  const gray = side === image.width ? large : resize(large, size)
  const inside = side === image.width ? mask : resize(mask, size)
  if (wanted.has('sharpness')) facts.sharpness = sharpness(gray, inside)
  if (wanted.has('motionBlur')) facts.motionBlur = laplacianVariance(gray, inside)
  if (wanted.has('light')) Object.assign(facts, lightOf(gray, inside))
  if (wanted.has('grayHistogram')) facts.grayHistogram = maskedHistogram(gray, inside)
  return facts
}

/** Luma, [H, W, 1] float32 0..1. */
function grayOf(image: Bitmap): Pixels {
  const { data, width, height } = image
  const out = createPixels(width, height, 1)
  const scale = sampleScale(image)
  const [r, g, b] = [0.299 * scale, 0.587 * scale, 0.114 * scale]
  for (let i = 0, p = 0; i < out.data.length; i++, p += 3)
    out.data[i] = r * data[p]! + g * data[p + 1]! + b * data[p + 2]!
  return out
}

/** Mean of HSV value and hue, and the number of samples that are 0. */
function colorsOf(image: Bitmap): Pick<FaceFacts, 'brightness' | 'hue' | 'black'> {
  const { data } = image
  const count = data.length / 3
  const scale = sampleScale(image)
  let [value, hue, black] = [0, 0, 0]
  for (let i = 0; i < data.length; i += 3) {
    const [r, g, b] = [data[i]!, data[i + 1]!, data[i + 2]!]
    if (r === 0) black++
    if (g === 0) black++
    if (b === 0) black++
    const high = r > g ? (r > b ? r : b) : g > b ? g : b
    const low = r < g ? (r < b ? r : b) : g < b ? g : b
    value += high
    if (high === low) continue
    const range = 6 * (high - low)
    const turn = high === r ? (g - b) / range : high === g ? 1 / 3 + (b - r) / range : 2 / 3 + (r - g) / range
    hue += turn < 0 ? turn + 1 : turn
  }
  return { brightness: (value * scale) / count, hue: hue / count, black }
}

/** Where the brightness inside the mask has its weight, against where the mask has its own. */
function lightOf({ data, width, height }: Pixels, inside: Pixels): Pick<FaceFacts, 'lightX' | 'lightY'> {
  let [area, areaX, areaY, sum, sumX, sumY] = [0, 0, 0, 0, 0, 0]
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) {
      const weight = inside.data[i]!
      const light = weight * data[i]!
      area += weight
      areaX += weight * x
      areaY += weight * y
      sum += light
      sumX += light * x
      sumY += light * y
    }
  if (area === 0 || sum === 0) return { lightX: 0, lightY: 0 }
  const spread = Math.sqrt(area) / 4
  return { lightX: (sumX / sum - areaX / area) / spread, lightY: (sumY / sum - areaY / area) / spread }
}

function histogramOf({ data }: Bitmap): Float32Array {
  const out = new Float32Array(3 * LEVELS)
  const shift = data instanceof Uint16Array ? 10 : 2
  for (let i = 0; i < data.length; i += 3) {
    out[data[i]! >> shift]!++
    out[LEVELS + (data[i + 1]! >> shift)]!++
    out[2 * LEVELS + (data[i + 2]! >> shift)]!++
  }
  return rooted(out, data.length / 3)
}

function maskedHistogram({ data }: Pixels, inside: Pixels): Float32Array {
  const out = new Float32Array(LEVELS)
  let count = 0
  for (let i = 0; i < data.length; i++) {
    if (inside.data[i]! < 1) continue
    out[Math.min(LEVELS - 1, (data[i]! * LEVELS) | 0)]!++
    count++
  }
  return rooted(out, Math.max(1, count))
}

/** Square roots of shares: the product of two such histograms is their Bhattacharyya coefficient. */
function rooted(counts: Float32Array, total: number): Float32Array {
  for (let i = 0; i < counts.length; i++) counts[i] = Math.sqrt(counts[i]! / total)
  return counts
}

function thumbnailOf(image: Bitmap): Uint8Array {
  const small = resize(image, { width: THUMBNAIL_SIDE, height: THUMBNAIL_SIDE }, { filter: 'area' })
  return Uint8Array.from(small.data, (value) => Math.min(255, Math.max(0, value * 255 + 0.5)))
}
