import { clipOf } from '@dfl/core'
import { SHAPE_LIMITS } from '../check/advice.js'
import type { Check } from '../check/check-faces.js'
import { evenly } from '../check/evenly.js'
import type { Quality } from '../check/quality.js'
import type { FaceTraits } from '../check/traits.js'
import { sayPercent } from '../say-number.js'
import { grade } from './grade.js'
import { escaped, type Figure, figureCards, htmlReport, pictureSheet, type Section, tableOf, todoList } from './html.js'
import { scatterChart } from './scatter.js'

/** What a report of a check shows besides its numbers. */
export interface CheckReportInput {
  check: Check
  src: { name: string; faces: readonly FaceTraits[] }
  dst: { name: string; faces: readonly FaceTraits[] }
  /** Small pictures of faces by file name, as data URIs. */
  pictures: ReadonlyMap<string, string>
}

/** The report of a check as one HTML file: first what to do, then why. */
export function checkReport({ check, src, dst, pictures }: CheckReportInput): string {
  const { coverage, quality, people } = check
  const sections: Section[] = [
    { title: 'What to do', lead: leadOf(check), body: todoList(check.advice) },
    { title: 'The numbers', body: figureCards(figuresOf(check)) },
    {
      title: 'Where SRC and DST are',
      lead: 'Blue points are SRC faces, rings are DST faces, crosses are DST faces with nothing of SRC near them. Where there are rings there should be blue points.',
      body: maps(check, src.faces, dst.faces),
    },
    ...coverage.gaps.map((gap) => gapSection(gap, { dst: dst.faces, pictures })),
    ...neighbours(check, { dst: dst.faces, pictures }),
    {
      title: 'Quality of both sides',
      lead: 'The result cannot be better than SRC, and need not be better than DST.',
      body: qualityTable(quality),
    },
  ]
  const persons = ({ length }: { length: number }) =>
    length === 0 ? '' : length === 1 ? ', one person' : `, ${length} people`
  const side = (of: CheckReportInput['src'], found: { length: number }) =>
    `${of.faces.length} faces of ${of.name}${persons(found)}`
  const counts = `SRC: ${side(src, people.src)}. DST: ${side(dst, people.dst)}.`
  return htmlReport({ title: 'Before training: does SRC have what DST needs?', about: counts, sections })
}

function leadOf({ coverage, advice }: Check): string {
  const urgent = advice.filter(({ urgency }) => urgency === 'do').length
  if (urgent === 0)
    return `Nothing stands in the way: ${sayPercent(coverage.covered)} of DST's faces are covered. Train.`
  return `${urgent === 1 ? 'One thing' : `${urgent} things`} to do before training: SRC cannot give what it does not show. If it cannot be had, train all the same: what is named here will look less like SRC.`
}

function figuresOf({ coverage, shape, exposure, shading, resemblance, forecast, people }: Check): Figure[] {
  const several = people.src.length > 1 || people.dst.length > 1
  return [
    {
      name: 'DST faces covered',
      value: sayPercent(coverage.covered),
      meaning:
        'Share of DST faces with at least three SRC faces near them in pose, in expression, in light, each by itself.',
      verdict: grade(coverage.covered, 0.9, 0.7),
    },
    ...(shape
      ? [
          {
            name: 'Face shapes differ by',
            value: `${shape.percent.toFixed(1)} ± ${shape.spread.toFixed(1)} %`,
            meaning: `Distance of jaw, nose and eye corners in % of the distance of the eyes, pose and expression taken out${several ? '; of the person with most faces' : ''}; below ${SHAPE_LIMITS.near} is alike, above ${SHAPE_LIMITS.far} very different.`,
            verdict: grade(shape.percent, SHAPE_LIMITS.near, SHAPE_LIMITS.far),
          },
          {
            name: 'Left uncovered by the mask',
            value: sayPercent(shape.uncovered),
            meaning: "Share of DST's face, from the front, outside SRC's outline: there DST stays visible.",
            verdict: grade(shape.uncovered, 0.02, 0.08),
          },
          {
            name: "SRC's jaw, cheeks, height",
            value: `${[shape.ratios.jawWidth, shape.ratios.cheekWidth, shape.ratios.faceHeight].map(signedPercent).join(', ')} %`,
            meaning:
              "How much wider or taller SRC's face is than DST's as landmarks are found, for the same distance of the eyes; true differences are larger.",
          },
        ]
      : []),
    ...(exposure === undefined
      ? []
      : [
          {
            name: 'Light on DST against SRC',
            value: `${exposure < 0 ? '−' : '+'}${Math.abs(exposure).toFixed(1)} stops`,
            meaning: 'By the whites of the eyes, whatever the skin: +1 is twice the light on DST, −1 half of it.',
            verdict: grade(Math.abs(exposure), 0.5, 1),
          },
        ]),
    {
      name: 'Shading differs by',
      value: shading.toFixed(2),
      meaning:
        'How differently the two faces grow brighter from chin to brow: light from above, beard, relief of the face. Below 0.1 is alike; 0.3 was the most among 24 pairs of rendered heads.',
    },
    {
      name: 'Looks alike',
      value: resemblance.toFixed(2),
      meaning:
        "How much DST's faces look like the SRC faces most like them (SSIM, brightness and contrast made equal; 1 is the same picture): the rest a network has to change. Pairs of rendered heads had 0.46 to 0.77.",
    },
    {
      name: 'Forecast',
      value: forecast.toFixed(2),
      meaning:
        'How near the true face (SSIM, 1 is equal) rendered heads came after a short training where shading and looks differed as much as here; the 24 pairs reached 0.71 to 0.91. Told from those two numbers only: good for choosing between footage, no promise.',
    },
  ]
}

