import { type Landmarks, median, type Raster } from '@dfl/core'
import { crop, rgbToGray, toPixels } from '@dfl/image'
import { GAMMA } from './light.js'

/** Height over width of an eye, and pixels within it, below which nothing is said of it. */
const LEAST_OPEN = 0.2
const LEAST_PIXELS = 40
/** Of the pixels within the lids this share is darker: lashes, iris, shade. What is above may be a glint. */
const WHITE = 0.95
/** So many faces of a side must show their eyes. */
const LEAST_FACES = 5

/**
 * How bright the whites of the eyes are, 0..1 luma, mean of the eyes that are open and large enough; `undefined` where
 * none is. They are about as white in all people, so that they tell the light apart from the skin.
 *
 * @param image [S, S, 3], an upright face.
 * @param landmarks In pixels of `image`.
 */
export function eyeWhite(image: Raster, landmarks: Landmarks): number | undefined {
  const told = [landmarks.slice(36, 42), landmarks.slice(42, 48)].flatMap((eye) => {
    const white = whiteOf(image, eye)
    return white === undefined ? [] : [white]
  })
  return told.length === 0 ? undefined : told.reduce((sum, white) => sum + white / told.length, 0)
}

function whiteOf(image: Raster, eye: Landmarks): number | undefined {
  const apart = (a: number, b: number) => Math.hypot(eye[a][0] - eye[b][0], eye[a][1] - eye[b][1])
  if (apart(1, 5) + apart(2, 4) < 2 * LEAST_OPEN * apart(0, 3)) return undefined
  const [xs, ys] = [eye.map(([x]) => x), eye.map(([, y]) => y)]
  const [x, y] = [Math.floor(Math.min(...xs)), Math.floor(Math.min(...ys))]
  const rect = { x, y, width: Math.ceil(Math.max(...xs)) - x + 1, height: Math.ceil(Math.max(...ys)) - y + 1 }
  if (rect.width * rect.height < LEAST_PIXELS) return undefined
  const { data, width, height } = rgbToGray(toPixels(crop(image, rect)))
  const inside: number[] = []
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      if (contains(eye, x + column, y + row)) inside.push(data[row * width + column])
  if (inside.length < LEAST_PIXELS) return undefined
  return inside.sort((a, b) => a - b)[Math.floor(WHITE * (inside.length - 1))]
}

/** Whether a point lies within the lids. The corners and lids of an eye go round it. */
function contains(eye: Landmarks, x: number, y: number): boolean {
  let inside = false
  eye.forEach(([ax, ay], i) => {
    const [bx, by] = eye[(i + 1) % eye.length]
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside
  })
  return inside
}

/**
 * How many stops more light falls on DST than on SRC, by the whites of their eyes: 1 is twice the light, −1 half of it.
 * `undefined` where a side shows fewer than 5 faces with open eyes.
 */
export function exposureStops(
  src: readonly { eyeWhite?: number }[],
  dst: readonly { eyeWhite?: number }[],
): number | undefined {
  const [a, b] = [src, dst].map((faces) => faces.flatMap(({ eyeWhite: white }) => white ?? []))
  if (Math.min(a.length, b.length) < LEAST_FACES) return undefined
  return GAMMA * Math.log2(Math.max(0.01, median(b)) / Math.max(0.01, median(a)))
}
