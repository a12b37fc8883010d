import type { Bitmap, Landmarks, Pixels, Point, Random } from '@dfl/core'
import { gaussianBlur, toBitmap, toPixels, warpAffine } from '@dfl/image'

/** A picture and the faces that are truly in it. */
export interface KnownPicture {
  image: Bitmap
  faces: readonly KnownFace[]
}

/** A face that is truly there. */
export interface KnownFace {
  landmarks: Landmarks
  /** Between the outer corners of the eyes when it looks into the camera, in pixels: what errors are parts of. */
  eyeDistance: number
}

/** A way to make looking at a picture hard. `others` are further pictures of one face each. */
export type Condition = (picture: KnownPicture, random: Random, others: readonly KnownPicture[]) => KnownPicture

/** By the names that the table has. */
export const CONDITIONS: Readonly<Record<string, Condition>> = {
  'as it is': (picture) => picture,
  'face 64 px': (picture) => shrunk(picture, 64),
  'face 48 px': (picture) => shrunk(picture, 48),
  'face 32 px': (picture) => shrunk(picture, 32),
  'face 24 px': (picture) => shrunk(picture, 24),
  'roll 30': (picture) => turned(picture, 30),
  'roll 60': (picture) => turned(picture, -60),
  'roll 90': (picture) => turned(picture, 90),
  'roll 135': (picture) => turned(picture, -135),
  'roll 180': (picture) => turned(picture, 180),
  dark: (picture) => eachPixel(picture, (value) => 0.5 * value ** 2.5),
  'very dark, noise': (picture, random) => eachPixel(picture, (value) => 0.12 * value + 0.02 * random.normal()),
  bright: (picture) => eachPixel(picture, (value) => 0.25 + 1.2 * value),
  noise: (picture, random) => eachPixel(picture, (value) => value + 0.12 * random.normal()),
  blurred: (picture) => blurred(picture, 0.06),
  'very blurred': (picture) => blurred(picture, 0.12),
  'three people': (picture, _, others) => sideBySide([picture, ...others], 200),
  'six people, 48 px': (picture, _, others) => sideBySide([picture, ...others, picture, ...others], 48),
  'cut by the edge': cutByEdge,
  'no face': ({ image }, random) => ({ ...noFace(image, random), faces: [] }),
}

/** Length of a face in pictures of one face, from the brows to the chin and half as much again. */
const faceLength = ({ landmarks }: KnownFace) => {
  const ys = landmarks.map(([, y]) => y)
  const xs = landmarks.map(([x]) => x)
  return Math.max(Math.max(...ys) - Math.min(...ys), Math.max(...xs) - Math.min(...xs)) * 1.15
}

const GRAY = 0.4
const ROOM = { width: 1280, height: 720 }

/** The face so small, somewhere in an HD picture. */
function shrunk(picture: KnownPicture, lengthPx: number): KnownPicture {
  const scale = lengthPx / faceLength(picture.faces[0]!)
  return moved(picture, [scale, 0, 700, 0, scale, 160], ROOM)
}

/** Turned clockwise about its middle, with room around it. */
function turned(picture: KnownPicture, degrees: number): KnownPicture {
  const { image } = picture
  const angle = (degrees / 180) * Math.PI
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const side = Math.ceil(Math.hypot(image.width, image.height))
  const [cx, cy, m] = [(image.width - 1) / 2, (image.height - 1) / 2, (side - 1) / 2]
  const mat = [cos, -sin, m - cos * cx + sin * cy, sin, cos, m - sin * cx - cos * cy] as const
  return moved(picture, mat, { width: side, height: side })
}