/** '+3', '−2' or '0' for how far a ratio is from 1. */
function signedPercent(ratio: number): string {
  const percent = Math.round(100 * (ratio - 1))
  return `${percent > 0 ? '+' : percent < 0 ? '−' : ''}${Math.abs(percent)}`
}

function maps({ coverage }: Check, src: readonly FaceTraits[], dst: readonly FaceTraits[]): string {
  const of = (axes: readonly string[], place: (face: FaceTraits) => readonly [number, number]) => {
    const names = new Set(coverage.gaps.filter(({ axis }) => axes.includes(axis)).flatMap(({ faces }) => faces))
    const [a, b] = [src.map(place), dst.map(place)]
    return { src: a, dst: b, uncovered: dst.filter(({ filename }) => names.has(filename)).map(place) }
  }
  const span = (points: readonly (readonly [number, number])[], axis: 0 | 1, least: number) => {
    const values = points.map((point) => point[axis])
    const [low, high] = [Math.min(...values, -least), Math.max(...values, least)]
    return [low, high] as const
  }
  const ends = (range: readonly [number, number], low: string, high: string) => ({
    range,
    low: `${low} (${Math.round(-range[0])}°)`,
    high: `${high} (${Math.round(range[1])}°)`,
  })
  const pose = of(['yaw', 'pitch'], (face) => [face.yawDegrees, face.pitchDegrees])
  const expression = of(['mouth', 'smile'], (face) => [face.smile, face.mouth])
  const light = of(['lightSide', 'lightUp', 'brightness'], (face) => [face.light.right, face.light.brightness])
  const all = (points: typeof pose) => [...points.src, ...points.dst]
  const smiles = all(expression).map(([x]) => x)
  return `<div class="charts">${[
    scatterChart({
      title: 'Pose',
      caption: 'Which way the heads turn.',
      x: { name: 'yaw', ...ends(span(all(pose), 0, 30), 'to its right', 'to its left') },
      y: { name: 'pitch', ...ends(span(all(pose), 1, 20), 'down', 'up') },
      ...pose,
    }),
    scatterChart({
      title: 'Expression',
      caption: 'How open and how wide the mouths are.',
      x: { name: 'width of the mouth', low: 'narrow', high: 'wide', range: [Math.min(...smiles), Math.max(...smiles)] },
      y: { name: 'opening', low: 'shut', high: 'open', range: [0, Math.max(0.3, span(all(expression), 1, 0)[1])] },
      ...expression,
    }),
    scatterChart({
      title: 'Light',
      caption: 'Which side the light comes from, and how bright the faces are.',
      x: { name: 'light', low: 'from the left', high: 'from the right', range: span(all(light), 0, 0.6) },
      y: { name: 'brightness', low: 'dark', high: 'bright', range: [0, 1] },
      ...light,
    }),
  ].join('')}</div>`
}

/** So many faces of a gap are shown. */
const SHOWN = 12

function gapSection(
  gap: Check['coverage']['gaps'][number],
  { dst, pictures }: { dst: readonly FaceTraits[]; pictures: CheckReportInput['pictures'] },
): Section {
  const faces = new Map(dst.map((face) => [face.filename, face]))
  const several = new Set(dst.map(clipOf)).size > 1
  const at = (clip: string, when: string) => (several ? `${clip} ${when}` : when)
  const shown = evenly(gap.faces, SHOWN).flatMap((name) => {
    const source = pictures.get(name)
    const face = faces.get(name)!
    return source ? [{ source, caption: at(clipOf(face), timeCode(face)), shows: 'A face of DST' }] : []
  })
  const times = gap.times.map(({ clip, from, to }) =>
    at(escaped(clip), to - from < 0.05 ? clock(from) : `${clock(from)}–${clock(to)}`),
  )
  return {
    title: `Not in SRC: ${TITLES[`${gap.axis} ${gap.direction}`] ?? gap.axis}`,
    lead: `${gap.sentence} ${gap.shoot}`,
    body: `<p>In DST at ${times.slice(0, 12).join(', ')}${times.length > 12 ? ' and more' : ''}.</p>${pictureSheet(shown)}`,
  }
}

