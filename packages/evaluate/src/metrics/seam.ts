import type { Pixels } from '@dfl/core'
import { gaussianBlur, rgbToLab } from '@dfl/image'

/*
 * Lengths are pixels of a picture in which the square from brow to brow is 100 wide: `SEAM_VIEW` is such a one.
 */

/** How a face is cut out for `seamStep`: a square so wide that masks much larger than the face end in it. */
export const SEAM_VIEW = { faceType: 'whole_face', size: 240, scale: 2 / 3 } as const

/**
 * ΔE*ab below which nothing changed: what is just visible, or three times the median along the picture's rim, which is what encoding a
 * video anew changes. A rim that changed by `most` says that the whole picture is another.
 */
const CHANGED = { least: 2, overRim: 3, most: 4 } as const
/** Blur of both pictures, and of the change when it is asked where there is any: grain is no change. */
const BLUR = { picture: 1.5, change: 2 } as const
/** From how far outside the line to how far inside a step is measured: 8 px, so a soft edge counts by its steepness. */
const ACROSS = { outside: 1, inside: 7 } as const
/**
 * Where DST may have the same edge itself, from outside the line to inside it, if its head is smaller than the new one; and the ΔE*ab from
 * which it is one: less is how a face is shaded.
 */
const MOVED = { from: -3, to: 16, least: 16 } as const
/** The share of an edge that DST's own edges leave unexplained: below `none` it counts as moved, above `all` as new. */
const UNEXPLAINED = { none: 0.3, all: 0.7 } as const
/** Steps are averaged along the line with this standard deviation: a seam goes on, a changed brow does not. */
const ALONG = 6
/** A step counts that so much of the line has, in all: about the distance of the eyes. */
const LENGTH = 60
/** Share of the picture's lower side that is changed in one piece where neck and shoulders are another person's. */
const BODY = { none: 0.15, all: 0.3 } as const
/** Brightest part of a picture that is seen as white, and how much darker than white it may be. */
const WHITE = { quantile: 0.98, darkest: 1 / 16 } as const

type Vector = readonly [number, number, number]

/**
 * The step in colour where the change that a swap made ends, which DST does not have: ΔE*ab that `LENGTH` of the line reaches.
 * 0 where nothing ends: the same picture, or another one all over.
 *
 * The line is where one comes from the picture's rim, as long as nothing changed, to what changed: the edge of the mask, wherever it
 * lies. Along it the step of (result − DST) from outside to inside counts, as far as the result itself has an edge there, and as far as DST
 * has no such edge up to half or twice as strong further inside: a larger head's outline is no seam. Nothing counts where the
 * change leaves the picture at the bottom as broadly as a body does: then neck and shoulders were exchanged too.
 *
 * Colours are seen against the brightest part of the picture, so that a step in the dark counts as it is seen by
 * an eye that has adapted to the dark.
 *
 * @param result [S, S, 3] as `SEAM_VIEW` @param dst [S, S, 3] the same face. @param bodyIsSeen Whether the frame goes on below the
 * chin by at least an eighth of the width of the face.
 * Source: ΔE*ab CIE 1976; the brightest as white: Gilchrist et al. 1999, https://doi.org/10.1037/0033-295X.106.4.795
 */
export function seamStep(result: Pixels, dst: Pixels, bodyIsSeen = true): number {
  const { width, height } = dst
  const [now, before] = seenColors(result, dst)
  const change = changeOf(now, before)
  const rim = medianOfRim(change)
  if (rim >= CHANGED.most) return 0
  const unchanged = unchangedFromRim(change, Math.max(CHANGED.least, CHANGED.overRim * rim))
  const closed = bodyIsSeen ? 1 - ramp(changedBelow(unchanged), BODY.none, BODY.all) : 1
  if (closed === 0) return 0
  const size = { width, height }
  const steps: Pixels = { ...size, data: new Float32Array(3 * width * height), channels: 3 }
  const line: Pixels = { ...size, data: new Float32Array(width * height), channels: 1 }
  for (const { i, x, y, inward } of lineOf(unchanged)) {
    steps.data.set(newStep({ now, before }, [x, y], inward), 3 * i)
    line.data[i] = 1
  }
  const [summed, weight] = [gaussianBlur(steps, ALONG), gaussianBlur(line, ALONG)]
  const lengths: number[] = []
  for (let i = 0; i < line.data.length; i++)
    if (line.data[i] > 0) lengths.push(Math.hypot(...at(summed, i)) / weight.data[i])
  lengths.sort((a, b) => b - a)
  return closed * (lengths[LENGTH - 1] ?? 0)
}

/** L*a*b* of both pictures, slightly blurred, on the white of DST. */
function seenColors(result: Pixels, dst: Pixels): readonly [Pixels, Pixels] {
  const [now, before] = [result, dst].map((picture) => rgbToLab(gaussianBlur(picture, BLUR.picture)))
  const lightness = Float32Array.from({ length: dst.width * dst.height }, (_, i) => before!.data[3 * i]).sort()
  const brightest = luminance((lightness[Math.floor(WHITE.quantile * lightness.length)] + 16) / 116)
  const gain = 1 / Math.min(1, Math.max(WHITE.darkest, brightest))
  return [onWhite(now!, gain), onWhite(before!, gain)]
}

/** CIE's f and its inverse: from a share of white to the scale that L*a*b* are differences of, and back. */
const KNEE = 6 / 29
const luminance = (f: number) => (f > KNEE ? f ** 3 : 3 * KNEE ** 2 * (f - 4 / 29))
const response = (t: number) => (t > KNEE ** 3 ? Math.cbrt(t) : t / (3 * KNEE ** 2) + 4 / 29)

