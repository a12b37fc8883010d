import type { Bitmap, Pixels, Point } from '@dfl/core'
import { createPixels, drawLine, drawPolyline, type Rgb } from '@dfl/image'
import { drawText, type Label } from '@dfl/media'
import type { HistoryEntry, LogEntry, Measured } from '@dfl/trainer'

const WIDTH = 900
const PANEL_PX = 220
const LEFT_PX = 56
const RIGHT_PX = 170
const TOP_PX = 28
const GAP_PX = 34
const BACKGROUND = 0.1
const GRID: Rgb = [0.25, 0.25, 0.25]
const PHASE: Rgb = [0.55, 0.35, 0.6]

const SRC: Rgb = [0.4, 0.65, 1]
const DST: Rgb = [1, 0.85, 0.3]
const COLOURS: Readonly<Record<string, Rgb>> = {
  reconstruction: [0.7, 0.7, 0.7],
  mapping: [0.35, 0.9, 0.45],
  likeness: [1, 0.5, 0.4],
  performance: [0.8, 0.5, 1],
}

interface Line {
  name: string
  rgb: Rgb
  /** x in iterations. */
  points: readonly Point[]
}

interface Panel {
  title: string
  lines: readonly Line[]
  /** y of a value, 0 at the bottom to 1 at the top, and the values to draw lines of the grid at. */
  scale(value: number): number
  ticks: readonly number[]
}

/** What a run has come to: losses above, measures below, a line where each phase began. */
export async function runPlot(
  log: readonly LogEntry[],
  measures: readonly Measured[],
  history: readonly HistoryEntry[],
): Promise<Bitmap> {
  const panels = [lossPanel(log), measurePanel(measures)]
  const last = Math.max(1, log.at(-1)?.iteration ?? 0, measures.at(-1)?.iteration ?? 0)
  const picture = createPixels(WIDTH, TOP_PX + panels.length * (PANEL_PX + GAP_PX), 3)
  picture.data.fill(BACKGROUND)
  const labels: Label[] = []
  const right = WIDTH - RIGHT_PX
  const xOf = (iteration: number) => LEFT_PX + ((right - LEFT_PX) * iteration) / last
  panels.forEach((panel, i) => {
    const top = TOP_PX + i * (PANEL_PX + GAP_PX)
    const yOf = (value: number) => top + PANEL_PX * (1 - Math.min(1, Math.max(0, panel.scale(value))))
    labels.push({ text: panel.title, x: LEFT_PX, y: top - 8, sizePx: 13 })
    for (const tick of panel.ticks) {
      drawLine(picture, [LEFT_PX, yOf(tick)], [right, yOf(tick)], GRID)
      labels.push({ text: String(tick), x: 8, y: yOf(tick) + 4, sizePx: 11, rgb: [160, 160, 160] })
    }
    for (const { fromIteration, phase } of beginnings(history)) {
      drawLine(picture, [xOf(fromIteration), top], [xOf(fromIteration), top + PANEL_PX], PHASE)
      if (i === 0)
        labels.push({ text: phase, x: xOf(fromIteration) + 3, y: top + 12, sizePx: 11, rgb: [190, 150, 200] })
    }
    drawLines(picture, panel, { xOf, yOf })
    panel.lines.forEach(({ name, rgb, points }, k) => {
      const value = points.at(-1)?.[1]
      const text = value === undefined ? name : `${name} ${value.toFixed(3)}`
      labels.push({
        text,
        x: right + 10,
        y: top + 16 + 18 * k,
        sizePx: 13,
        rgb: rgb.map((v) => Math.round(255 * v)) as [number, number, number],
      })
    })
  })
  labels.push({ text: `${last} iterations`, x: right - 90, y: picture.height - 14, sizePx: 12, rgb: [160, 160, 160] })
  return drawText(picture, labels)
}

function drawLines(
  picture: Pixels,
  { lines }: Panel,
  { xOf, yOf }: { xOf: (v: number) => number; yOf: (v: number) => number },
): void {
  for (const { rgb, points } of lines) {
    const shown = thinned(points).map(([x, y]): Point => [xOf(x), yOf(y)])
    if (shown.length === 1) shown.push([shown[0]![0] + 2, shown[0]![1]])
    drawPolyline(picture, shown, rgb, { widthPx: 1.5 })
  }
}

function lossPanel(log: readonly LogEntry[]): Panel {
  const values = log.flatMap(({ src, dst }) => [src, dst]).filter((v) => v > 0)
  const low = Math.log10(Math.min(...values, 1))
  const high = Math.log10(Math.max(...values, 1))
  const span = Math.max(0.3, high - low)
  const ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]
  return {
    title: 'losses',
    lines: [
      { name: 'src', rgb: SRC, points: log.map(({ iteration, src }) => [iteration, src]) },
      { name: 'dst', rgb: DST, points: log.map(({ iteration, dst }) => [iteration, dst]) },
    ],
    scale: (value) => (Math.log10(value) - low) / span,
    ticks: ticks.filter((tick) => Math.log10(tick) >= low && Math.log10(tick) <= low + span),
  }
}

function measurePanel(measures: readonly Measured[]): Panel {
  return {
    title: 'measures: reconstruction is columns 2 and 4, the others are column 5',
    lines: Object.entries(COLOURS).map(([name, rgb]) => ({
      name,
      rgb,
      points: measures.flatMap(({ iteration, values }): Point[] =>
        values[name] === undefined ? [] : [[iteration, values[name]]],
      ),
    })),
    scale: (value) => value,
    ticks: [0, 0.25, 0.5, 0.75, 1],
  }
}

/** Where phases began, each once. */
function beginnings(history: readonly HistoryEntry[]): { fromIteration: number; phase: string }[] {
  const out: { fromIteration: number; phase: string }[] = []
  for (const entry of history) if (entry.event === 'fed' && entry.phase !== out.at(-1)?.phase) out.push(entry)
  return out
}

/** Means of neighbours, so that no more points are left than can be told apart. */
function thinned(points: readonly Point[]): Point[] {
  const step = Math.max(1, Math.ceil(points.length / 400))
  const out: Point[] = []
  for (let i = 0; i < points.length; i += step) {
    const part = points.slice(i, i + step)
    const mean = (axis: 0 | 1) => part.reduce((sum, point) => sum + point[axis], 0) / part.length
    out.push([mean(0), mean(1)])
  }
  return out
}
