import { escaped } from './html.js'

/** A point of a chart. */
type Place = readonly [x: number, y: number]

/** What a chart shows. */
export interface Scatter {
  title: string
  /** One sentence under the chart. */
  caption: string
  x: { name: string; low: string; high: string; range: readonly [number, number] }
  y: { name: string; low: string; high: string; range: readonly [number, number] }
  src: readonly Place[]
  dst: readonly Place[]
  /** Those of DST that SRC does not cover. */
  uncovered: readonly Place[]
}

const WIDTH = 300
const HEIGHT = 240
const LEFT = 16
const BOTTOM = 34
/** More points than this say nothing more. */
const MOST = 700

/** SRC's and DST's faces as points: SRC filled, DST as rings, what SRC does not cover as crosses. */
export function scatterChart({ title, caption, x, y, src, dst, uncovered }: Scatter): string {
  const at = ([a, b]: Place) => {
    const across = (v: number, [from, to]: readonly [number, number]) =>
      Math.min(1, Math.max(0, (v - from) / Math.max(1e-9, to - from)))
    return [
      (LEFT + 6 + across(a, x.range) * (WIDTH - LEFT - 14)).toFixed(1),
      (HEIGHT - BOTTOM - 6 - across(b, y.range) * (HEIGHT - BOTTOM - 14)).toFixed(1),
    ] as const
  }
  const some = (points: readonly Place[]) => {
    const every = Math.max(1, Math.ceil(points.length / MOST))
    return points.filter((_, i) => i % every === 0)
  }
  const dots = (points: readonly Place[], name: string, radius: number) =>
    some(points)
      .map((point) => {
        const [cx, cy] = at(point)
        return `<circle class="${name}" cx="${cx}" cy="${cy}" r="${radius}"/>`
      })
      .join('')
  const crosses = some(uncovered)
    .map((point) => {
      const [cx, cy] = at(point).map(Number)
      return `<path class="gap" d="M${cx - 3} ${cy - 3}l6 6m0-6l-6 6"/>`
    })
    .join('')
  const label = (text: string, place: string) => `<text ${place}>${escaped(text)}</text>`
  return `<figure><h3>${escaped(title)}</h3><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(`${title}. ${caption} ${src.length} faces of SRC, ${dst.length} of DST, ${uncovered.length} of these with nothing of SRC near them.`)}"><path class="axis" d="M${LEFT} 4V${HEIGHT - BOTTOM}H${WIDTH - 4}" fill="none"/>${dots(src, 'src', 2.4)}${dots(dst, 'dst', 3)}${crosses}${[
    label(x.low, `x="${LEFT}" y="${HEIGHT - BOTTOM + 13}"`),
    label(x.high, `x="${WIDTH - 4}" y="${HEIGHT - BOTTOM + 13}" text-anchor="end"`),
    label(x.name, `x="${(WIDTH + LEFT) / 2}" y="${HEIGHT - BOTTOM + 27}" text-anchor="middle"`),
    label(
      `${y.low} — ${y.name} — ${y.high}`,
      `transform="rotate(-90 11 ${(HEIGHT - BOTTOM) / 2})" x="11" y="${(HEIGHT - BOTTOM) / 2}" text-anchor="middle"`,
    ),
  ].join('')}</svg><figcaption>${escaped(caption)}</figcaption></figure>`
}
