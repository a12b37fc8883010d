import { basename, extname } from 'node:path'
import { estimatePose, imageToFaceMat } from '@dfl/align'
import {
  type Affine,
  DflError,
  type FaceMeta,
  type FaceType,
  isDflError,
  type MaskPolygon,
  type Point,
  type Rect,
} from '@dfl/core'
import { type NdArray, numbersOf, type Picklable, type PickleValue } from '@dfl/core/pickle'
import { faceProblem, filenameProblem } from '../face-rules.js'

/** DeepFaceLab's face types by the names in its images and the numbers in its packs. */
const FACE_TYPES: Readonly<Record<string, FaceType>> = {
  half_face: 'half_face',
  0: 'half_face',
  midfull_face: 'midfull_face',
  1: 'midfull_face',
  full_face: 'full_face',
  2: 'full_face',
  full_face_no_align: 'full_face',
  3: 'full_face',
  whole_face: 'whole_face',
  4: 'whole_face',
  head: 'head',
  10: 'head',
  head_no_align: 'head',
  20: 'head',
}

/** What DeepFaceLab keeps of a face, as it came out of its metadata. */
export type DflMetadata = ReadonlyMap<PickleValue, PickleValue>

/** A face of DeepFaceLab in this project's words. */
export interface DflFace {
  face: FaceMeta
  /** The bytes of its mask's image file, as XSeg left it. */
  mask?: Uint8Array
}

/** What is known of an image besides its metadata. */
export interface DflImage {
  /** File name of the aligned image. */
  filename: string
  /** Side of the aligned image, in pixels. */
  size: number
  /** For messages. */
  place: string
  /** The clip that the faces come from, if it was a video: frame 00012.png is then its twelfth frame. */
  clip?: string
}

/**
 * A face as DeepFaceLab describes it.
 *
 * It does not store times, and scores neither: they are 0 and 1. Frames are numbered by the digits of their names.
 *
 * @throws DflError `CORRUPT_FILE` when something is missing or not as it should be.
 */
export function fromDfl(metadata: DflMetadata, image: DflImage): DflFace {
  const { filename, size, place, clip } = image
  const refuse = (expected: string, name: string): never => {
    throw new DflError(
      'CORRUPT_FILE',
      `Expected ${expected} for \`${name}\` in the metadata of \`${place}\`, but got something else. ` +
        'Extract this face again, or leave it out.',
      { data: { path: place } },
    )
  }
  const get = (name: string): PickleValue => metadata.get(name) ?? null
  const faceType = FACE_TYPES[String(get('face_type'))] ?? refuse('a face type with an aligned image', 'face_type')
  const landmarks = pointsOf(get('landmarks')) ?? refuse('68 points', 'landmarks')
  const sourceLandmarks = pointsOf(get('source_landmarks')) ?? landmarks
  const frame = String(get('source_filename') ?? `${basename(filename, extname(filename)).replace(/_\d+$/, '')}.png`)
  const number = Number(/(\d+)\D*$/.exec(basename(frame, extname(frame)))?.[1] ?? 0)
  // DeepFaceLab counts frames of a clip from 1.
  const frameIndex = Number.isSafeInteger(number) ? Math.max(0, number - 1) : 0
  const expandMod = get('eyebrows_expand_mod')
  const polygons = polygonsOf(get('seg_ie_polys'))
  const person = get('person_name')
  const placed = placeOf(sourceLandmarks, faceType, size) ?? refuse('landmarks of a face', 'source_landmarks')
  const face: FaceMeta = {
    filename: plainName(filename),
    faceType,
    size,
    landmarks,
    sourceFilename: clip ? `${basename(clip)}#${frameIndex}` : basename(frame),
    frameIndex,
    timestampSeconds: 0,
    faceIndex: Number(/_(\d{1,4})\.[a-z]+$/i.exec(filename)?.[1] ?? 0),
    sourceLandmarks,
    sourceRect: rectOf(get('source_rect')) ?? around(sourceLandmarks),
    imageToFaceMat: matOf(get('image_to_face_mat')) ?? placed.imageToFaceMat,
    score: 1,
    pose: placed.pose,
    ...(typeof person === 'string' && person !== '' && { person: person.slice(0, 200) }),
    ...(typeof expandMod === 'number' && Number.isFinite(expandMod) && { eyebrowsExpandMod: clamp(expandMod, 0, 10) }),
    ...(polygons.length > 0 && { polygons }),
  }
  const problem = faceProblem(face) ?? filenameProblem(face.filename)
  if (problem) throw new DflError('CORRUPT_FILE', `${problem} It stands in the metadata of \`${place}\`: leave it out.`)
  return {
    face: { ...face, pose: estimatePose(sourceLandmarks) },
    mask: bytesOf(get('xseg_mask')) ?? bytesOf(get('xseg_mask_compressed')),
  }
}