const TITLES: Readonly<Record<string, string>> = {
  'yaw below': 'turned to the right',
  'yaw above': 'turned to the left',
  'pitch below': 'looking down',
  'pitch above': 'looking up',
  'mouth below': 'shut mouth',
  'mouth above': 'open mouth',
  'smile below': 'pursed lips',
  'smile above': 'broad smile',
  'brows below': 'lowered brows',
  'brows above': 'raised brows',
  'eyes below': 'shut eyes',
  'eyes above': 'wide eyes',
  'gaze below': 'glance to the right',
  'gaze above': 'glance to the left',
  'lightSide below': "light from the picture's left",
  'lightSide above': "light from the picture's right",
  'lightUp below': 'light from below',
  'lightUp above': 'light from above',
  'brightness below': 'dim light',
  'brightness above': 'bright light',
  'sharpness above': 'sharp faces',
}

/** The DST faces furthest from SRC, each with the SRC faces most like it. */
function neighbours(
  { coverage }: Check,
  { dst, pictures }: { dst: readonly FaceTraits[]; pictures: CheckReportInput['pictures'] },
): Section[] {
  const faces = new Map(dst.map((face) => [face.filename, face]))
  const rows = shownNeighbours(coverage).filter((one) => pictures.has(one.dst))
  if (rows.length === 0) return []
  const sheets = rows.map((one) => {
    const row = [one.dst, ...one.src.slice(0, 3)].map((name, i) => ({
      source: pictures.get(name) ?? '',
      caption: i === 0 ? `DST ${timeCode(faces.get(name)!)}` : `SRC ${i}`,
      shows: i === 0 ? 'A face of DST' : 'A face of SRC that is most like it',
    }))
    return pictureSheet(row.filter(({ source }) => source !== ''))
  })
  return [
    {
      title: 'Nearest SRC faces',
      lead: 'The DST faces that are furthest from everything in SRC, each with the SRC faces most like it: what the network will paint them from.',
      body: sheets.join(''),
    },
  ]
}

/** The DST faces whose nearest SRC faces a report shows, furthest first. */
export function shownNeighbours({ nearest }: Check['coverage'], count = 4) {
  return [...nearest].sort((a, b) => b.distance - a.distance).slice(0, count)
}

/** File names of DST's and SRC's faces that a report of this check shows. */
export function shownFaces({ coverage }: Check): { src: string[]; dst: string[] } {
  const near = shownNeighbours(coverage)
  return {
    dst: [...new Set([...coverage.gaps.flatMap(({ faces }) => evenly(faces, SHOWN)), ...near.map(({ dst }) => dst)])],
    src: [...new Set(near.flatMap(({ src }) => src.slice(0, 3)))],
  }
}

function qualityTable({ src, dst }: Check['quality']): string {
  const known = (side: Quality, of: (side: Quality) => string) => (side.faces === 0 ? '–' : of(side))
  const row = (name: string, of: (side: Quality) => string) => [name, known(src, of), known(dst, of)]
  return tableOf(
    ['', 'SRC', 'DST'],
    [
      ['Faces', String(src.faces), String(dst.faces)],
      row(
        'Distance of the eyes, usual (smallest–largest)',
        ({ eyeDistancePx: [low, middle, high] }) => `${Math.round(middle)} px (${Math.round(low)}–${Math.round(high)})`,
      ),
      row('Blur, 0 sharp to 1', ({ blur }) => blur.toFixed(2)),
      row('Much more blurred than usual', ({ blurredShare }) => sayPercent(blurredShare)),
      row('Copies of a face shortly before', ({ duplicateShare }) => sayPercent(duplicateShare)),
      row('Burnt out or black', ({ clippedShare }) => sayPercent(clippedShare)),
      row('Brightness', ({ brightness }) => sayPercent(brightness)),
      row(
        'Bits per pixel of the clip (below 0.05: detail is gone)',
        ({ bitsPerPixel }) => bitsPerPixel?.toFixed(3) ?? 'unknown',
      ),
    ],
  )
}

const timeCode = ({ timestampSeconds, frameIndex }: FaceTraits) => `${clock(timestampSeconds)} · frame ${frameIndex}`

/** '0:07.25' */
function clock(seconds: number): string {
  const minutes = Math.floor(seconds / 60)
  return `${minutes}:${(seconds - 60 * minutes).toFixed(2).padStart(5, '0')}`
}
