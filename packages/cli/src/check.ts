import { mkdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { clipOf, DflError, type FaceMeta, isDflError, type Raster, type Side } from '@dfl/core'
import { exists, writeFileAtomic } from '@dfl/core/files'
import {
  type Check,
  type Choice,
  checkFaces,
  checkReport,
  compareSheet,
  evenly,
  type FaceTraits,
  faceTraits,
  inTime,
  shownFaces,
} from '@dfl/evaluate'
import { type Faceset, openFaceset, type WhoIsWho, whoIsWho } from '@dfl/faceset'
import { resize } from '@dfl/image'
import { drawText, encodeImage, probeVideo, writeImage } from '@dfl/media'
import { type Clips, listOf, sayClips } from './clips.js'
import { counted, type Stage, type StageContext } from './events.js'
import { presetNamed } from './presets.js'
import { extractStage, finishedExtraction } from './stages/extract.js'
import { identifyClip, type Workspace } from './workspace.js'

/** What is checked. */
export interface CheckJob {
  /** A clip or several, or the folder of a faceset; the workspace's own faces if not given. */
  src?: Clips
  dst?: Clips
  /** The report, ending in .html; `check.html` in the workspace if not given. JSON and contact sheet lie beside it. */
  out?: string
  /** At most so many faces of each side are looked at, evenly chosen. */
  maxFaces?: number
}

/** What a check found, and where its report is. */
export interface CheckResult {
  check?: Check
  report: string
  json: string
  /** Picture of DST's faces that SRC does not cover, with time codes; nothing where all are covered. */
  contactSheet?: string
  stopped: boolean
}

const USUAL_MOST = 500
const THUMBNAIL_PX = 128
/** Faces on the contact sheet, and in a row of it. */
const SHEET_FACES = 24
const SHEET_COLUMNS = 6

interface SideFaces {
  faceset: Faceset
  faces: FaceTraits[]
  name: string
  clip?: { bytes: number; pixels: number }
}

/** What can be advised for a result, from small to large: as it is chosen on the command line. */
const NETWORKS: readonly Choice[] = [
  ...['quick', 'standard'].map((name) => {
    const { assumes, architecture, faceType } = presetNamed(name)
    return { name, assumes, faceType, resolution: architecture.resolution! }
  }),
  {
    name: 'standard --resolution 384',
    assumes:
      'For many hours on a CPU: an iteration takes three to four times as long. With a GPU and a day, --preset film (256 px).',
    faceType: 'full_face',
    resolution: 384,
  },
]

/**
 * Whether SRC has what DST needs, told before training. Clips are extracted into the workspace first, where `dfl run` and
 * `dfl train` find their faces again.
 *
 * @throws DflError `NO_FACES` where a side has none; all of `extractStage`.
 */
export async function* checkStage(workspace: Workspace, job: CheckJob, context: StageContext = {}): Stage<CheckResult> {
  const report = resolve(job.out ?? join(workspace.folder, 'check.html'))
  const json = report.replace(/(\.html?)?$/i, '.json')
  const sides: Partial<Record<Side, SideFaces>> = {}
  const folders: Partial<Record<Side, string>> = {}
  for (const side of ['src', 'dst'] as const) {
    folders[side] = yield* facesOf(workspace, side, job[side], context)
    if (!folders[side]) return { report, json, stopped: true }
  }
  const people = await peopleOf(Object.values(folders))
  for (const side of ['src', 'dst'] as const) {
    const most = job.maxFaces ?? USUAL_MOST
    const read = yield* readSide(side, folders[side]!, { most, people }, context)
    if (!read) return { report, json, stopped: true }
    sides[side] = { ...read, ...(await sizeOfClips(workspace, side, job[side])) }
  }
  const { src, dst } = sides as Record<Side, SideFaces>
  const check = checkFaces(src, dst, NETWORKS)
  await mkdir(dirname(report), { recursive: true })
  const pictures = await picturesOf(check, { src, dst })
  await writeFileAtomic(report, checkReport({ check, src, dst, pictures: await asData(pictures) }))
  await writeFileAtomic(json, `${JSON.stringify(forMachines(check, { src, dst }), null, 2)}\n`)
  const contactSheet = await writeContactSheet(report.replace(/(\.html?)?$/i, '-uncovered.jpg'), check, {
    dst,
    pictures,
  })
  return { check, report, json, ...(contactSheet ? { contactSheet } : {}), stopped: false }
}

/** The folder of a side's faces; nothing if extracting them was stopped. */
async function* facesOf(
  workspace: Workspace,
  side: Side,
  given: Clips | undefined,
  context: StageContext,
): Stage<string | undefined> {
  if (given === undefined) {
    if (!(await exists(workspace.faceset[side])))
      throw new DflError(
        'NO_SUCH_FILE',
        `Expected a clip or a faceset for \`--${side}\`, but it was not given, and no faces of ${side.toUpperCase()} were extracted in \`${workspace.folder}\` yet. Give --${side} <clip>.`,
        { data: { side } },
      )
    return workspace.faceset[side]
  }
  const faceset = await facesetAmong(given)
  if (faceset !== undefined) return faceset
  const clips = await Promise.all(listOf(given).map((path) => identifyClip(path, `--${side}`)))
  if (!(await finishedExtraction(workspace, side, clips))) {
    const { stopped } = yield* extractStage(workspace, { side, input: given, flag: `--${side}` }, context)
    if (stopped) return undefined
  }
  return workspace.faceset[side]
}

/** The folder of a faceset, where that is what was given. */
async function facesetAmong(given: Clips): Promise<string | undefined> {
  const [path, ...others] = listOf(given)
  if (path === undefined || others.length > 0) return undefined
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  return isFolder && (await openFaceset(path).catch(() => undefined)) ? path : undefined
}

/** Who is who in facesets; nobody where no identities are stored. */
export async function peopleOf(folders: readonly string[]): Promise<Pick<WhoIsWho, 'personOf'>> {
  try {
    return await whoIsWho([...new Set(folders)])
  } catch (error) {
    if (!isDflError(error, 'BAD_STATE')) throw error
    return { personOf: () => undefined }
  }
}

/** The traits of a side's faces, in order of time; nothing if stopped. */
async function* readSide(
  side: Side,
  folder: string,
  { most, people }: { most: number; people: Pick<WhoIsWho, 'personOf'> },
  { signal }: StageContext,
): Stage<Pick<SideFaces, 'faceset' | 'faces' | 'name'> | undefined> {
  const began = performance.now()
  const faceset = await openFaceset(folder)
  const all = await faceset.all()
  if (all.length === 0)
    throw new DflError(
      'NO_FACES',
      `Expected faces of ${side.toUpperCase()} in \`${folder}\`, but got none. Extract them again.`,
    )
  all.sort((a, b) => inTime(a, b) || a.faceIndex - b.faceIndex)
  const chosen = evenly(all, most)
  yield {
    event: 'stage',
    stage: 'check',
    state: 'started',
    text: `${chosen.length} of ${all.length} faces of ${side.toUpperCase()}`,
  }
  const faces: FaceTraits[] = []
  for (const face of chosen) {
    const person = people.personOf(folder, face)
    const traits = faceTraits(face, await faceset.readImage(face))
    faces.push(person === undefined ? traits : { ...traits, person })
    yield counted(
      { done: faces.length, total: chosen.length, began },
      { stage: 'check', unit: 'faces', note: side.toUpperCase(), detail: { side } },
    )
    if (signal?.aborted) return undefined
  }
  const seconds = (performance.now() - began) / 1000
  yield {
    event: 'stage',
    stage: 'check',
    state: 'finished',
    seconds,
    text: `${faces.length} faces of ${side.toUpperCase()} looked at`,
  }
  return { faceset, faces, name: sayClips([...new Set(all.map((face) => clipOf(face) || face.sourceFilename))]) }
}

/** Size of the clips that the faces are from, where they are known and are videos. */
async function sizeOfClips(workspace: Workspace, side: Side, given: Clips | undefined) {
  const isClip = given !== undefined && (await facesetAmong(given)) === undefined
  const paths = isClip ? listOf(given) : workspace.record.clips[side].map(({ path }) => path)
  const clip = { bytes: 0, pixels: 0 }
  for (const path of paths) {
    const info = (await exists(path)) ? await probeVideo(path).catch(() => undefined) : undefined
    if (!info || info.frameCount === 0) continue
    clip.bytes += (await stat(path)).size
    clip.pixels += info.width * info.height * info.frameCount
  }
  return clip.pixels > 0 ? { clip } : {}
}

/** Small pictures of the faces that a report shows. */
async function picturesOf(check: Check, sides: Record<Side, SideFaces>): Promise<Map<string, Raster>> {
  const shown = shownFaces(check)
  const out = new Map<string, Raster>()
  for (const side of ['src', 'dst'] as const)
    for (const filename of shown[side]) {
      const image = await sides[side].faceset.readImage({ filename } as FaceMeta)
      out.set(filename, resize(image, { width: THUMBNAIL_PX, height: THUMBNAIL_PX }))
    }
  return out
}

async function asData(pictures: ReadonlyMap<string, Raster>): Promise<Map<string, string>> {
  const out = new Map<string, string>()
  for (const [name, picture] of pictures) {
    const bytes = await encodeImage(picture, 'jpg', { quality: 80 })
    out.set(name, `data:image/jpeg;base64,${Buffer.from(bytes).toString('base64')}`)
  }
  return out
}

/** Faces of all gaps on one picture, in order of time. */
async function writeContactSheet(
  path: string,
  { coverage }: Check,
  { dst, pictures }: { dst: SideFaces; pictures: ReadonlyMap<string, Raster> },
): Promise<string | undefined> {
  const missing = new Set(coverage.gaps.flatMap(({ faces }) => faces))
  const faces = evenly(
    dst.faces.filter(({ filename }) => missing.has(filename) && pictures.has(filename)),
    SHEET_FACES,
  )
  if (faces.length === 0) return undefined
  const rows: Raster[][] = []
  for (let i = 0; i < faces.length; i += SHEET_COLUMNS)
    rows.push(faces.slice(i, i + SHEET_COLUMNS).map(({ filename }) => pictures.get(filename)!))
  const cellWidth = 160
  const gapPx = 4
  const sheet = compareSheet(rows, { cellWidth, gapPx })
  const several = new Set(faces.map(clipOf)).size > 1
  const labels = faces.map((face, i) => ({
    text: `${several ? `${clipOf(face)} ` : ''}${face.timestampSeconds.toFixed(2)} s`,
    x: (i % SHEET_COLUMNS) * (cellWidth + gapPx) + 6,
    y: Math.floor(i / SHEET_COLUMNS) * (cellWidth + gapPx) + cellWidth - 8,
    sizePx: 15,
  }))
  await writeImage(path, await drawText(sheet, labels), { quality: 88 })
  return path
}

/** The check as it goes into the JSON file: without the vectors of people, with the traits of each face. */
function forMachines({ people, ...check }: Check, sides: Record<Side, SideFaces>) {
  const counts = (side: Side) => people[side].map(({ faces }) => faces.length)
  const traits = (side: Side) => sides[side].faces.map(({ embedding: _, landmarks: __, picture: ___, ...rest }) => rest)
  return {
    format: 1,
    ...check,
    people: { src: counts('src'), dst: counts('dst') },
    faces: { src: traits('src'), dst: traits('dst') },
  }
}

/** What a check says to people: the urgent advice, and where the report is. */
export function describeCheck({ check, report, json, contactSheet }: CheckResult): string {
  if (!check) return ''
  const { coverage, shape, advice } = check
  const marks = { do: '!', consider: '-', fine: '+' } as const
  return [
    `SRC covers ${Math.round(100 * coverage.covered)} % of DST's faces.${shape ? ` Face shapes differ by ${shape.percent.toFixed(1)} ± ${shape.spread.toFixed(1)} % of the distance of the eyes.` : ''}`,
    ...advice.map(
      ({ urgency, text, evidence }) => `${marks[urgency]} ${text}${urgency === 'do' ? ` ${evidence}` : ''}`,
    ),
    '',
    `Report   ${report}`,
    `         ${json}`,
    ...(contactSheet ? [`         ${contactSheet}`] : []),
  ].join('\n')
}
