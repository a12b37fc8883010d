import { type Affine, DflError, FACE_TYPES, type FaceType, type Landmarks, type Point } from '@dfl/core'
import { applyAffineAll, invertAffine } from '@dfl/image'
import { checkLandmarks, range } from './landmarks.js'
import { similarityTransform } from './umeyama.js'

/**
 * A mean face in a unit square: landmarks 17 to 48, then 54. No jaw and no lips, as those move when a face speaks.
 *
 * The same numbers as in DeepFaceLab and other face-swap tools, so that facesets are interchangeable.
 */
const TEMPLATE: readonly Point[] = [
  [0.000213, 0.106454],
  [0.075262, 0.038915],
  [0.18113, 0.018748],
  [0.29077, 0.034489],
  [0.393397, 0.077391],
  [0.586856, 0.077391],
  [0.689483, 0.034489],
  [0.799124, 0.018748],
  [0.904991, 0.038915],
  [0.98004, 0.106454],
  [0.490127, 0.203352],
  [0.490127, 0.307009],
  [0.490127, 0.409805],
  [0.490127, 0.515625],
  [0.36688, 0.587326],
  [0.426036, 0.609345],
  [0.490127, 0.628106],
  [0.554217, 0.609345],
  [0.613373, 0.587326],
  [0.121737, 0.216423],
  [0.187122, 0.178758],
  [0.265825, 0.179852],
  [0.334606, 0.231733],
  [0.260918, 0.245099],
  [0.182743, 0.244077],
  [0.645647, 0.231733],
  [0.714428, 0.179852],
  [0.793132, 0.178758],
  [0.858516, 0.216423],
  [0.79751, 0.244077],
  [0.719335, 0.245099],
  [0.254149, 0.780233],
  [0.726104, 0.780233],
]

/** What a face type adds to the template's square. */
interface Cut {
  /** Margin on every side, in half diagonals of the template's square. */
  padding: number
  /** Shift towards the forehead, in sides of the template's square. */
  up: number
  /** Whether the cut follows a turned head towards its hidden side. */
  followsYaw: boolean
}

const CUTS: Readonly<Record<FaceType, Cut>> = {
  half_face: { padding: 0, up: 0, followsYaw: false },
  midfull_face: { padding: 0.0675, up: 0, followsYaw: false },
  full_face: { padding: 0.2109375, up: 0, followsYaw: false },
  whole_face: { padding: 0.4, up: 0.07, followsYaw: false },
  head: { padding: 0.7, up: 0.5, followsYaw: true },
}

/** Options of the functions that cut a face. */
export interface CutOptions {
  /** Divides the side of the square that is cut: above 1 the face fills more of it. Default 1. */
  scale?: number
}

/**
 * The map from pixels of the frame to pixels of the aligned image.
 *
 * The aligned image covers the face's square exactly: its corner pixels have their outer corners at the square's
 * corners, so the square spans −0.5 to size − 0.5, as (0, 0) is the centre of a pixel. DeepFaceLab maps the corners to 0
 * and size instead, half a pixel further right and down; its facesets are none the worse, as they store the landmarks.
 *
 * @param landmarks  In pixels of the frame.
 * @param size  Side of the aligned image, in pixels.
 *
 * Source: alignment as DeepFaceLab, apart from its half pixel
 */
export function imageToFaceMat(
  landmarks: Landmarks,
  faceType: FaceType,
  size: number,
  options: CutOptions = {},
): Affine {
  if (!Number.isFinite(size) || size <= 0)
    throw new DflError('BAD_OPTION', `Expected a number above 0 for \`size\`, but got ${size}.`)
  const [topLeft, topRight] = faceCorners(landmarks, faceType, options)
  // A square turned upright: its top edge becomes the x axis.
  const dx = topRight[0] - topLeft[0]
  const dy = topRight[1] - topLeft[1]
  const toUnits = size / (dx * dx + dy * dy)
  const a = dx * toUnits
  const b = dy * toUnits
  return [a, b, -a * topLeft[0] - b * topLeft[1] - 0.5, -b, a, b * topLeft[0] - a * topLeft[1] - 0.5]
}

/**
 * The corners of the square that a face type cuts out: top left, top right, bottom right, bottom left as the face sees
 * them, in pixels of the frame (or of whatever image the landmarks are in).
 *
 * @param landmarks  In pixels of that image.
 */
export function faceCorners(landmarks: Landmarks, faceType: FaceType, { scale = 1 }: CutOptions = {}): Point[] {
  checkLandmarks(landmarks)
  const cut = CUTS[faceType]
  if (!cut)
    throw new DflError(
      'UNKNOWN_NAME',
      `Expected one of ${FACE_TYPES.join(', ')} for \`faceType\`, but got '${faceType}'.`,
    )
  if (!Number.isFinite(scale) || scale <= 0)
    throw new DflError('BAD_OPTION', `Expected a number above 0 for \`scale\`, but got ${scale}.`)
  const toTemplateMat = similarityTransform([...range(landmarks, 17, 48), landmarks[54]], TEMPLATE)
  const half = (0.5 + Math.SQRT2 * cut.padding) / scale
  const yaw = cut.followsYaw ? turnOfHead(applyAffineAll(toTemplateMat, landmarks)) : 0
  const x = 0.5 + yaw / 2
  const y = 0.5 - cut.up
  const square: Point[] = [
    [x - half, y - half],
    [x + half, y - half],
    [x + half, y + half],
    [x - half, y + half],
  ]
  return applyAffineAll(invertAffine(toTemplateMat), square)
}

/** How far a head is turned, about −1..1, from how much wider one cheek looks than the other; small turns count less. */
function turnOfHead(landmarks: Landmarks): number {
  const x = landmarks.map((point) => point[0])
  const left = (x[27] - x[0] + x[28] - x[1] + x[29] - x[2]) / 3
  const right = (x[16] - x[27] + x[15] - x[28] + x[14] - x[29]) / 3
  const yaw = right - left
  return yaw * Math.abs(Math.tanh(2 * yaw))
}

/** Whether an aligned image of type `outer` shows all that one of type `inner` shows. */
export function faceTypeContains(outer: FaceType, inner: FaceType): boolean {
  return FACE_TYPES.indexOf(outer) >= FACE_TYPES.indexOf(inner)
}

/**
 * The map from pixels of an aligned image to pixels of a tighter (or the same) cut of the same face.
 *
 * @param landmarks  In pixels of the aligned image, of type `from`.
 * @param cut  `from`: type of the aligned image; `to`: type wanted; `size`: side wanted, in pixels.
 * @throws DflError `FACE_TYPE_MISMATCH` when `to` shows more than `from` does.
 */
export function faceToFaceMat(landmarks: Landmarks, cut: { from: FaceType; to: FaceType; size: number }): Affine {
  if (!faceTypeContains(cut.from, cut.to))
    throw new DflError(
      'FACE_TYPE_MISMATCH',
      `Expected a face type within ${cut.from} for \`to\`, but got ${cut.to}. Extract again with --face-type ${cut.to}.`,
    )
  return imageToFaceMat(landmarks, cut.to, cut.size)
}
