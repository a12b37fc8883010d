import type { ColorTags } from './color.js'

/**
 * The way between a clip's own R'G'B' and the display-referred R'G'B' (sRGB) that faces are looked at in.
 *
 * Both work in place on [n, 3] 16-bit words. `back` undoes `toDisplay` for all colours that sRGB can show.
 */
export interface Tone {
  toDisplay(words: Uint16Array): void
  back(words: Uint16Array): void
}

/** The white of diffuse surfaces in HDR, cd/m². Source: ITU-R BT.2408-7, table 1 */
const REFERENCE_WHITE = 203
/** Up to here light is kept as it is, 1 being the reference white; what is brighter is pressed together. */
const KNEE = 0.6

/**
 * How HDR and linear light are shown: nothing for the usual transfers, whose R'G'B' is taken as it is.
 *
 * The rule for PQ, HLG and linear light: light counted from the reference white; primaries turned into BT.709's, what
 * these cannot show cut off; up to 0.6 of the reference white unchanged, so that skin looks as in an SDR grade; brighter
 * light pressed into what is left, smoothly and so that each value can be undone; then sRGB's curve. Each channel on its
 * own.
 *
 * Source: SMPTE ST 2084, ITU-R BT.2100-2 table 5 (HLG, for a display of 1000 cd/m²), IEC 61966-2-1; the shoulder is that
 * of Reinhard et al. 2002, https://doi.org/10.1145/566654.566575, equation 4, begun at the knee.
 */
export function toneOf(color: ColorTags): Tone | undefined {
  const light = LIGHTS[color.transfer]
  if (!light) return undefined
  const shoulder = shoulderTo(light.brightest)
  const matrix = PRIMARIES_TO_709[color.primaries]
  const inverse = matrix && inverted(matrix)
  const toLight = Float64Array.from({ length: 65536 }, (_, i) => light.toLinear(i / 65535))
  const displayOf = Float64Array.from(
    { length: SAMPLES + 1 },
    (_, i) => displayed(shoulder, light.brightest * (i / SAMPLES) ** 4) * 65535,
  )
  const lightOf = Float64Array.from({ length: 65536 }, (_, i) => shoulder.undo(srgbToLinear(i / 65535)))
  const signalOf = Float64Array.from(
    { length: SAMPLES + 1 },
    (_, i) => light.fromLinear(light.top * (i / SAMPLES) ** 4) * 65535,
  )
  return {
    toDisplay(words) {
      for (let i = 0; i < words.length; i += 3) {
        let [r, g, b] = [toLight[words[i]!]!, toLight[words[i + 1]!]!, toLight[words[i + 2]!]!]
        if (light.system) {
          const gain = light.system.forward(r, g, b)
          r *= gain
          g *= gain
          b *= gain
        }
        if (matrix) [r, g, b] = multiplied(matrix, r, g, b)
        words[i] = lookedUp(displayOf, r / light.brightest)
        words[i + 1] = lookedUp(displayOf, g / light.brightest)
        words[i + 2] = lookedUp(displayOf, b / light.brightest)
      }
    },
    back(words) {
      for (let i = 0; i < words.length; i += 3) {
        let [r, g, b] = [lightOf[words[i]!]!, lightOf[words[i + 1]!]!, lightOf[words[i + 2]!]!]
        if (inverse) [r, g, b] = multiplied(inverse, r, g, b)
        if (light.system) {
          const gain = light.system.back(r, g, b)
          r *= gain
          g *= gain
          b *= gain
        }
        words[i] = lookedUp(signalOf, r / light.top)
        words[i + 1] = lookedUp(signalOf, g / light.top)
        words[i + 2] = lookedUp(signalOf, b / light.top)
      }
    },
  }
}

/** Linear light of any size, 1 being white, as display-referred 16-bit words: the rule of `toneOf`. */
export const linearToDisplay = (light: number): number => Math.round(displayed(UNBOUNDED, light) * 65535)

/** The linear light that a display-referred word shows. */
export const displayToLinear = (word: number): number => UNBOUNDED.undo(srgbToLinear(word / 65535))

const SAMPLES = 16384

/** A value between 0 and 1 in a table over its fourth root. */
function lookedUp(table: Float64Array, value: number): number {
  if (!(value > 0)) return table[0]! + 0.5
  if (value >= 1) return table[SAMPLES]! + 0.5
  const at = Math.sqrt(Math.sqrt(value)) * SAMPLES
  const below = Math.floor(at)
  return table[below]! + (table[below + 1]! - table[below]!) * (at - below) + 0.5
}

interface Shoulder {
  press(light: number): number
  undo(pressed: number): number
}