/** Where landmarks put a face, and how it is turned; nothing where they cannot be those of a face. */
export function placeOf(
  landmarks: FaceMeta['landmarks'],
  faceType: FaceType,
  size: number,
): Required<Pick<FaceMeta, 'imageToFaceMat' | 'pose'>> | undefined {
  try {
    const place = { imageToFaceMat: imageToFaceMat(landmarks, faceType, size), pose: estimatePose(landmarks) }
    return [...place.imageToFaceMat, ...Object.values(place.pose)].every(Number.isFinite) ? place : undefined
  } catch (error) {
    if (isDflError(error)) return undefined // They all lie in one point, or on a line.
    throw error
  }
}

/** A face in DeepFaceLab's words, for its metadata. */
export function toDfl(face: FaceMeta, mask: Uint8Array | undefined): { [name: string]: Picklable } {
  const { sourceRect: rect, imageToFaceMat: m, polygons, eyebrowsExpandMod } = face
  const corners = [rect.x, rect.y, rect.x + rect.width, rect.y + rect.height].map(Math.round)
  return {
    face_type: face.faceType,
    landmarks: face.landmarks.map(([x, y]) => [x, y]),
    ...(eyebrowsExpandMod !== undefined && { eyebrows_expand_mod: eyebrowsExpandMod }),
    // A name of an image: 'clip.mp4#11' becomes '00012.png', as DeepFaceLab calls the frames of a clip.
    source_filename: face.sourceFilename.includes('#')
      ? `${String(face.frameIndex + 1).padStart(5, '0')}.png`
      : basename(face.sourceFilename),
    source_rect: { type: 'i4', shape: [4], values: corners },
    source_landmarks: face.sourceLandmarks.map(([x, y]) => [x, y]),
    image_to_face_mat: { type: 'f8', shape: [2, 3], values: m },
    ...(polygons && {
      seg_ie_polys: {
        polys: polygons.map(({ kind, points }) => ({
          type: kind === 'include' ? 1 : 0,
          pts: { type: 'f4', shape: [points.length, 2], values: points.flat() },
        })),
      },
    }),
    ...(mask && { xseg_mask: { type: 'u1', shape: [mask.length], values: mask } }),
  }
}

/** A name that is safe in any folder; DeepFaceLab's are, hostile ones are made so. */
function plainName(filename: string): string {
  const name = basename(filename.replaceAll('\\', '/'))
  return name.replace(/[/\\:*?"<>|\p{Cc}]+/gu, '_').replace(/^\.+/, '_')
}

/** An array of NumPy or nested lists as numbers, row by row. */
function valuesOf(value: PickleValue | undefined): number[] | undefined {
  if (Array.isArray(value)) {
    const flat = value.flat(2)
    return flat.every((item) => typeof item === 'number') ? (flat as number[]) : undefined
  }
  return isArray(value) ? numbersOf(value) : undefined
}

const isArray = (value: PickleValue | undefined): value is NdArray =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'ndarray'

function pairsOf(values: readonly number[]): Point[] {
  return Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i]!, values[2 * i + 1]!])
}

function pointsOf(value: PickleValue): Point[] | undefined {
  const values = valuesOf(value)
  return values?.length === 136 ? pairsOf(values) : undefined
}

function rectOf(value: PickleValue): Rect | undefined {
  const values = valuesOf(value)
  if (values?.length !== 4) return undefined
  const [left, top, right, bottom] = values as [number, number, number, number]
  return { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) }
}

function around(points: readonly Point[]): Rect {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)]
  const [x, y] = [Math.min(...xs), Math.min(...ys)]
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y }
}

function matOf(value: PickleValue): Affine | undefined {
  const values = valuesOf(value)
  return values?.length === 6 ? (values as unknown as Affine) : undefined
}

function polygonsOf(value: PickleValue): MaskPolygon[] {
  const list = value instanceof Map ? value.get('polys') : value
  if (!Array.isArray(list)) return []
  return list.flatMap((item): MaskPolygon[] => {
    if (!(item instanceof Map)) return []
    const values = valuesOf(item.get('pts')) ?? []
    if (values.length < 6 || values.length % 2 !== 0) return []
    return [{ kind: item.get('type') === 0 ? 'exclude' : 'include', points: pairsOf(values) }]
  })
}

function bytesOf(value: PickleValue): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  return isArray(value) && value.type === 'u1' ? value.bytes : undefined
}

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value))
