import { FACE_TYPES, type FaceMeta } from '@dfl/core'

/** No coordinate, in pixels, is farther out than this: images are far smaller. */
const FARTHEST_PX = 1e6

/**
 * What is wrong with `face`, as "Expected … for `field`, but got …", or nothing.
 *
 * Everything that comes from a file goes through here before it is used, so that no number in a damaged or hostile file
 * is larger, stranger or of another kind than the code that reads it expects. Fields it does not know are left alone.
 */
export function faceProblem(face: object): string | undefined {
  const f = face as { [K in keyof FaceMeta]?: unknown }
  const rules: [name: keyof FaceMeta, expected: string, ok: boolean][] = [
    ['faceType', `one of ${FACE_TYPES.join(', ')}`, (FACE_TYPES as readonly unknown[]).includes(f.faceType)],
    ['size', 'a whole number between 16 and 8192', isInteger(f.size, 16, 8192)],
    ['landmarks', '68 points', isLandmarks(f.landmarks)],
    ['sourceFilename', 'text of 1 to 1024 characters', isText(f.sourceFilename, 1024)],
    ['frameIndex', 'a whole number of at least 0', isInteger(f.frameIndex, 0, Number.MAX_SAFE_INTEGER)],
    ['timestampSeconds', 'a number of seconds', isNumber(f.timestampSeconds, 1e9)],
    ['faceIndex', 'a whole number between 0 and 99999', isInteger(f.faceIndex, 0, 99_999)],
    ['sourceLandmarks', '68 points', isLandmarks(f.sourceLandmarks)],
    ['sourceRect', 'x, y, width and height in pixels', isRect(f.sourceRect)],
    ['imageToFaceMat', '6 numbers', isNumbers(f.imageToFaceMat, 6, 6, 1e9)],
    ['score', 'a number between 0 and 1', isNumber(f.score, 1) && (f.score as number) >= 0],
    ['pose', 'yawDegrees, pitchDegrees and rollDegrees', f.pose === undefined || isPose(f.pose)],
    ['embedding', '1 to 4096 numbers', f.embedding === undefined || isNumbers(f.embedding, 1, 4096, 1e9)],
    ['frameSize', 'width and height in pixels', f.frameSize === undefined || isSize(f.frameSize)],
    ['person', 'text of 1 to 200 characters', f.person === undefined || isText(f.person, 200)],
    ['polygons', 'up to 64 polygons of 3 to 1024 points', f.polygons === undefined || isPolygons(f.polygons)],
    ['mask', 'a plain file name that ends in .png', f.mask === undefined || isMaskName(f.mask)],
    [
      'eyebrowsExpandMod',
      'a number between 0 and 10',
      f.eyebrowsExpandMod === undefined || (isNumber(f.eyebrowsExpandMod, 10) && Number(f.eyebrowsExpandMod) >= 0),
    ],
    ['rejected', 'up to 32 short texts', f.rejected === undefined || isTexts(f.rejected)],
    [
      'originalFilename',
      'a plain file name',
      f.originalFilename === undefined || filenameProblem(f.originalFilename) === undefined,
    ],
  ]
  for (const [name, expected, ok] of rules)
    if (!ok) return `Expected ${expected} for \`${name}\`, but got ${show(f[name])}.`
  return undefined
}

/**
 * What is wrong with the file name of an aligned image, in the same form, or nothing.
 *
 * A name is one plain file inside the faceset: it cannot lead out of the folder, hide, or be a device name of Windows.
 */
export function filenameProblem(filename: unknown): string | undefined {
  const ok =
    typeof filename === 'string' &&
    filename.length <= 200 &&
    /^[^/\\:*?"<>|\p{Cc}]+\.(png|webp|jpg|jpeg)$/iu.test(filename) &&
    !filename.startsWith('.') &&
    !/^(con|prn|aux|nul|com\d|lpt\d)\./i.test(filename)
  if (ok) return undefined
  return `Expected a plain file name that ends in .png, .webp or .jpg for \`filename\`, but got ${show(filename)}.`
}

const isText = (value: unknown, longest: number) =>
  typeof value === 'string' && value.length > 0 && value.length <= longest

const isNumber = (value: unknown, farthest: number) => typeof value === 'number' && Math.abs(value) <= farthest

const isInteger = (value: unknown, low: number, high: number) =>
  Number.isInteger(value) && (value as number) >= low && (value as number) <= high

const isNumbers = (value: unknown, fewest: number, most: number, farthest: number) =>
  Array.isArray(value) &&
  value.length >= fewest &&
  value.length <= most &&
  value.every((item) => isNumber(item, farthest))

const isLandmarks = (value: unknown) =>
  Array.isArray(value) && value.length === 68 && value.every((point) => isNumbers(point, 2, 2, FARTHEST_PX))

const isMaskName = (value: unknown) => filenameProblem(value) === undefined && /\.png$/i.test(String(value))

const isTexts = (value: unknown) =>
  Array.isArray(value) && value.length <= 32 && value.every((item) => isText(item, 200))

const isPolygons = (value: unknown) =>
  Array.isArray(value) &&
  value.length <= 64 &&
  value.every(
    (item) =>
      (item?.kind === 'include' || item?.kind === 'exclude') &&
      Array.isArray(item.points) &&
      item.points.length >= 3 &&
      item.points.length <= 1024 &&
      item.points.every((point: unknown) => isNumbers(point, 2, 2, FARTHEST_PX)),
  )

function isSize(value: unknown): boolean {
  const { width, height } = (value ?? {}) as Record<string, unknown>
  return isInteger(width, 1, FARTHEST_PX) && isInteger(height, 1, FARTHEST_PX)
}

function isRect(value: unknown): boolean {
  const { x, y, width, height } = (value ?? {}) as Record<string, unknown>
  return [x, y, width, height].every((item) => isNumber(item, FARTHEST_PX)) && Number(width) >= 0 && Number(height) >= 0
}

function isPose(value: unknown): boolean {
  const { yawDegrees, pitchDegrees, rollDegrees } = (value ?? {}) as Record<string, unknown>
  return [yawDegrees, pitchDegrees, rollDegrees].every((item) => isNumber(item, 360))
}

function show(value: unknown): string {
  if (Array.isArray(value)) {
    const odd = value.flat(2).find((item) => typeof item === 'number' && !isNumber(item, 1e9))
    return `a list of ${value.length}${odd === undefined ? '' : ` with ${odd} in it`}`
  }
  const text = typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
  return text.length > 80 ? `'${text.slice(0, 80)}…'` : `'${text}'`
}