/** The same colours in a light `gain` times as strong. */
function onWhite(lab: Pixels, gain: number): Pixels {
  const data = new Float32Array(lab.data.length)
  const lit = (f: number) => response(gain * luminance(f))
  for (let i = 0; i < data.length; i += 3) {
    const f = (lab.data[i] + 16) / 116
    const [x, y, z] = [lit(f + lab.data[i + 1] / 500), lit(f), lit(f - lab.data[i + 2] / 200)]
    data[i] = 116 * y - 16
    data[i + 1] = 500 * (x - y)
    data[i + 2] = 200 * (y - z)
  }
  return { ...lab, data }
}

/** ΔE*ab of every pixel, [H, W, 1], of colours averaged so far that grain is gone. */
function changeOf(now: Pixels, before: Pixels): Pixels {
  const difference = gaussianBlur({ ...now, data: now.data.map((v, k) => v - before.data[k]) }, BLUR.change)
  const data = new Float32Array(now.width * now.height)
  for (let i = 0; i < data.length; i++) {
    const [l, a, b] = [difference.data[3 * i], difference.data[3 * i + 1], difference.data[3 * i + 2]]
    data[i] = Math.sqrt(l * l + a * a + b * b)
  }
  return { ...now, data, channels: 1 }
}

/** 1 where one comes to from the rim without crossing a change, [H, W, 1]. */
function unchangedFromRim(change: Pixels, limit: number): Pixels {
  const { data, width, height } = change
  const found = new Float32Array(width * height)
  const open: number[] = []
  const visit = (i: number) => {
    if (found[i] === 1 || data[i] >= limit) return
    found[i] = 1
    open.push(i)
  }
  for (let x = 0; x < width; x++) for (const y of [0, height - 1]) visit(y * width + x)
  for (let y = 0; y < height; y++) for (const x of [0, width - 1]) visit(y * width + x)
  for (let i = open.pop(); i !== undefined; i = open.pop()) {
    const x = i % width
    if (x > 0) visit(i - 1)
    if (x < width - 1) visit(i + 1)
    if (i >= width) visit(i - width)
    if (i < width * (height - 1)) visit(i + width)
  }
  return { ...change, data: found }
}

function medianOfRim({ data, width, height }: Pixels): number {
  const rim = data.filter((_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)]
    return x === 0 || y === 0 || x === width - 1 || y === height - 1
  })
  return rim.sort()[rim.length >> 1]
}

/** The longest piece of the lower side that changed, as a share of it. */
function changedBelow({ data, width, height }: Pixels): number {
  let [longest, piece] = [0, 0]
  for (let i = width * (height - 1); i < data.length; i++) {
    piece = data[i] === 0 ? piece + 1 : 0
    longest = Math.max(longest, piece)
  }
  return longest / width
}

/** The pixels at which the unchanged ends, each with the direction towards what changed. */
function* lineOf(unchanged: Pixels): Generator<{ i: number; x: number; y: number; inward: readonly [number, number] }> {
  const { data, width, height } = unchanged
  const smooth = gaussianBlur(unchanged, 3).data
  for (let y = 1; y < height - 1; y++)
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x
      if (data[i] === 0 || data[i - 1] + data[i + 1] + data[i - width] + data[i + width] === 4) continue
      const [dx, dy] = [smooth[i - 1] - smooth[i + 1], smooth[i - width] - smooth[i + width]]
      const length = Math.hypot(dx, dy)
      if (length > 1e-6) yield { i, x, y, inward: [dx / length, dy / length] }
    }
}

/** The step of (result − DST) at a point of the line, as far as it is an edge of the result, and new. */
function newStep(
  { now, before }: { now: Pixels; before: Pixels },
  [x, y]: readonly [number, number],
  [dx, dy]: readonly [number, number],
): Vector {
  const { width, height } = now
  const near = (picture: Pixels, along: number): Vector => {
    const clamped = (v: number, size: number) => Math.min(size - 1, Math.max(0, Math.round(v)))
    return at(picture, clamped(y + along * dy, height) * width + clamped(x + along * dx, width))
  }
  const stepAt = (picture: Pixels, along: number) =>
    minus(near(picture, along + ACROSS.inside), near(picture, along - ACROSS.outside))
  const edge = stepAt(now, 0)
  const added = minus(edge, stepAt(before, 0))
  const strength = Math.hypot(...edge)
  let unexplained = strength
  for (let along = MOVED.from; along <= MOVED.to; along++) {
    const own = stepAt(before, along)
    const square = dot(own, own)
    if (square < MOVED.least ** 2) continue
    const times = Math.min(2, Math.max(0.5, dot(edge, own) / square))
    unexplained = Math.min(unexplained, Math.hypot(...minus(edge, own, times)))
  }
  const isNew = ramp(unexplained / Math.max(strength, 1e-6), UNEXPLAINED.none, UNEXPLAINED.all)
  const isEdge = Math.min(1, strength / Math.max(Math.hypot(...added), 1e-6))
  return [added[0] * isNew * isEdge, added[1] * isNew * isEdge, added[2] * isNew * isEdge]
}

const at = ({ data }: Pixels, i: number): Vector => [data[3 * i], data[3 * i + 1], data[3 * i + 2]]
const minus = (a: Vector, b: Vector, times = 1): Vector => [
  a[0] - times * b[0],
  a[1] - times * b[1],
  a[2] - times * b[2],
]
const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
const ramp = (v: number, from: number, to: number) => Math.min(1, Math.max(0, (v - from) / (to - from)))
