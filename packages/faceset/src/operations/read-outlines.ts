import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { DflError, type MaskPolygon, type Point } from '@dfl/core'

/** What was drawn on one image. */
export interface Outlines {
  /** File name of the image without its extension. */
  stem: string
  polygons: MaskPolygon[]
  /** Size of the image that was drawn on, where the file tells it; otherwise that of the face. */
  imageSize?: { width: number; height: number }
}

/**
 * Outlines that labelme or the VGG Image Annotator drew: of each image that their files name.
 *
 * Polygons and rectangles count, other shapes do not. One whose label, or any attribute, is 'exclude' is cut out.
 *
 * @param path  A JSON file, or a folder: then all JSON files in it, of which those of other programs are passed over.
 * @throws DflError `NO_SUCH_FILE`, `CORRUPT_FILE` for what is no JSON.
 */
export async function readOutlines(path: string): Promise<Outlines[]> {
  const out: Outlines[] = []
  for (const file of await jsonFiles(path)) {
    let given: unknown
    try {
      given = JSON.parse(await readFile(file, 'utf8'))
    } catch (cause) {
      const { message } = cause as Error
      throw new DflError('CORRUPT_FILE', `Expected JSON in \`${file}\`, but got: ${message}. Save it again.`, { cause })
    }
    if (isObject(given)) out.push(...(Array.isArray(given.shapes) ? [ofLabelme(given, file)] : ofVia(given)))
  }
  return out
}

/** The JSON files that a path means; none for a folder without any. */
export async function jsonFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch((cause) => {
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected masks or outlines at \`${path}\`, but there is nothing. Check the path.`,
      { cause },
    )
  })
  const isJson = (name: string) => extname(name).toLowerCase() === '.json'
  if (!found.isDirectory()) return [path]
  return (await readdir(path)).filter(isJson).map((name) => join(path, name))
}

/** One file for each image, which names it and tells its size. */
function ofLabelme({ shapes, imagePath, imageWidth, imageHeight }: Record<string, unknown>, file: string): Outlines {
  const polygons = (shapes as unknown[]).filter(isObject).flatMap(({ label, points, shape_type: type }) => {
    const corners = Array.isArray(points) ? points.filter(isPoint) : []
    return polygonOf(type === 'rectangle' ? rectangle(corners) : type === 'polygon' || !type ? corners : [], [label])
  })
  const known = Number(imageWidth) > 0 && Number(imageHeight) > 0
  return {
    stem: stemOf(typeof imagePath === 'string' ? imagePath : file),
    polygons,
    ...(known ? { imageSize: { width: Number(imageWidth), height: Number(imageHeight) } } : {}),
  }
}

/** One file for all images: a project, or its regions exported alone; lists of regions were maps once. */
function ofVia(given: Record<string, unknown>): Outlines[] {
  const images = isObject(given._via_img_metadata) ? given._via_img_metadata : given
  return Object.values(images).flatMap((image) => {
    if (!isObject(image) || typeof image.filename !== 'string' || !isList(image.regions)) return []
    const polygons = Object.values(image.regions).flatMap((region) => {
      if (!isObject(region) || !isObject(region.shape_attributes)) return []
      const { name, all_points_x: xs, all_points_y: ys, x, y, width, height } = region.shape_attributes
      const labels = isObject(region.region_attributes) ? Object.values(region.region_attributes) : []
      if (name === 'rect')
        return polygonOf(
          rectangle([
            [Number(x), Number(y)],
            [Number(x) + Number(width), Number(y) + Number(height)],
          ]),
          labels,
        )
      if (!Array.isArray(xs) || !Array.isArray(ys)) return []
      return polygonOf(
        xs.map((x, i): Point => [Number(x), Number(ys[i])]),
        labels,
      )
    })
    return [{ stem: stemOf(image.filename), polygons }]
  })
}

function polygonOf(points: readonly Point[], labels: readonly unknown[]): MaskPolygon[] {
  if (points.length < 3 || !points.every(isPoint)) return []
  return [{ kind: labels.includes('exclude') ? 'exclude' : 'include', points }]
}

const rectangle = (corners: readonly Point[]): Point[] => {
  const [a, b] = corners
  return a && b ? [a, [b[0], a[1]], b, [a[0], b[1]]] : []
}

/** Of a path as Windows or others write it. */
const stemOf = (path: string) => {
  const name = basename(path.replaceAll('\\', '/'))
  return basename(name, extname(name))
}

const isObject = (value: unknown): value is Record<string, unknown> => isList(value) && !Array.isArray(value)

const isList = (value: unknown): value is object => typeof value === 'object' && value !== null

const isPoint = (value: unknown): value is Point =>
  Array.isArray(value) && value.length === 2 && value.every(Number.isFinite)