function moved(
  { image, faces }: KnownPicture,
  mat: readonly [number, number, number, number, number, number],
  size: { width: number; height: number },
): KnownPicture {
  const scale = Math.hypot(mat[0], mat[3])
  // Smaller pictures are made of what a lens would gather.
  const source = scale < 0.7 ? gaussianBlur(toPixels(image), 0.35 / scale) : image
  const place = ([x, y]: Point): Point => [mat[0] * x + mat[1] * y + mat[2], mat[3] * x + mat[4] * y + mat[5]]
  return {
    image: toBitmap(warpAffine(source, mat, size, { borderValue: GRAY })),
    faces: faces.map(({ landmarks, eyeDistance }) => ({
      landmarks: landmarks.map(place),
      eyeDistance: eyeDistance * scale,
    })),
  }
}

function eachPixel(picture: KnownPicture, change: (value: number) => number): KnownPicture {
  const pixels = toPixels(picture.image)
  pixels.data.forEach((value, i) => {
    pixels.data[i] = change(value)
  })
  return { ...picture, image: toBitmap(pixels) }
}

/** @param share Sigma as a part of the distance of the eyes. */
function blurred(picture: KnownPicture, share: number): KnownPicture {
  const sigma = share * picture.faces[0]!.eyeDistance
  return { ...picture, image: toBitmap(gaussianBlur(toPixels(picture.image), sigma)) }
}

/** Several faces of one size in a row, up to six in two rows. */
function sideBySide(pictures: readonly KnownPicture[], lengthPx: number): KnownPicture {
  const image: Pixels = {
    data: new Float32Array(ROOM.width * ROOM.height * 3).fill(GRAY),
    ...ROOM,
    channels: 3,
  }
  const faces: KnownFace[] = []
  const rows = Math.ceil(pictures.length / 3)
  const cell = { width: Math.floor(ROOM.width / 3), height: Math.floor(ROOM.height / rows) }
  for (const [i, picture] of pictures.entries()) {
    const scale = lengthPx / faceLength(picture.faces[0]!)
    const nose = picture.faces[0]!.landmarks[30]!
    const shift = [cell.width / 2 - scale * nose[0], cell.height / 2 - scale * nose[1]] as const
    const part = moved(picture, [scale, 0, shift[0], 0, scale, shift[1]], cell)
    const [left, top] = [(i % 3) * cell.width, Math.floor(i / 3) * cell.height]
    const pixels = toPixels(part.image)
    for (let y = 0; y < cell.height; y++)
      image.data.set(
        pixels.data.subarray(y * cell.width * 3, (y + 1) * cell.width * 3),
        ((top + y) * ROOM.width + left) * 3,
      )
    for (const { landmarks, eyeDistance } of part.faces)
      faces.push({ eyeDistance, landmarks: landmarks.map(([x, y]): Point => [x + left, y + top]) })
  }
  return { image: toBitmap(image), faces }
}

/** A quarter of the face lies beyond the left edge. */
function cutByEdge(picture: KnownPicture): KnownPicture {
  const xs = picture.faces[0]!.landmarks.map(([x]) => x)
  const left = Math.min(...xs) + (Math.max(...xs) - Math.min(...xs)) / 4
  return moved(picture, [1, 0, -left, 0, 1, 0], { width: picture.image.width, height: picture.image.height })
}

/** The picture's own tiles of 24 px in another order: its colours and edges, and nobody. */
function noFace(image: Bitmap, random: Random): { image: Bitmap } {
  const tile = 24
  const [columns, rows] = [Math.floor(image.width / tile), Math.floor(image.height / tile)]
  const data = Uint8Array.from(image.data)
  for (let i = 0; i < columns * rows; i++) {
    const from = random.integer(columns * rows)
    const [fx, fy] = [(from % columns) * tile, Math.floor(from / columns) * tile]
    const [x, y] = [(i % columns) * tile, Math.floor(i / columns) * tile]
    for (let row = 0; row < tile; row++) {
      const at = ((fy + row) * image.width + fx) * 3
      data.set(image.data.subarray(at, at + tile * 3), ((y + row) * image.width + x) * 3)
    }
  }
  return { image: { ...image, data } }
}