/** Presses light from the knee up to `brightest` into the knee up to 1. */
function shoulderTo(brightest: number): Shoulder {
  const rest = 1 - KNEE
  const top = (brightest - KNEE) / rest
  const share = Number.isFinite(top) ? 1 / (top * top) : 0
  return {
    press(light) {
      const t = (light - KNEE) / rest
      return t <= 0 ? light : KNEE + (rest * t * (1 + t * share)) / (1 + t)
    },
    undo(pressed) {
      const s = (pressed - KNEE) / rest
      if (s <= 0) return pressed
      // The larger end of a curve without a top is as bright as a word can tell.
      if (share === 0) return KNEE + rest * (s / Math.max(1 - s, 1e-5))
      // share·t² + (1 − s)·t − s = 0
      return KNEE + (rest * (s - 1 + Math.sqrt((1 - s) ** 2 + 4 * share * s))) / (2 * share)
    },
  }
}

const UNBOUNDED = shoulderTo(Number.POSITIVE_INFINITY)

const displayed = (shoulder: Shoulder, light: number) =>
  light > 0 ? linearToSrgb(Math.min(1, shoulder.press(light))) : 0

const linearToSrgb = (v: number) => (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055)
const srgbToLinear = (v: number) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)

/** A transfer characteristic; light is counted from the reference white. */
interface Light {
  /** Of a signal of 0..1: what is shown, or, where there is a `system`, what the camera saw, 0..1. */
  toLinear(signal: number): number
  fromLinear(linear: number): number
  /** The largest `linear`. */
  top: number
  /** The brightest that is shown. */
  brightest: number
  /** What makes light that is shown of light that the camera saw, as a gain for all channels. */
  system?: { forward(r: number, g: number, b: number): number; back(r: number, g: number, b: number): number }
}

const PQ = {
  m1: 2610 / 16384,
  m2: (2523 / 4096) * 128,
  c1: 3424 / 4096,
  c2: (2413 / 4096) * 32,
  c3: (2392 / 4096) * 32,
}
const HLG = { a: 0.17883277, b: 0.28466892, c: 0.55991073, gamma: 1.2, peak: 1000 / REFERENCE_WHITE }
const luminance2020 = (r: number, g: number, b: number) => 0.2627 * r + 0.678 * g + 0.0593 * b

const LIGHTS: Readonly<Record<string, Light>> = {
  smpte2084: {
    toLinear(signal) {
      const p = signal ** (1 / PQ.m2)
      return ((Math.max(p - PQ.c1, 0) / (PQ.c2 - PQ.c3 * p)) ** (1 / PQ.m1) * 10_000) / REFERENCE_WHITE
    },
    fromLinear(linear) {
      const y = ((Math.max(0, linear) * REFERENCE_WHITE) / 10_000) ** PQ.m1
      return ((PQ.c1 + PQ.c2 * y) / (1 + PQ.c3 * y)) ** PQ.m2
    },
    top: 10_000 / REFERENCE_WHITE,
    brightest: 10_000 / REFERENCE_WHITE,
  },
  'arib-std-b67': {
    toLinear: (signal) => (signal <= 0.5 ? signal ** 2 / 3 : (Math.exp((signal - HLG.c) / HLG.a) + HLG.b) / 12),
    fromLinear: (linear) =>
      linear <= 1 / 12 ? Math.sqrt(3 * Math.max(0, linear)) : HLG.a * Math.log(12 * linear - HLG.b) + HLG.c,
    top: 1,
    brightest: HLG.peak,
    system: {
      forward: (r, g, b) => HLG.peak * Math.max(0, luminance2020(r, g, b)) ** (HLG.gamma - 1),
      back(r, g, b) {
        const shown = Math.max(0, luminance2020(r, g, b)) / HLG.peak
        return shown > 0 ? shown ** ((1 - HLG.gamma) / HLG.gamma) / HLG.peak : 0
      },
    },
  },
  linear: { toLinear: (signal) => signal, fromLinear: (linear) => linear, top: 1, brightest: 1 },
}

type Matrix = readonly [number, number, number, number, number, number, number, number, number]

/** Source: ITU-R BT.2087-0 (inverse), and the chromaticities of SMPTE RP 431-2 and EG 432-1. */
const PRIMARIES_TO_709: Readonly<Record<string, Matrix>> = {
  bt2020: [1.660491, -0.587641, -0.07285, -0.12455, 1.1329, -0.008349, -0.018151, -0.100579, 1.11873],
  smpte432: [1.22494, -0.22494, 0, -0.042057, 1.042057, 0, -0.019638, -0.078636, 1.098274],
}

function multiplied(m: Matrix, r: number, g: number, b: number): [number, number, number] {
  return [m[0] * r + m[1] * g + m[2] * b, m[3] * r + m[4] * g + m[5] * b, m[6] * r + m[7] * g + m[8] * b]
}

function inverted([a, b, c, d, e, f, g, h, i]: Matrix): Matrix {
  const [A, B, C] = [e * i - f * h, c * h - b * i, b * f - c * e]
  const det = a * A + d * B + g * C
  const over = (v: number) => v / det
  return [A, B, C, f * g - d * i, a * i - c * g, c * d - a * f, d * h - e * g, b * g - a * h, a * e - b * d].map(
    over,
  ) as unknown as Matrix
}
