import { type HeadModel, MATERIAL } from './head-model.js'
import type { Color, Look } from './look.js'
import { valueNoise } from './noise.js'

/** What a place on a head is: its colour 0..255, and how it shines. Written anew for every sample. */
export interface Surface {
  r: number
  g: number
  b: number
  shine: number
  /** Sharpness of the shine. */
  gloss: number
  /** Share of the light that reaches it, 0..1. */
  open: number
}

/** Writes what the place (x, y, z) of the mean head is, in cm. */
export type Painter = (surface: Surface, material: number, x: number, y: number, z: number) => void

const noise = valueNoise(7)
const MOUTH: Color = [92, 34, 34]
const GUMS: Color = [150, 72, 70]
const TEETH: Color = [226, 216, 196]
const SOCKET: Color = [120, 70, 62]
const WHITE: Color = [226, 220, 214]

/** How a head of that look is painted: skin with lips, brows, stubble and hair; eyes; teeth. */
export function painterOf({ marks, maps, irises }: HeadModel, look: Look): Painter {
  const jawY = marks[8][1]
  const browY = (marks[19][1] + marks[24][1]) / 2
  const noseTipY = marks[30][1]
  const noseBaseY = marks[33][1]
  const lipZ = marks[62][2]
  const lidY = Math.max(marks[37][1], marks[38][1])
  const templeY = marks[1][1]
  const cheekY = marks[2][1]
  const lowerCheekY = marks[4][1]

  const skin = (s: Surface, x: number, y: number, z: number) => {
    const coarse = noise(x * 0.5, y * 0.5, z * 0.5)
    const middle = noise(x * 3, y * 3, z * 3)
    const fine = noise(x * 14, y * 14, z * 14)
    tint(s, look.skin, 0.9 + 0.12 * coarse + 0.06 * middle + 0.06 * fine)
    s.shine = 0.12
    s.gloss = 12
    const side = Math.abs(x)
    const up = y - noseTipY
    const cheeks = Math.exp(-(((side - 4.2) / 2.2) ** 2) - (up / 2) ** 2)
    const nose = Math.exp(-((x / 1.3) ** 2) - (up / 1.3) ** 2)
    const red = 0.5 * cheeks + 0.35 * nose
    darken(s, 1 + 0.03 * red, 1 - 0.18 * red, 1 - 0.2 * red)
    if (look.freckles > 0 && fine > 0.82)
      darken(s, 1 - 0.2 * look.freckles, 1 - 0.3 * look.freckles, 1 - 0.38 * look.freckles)
    if (z > -2) features(s, x, y, middle, fine)
    hair(s, x, y, z)
  }

  const features = (s: Surface, x: number, y: number, middle: number, fine: number) => {
    const side = Math.abs(x)
    if (look.stubble > 0) {
      const edge = (middle - 0.5) * 0.8
      const height = y - 0.05 * Math.max(0, side - 2.2) ** 2
      const grown = ease(noseBaseY + 0.1 + edge, noseBaseY - 1.6 + edge, height) * ease(jawY - 3.6, jawY - 1.4, y)
      blend(s, look.hair, look.stubble * 0.55 * grown * (0.5 + 0.5 * fine))
    }
    const lips = maps.lips.at(x, y)
    if (lips < 0.15) {
      blend(s, look.lip, 0.85 * ease(0.15, -0.12, lips))
      s.shine = 0.25
    }
    const brows = maps.brows.at(x, y)
    const browCm = look.browCm * (1 - 0.35 * ease(3, 6.5, side))
    if (brows < browCm)
      blend(s, look.brow, ease(browCm, browCm * 0.35, brows) * (0.55 + 0.45 * noise(x * 9 + y * 3, y * 3.5, 1)))
    const eyes = maps.eyes.at(x, y)
    if (eyes < 0.55) {
      const shade = 1 - 0.224 * ease(0.55, 0, eyes)
      darken(s, shade, shade, shade)
      // The line of the lashes.
      if (eyes < 0.14) blend(s, [28, 20, 18], 0.75 * ease(0.14, 0.02, eyes))
    }
  }

  const hair = (s: Surface, x: number, y: number, z: number) => {
    if (y < lowerCheekY - 2) return
    const side = Math.abs(x)
    if (side > 7.4 && y < browY + 0.8 && y > lowerCheekY && z > -5.5) return
    const line = browY + 3.9 - 0.045 * x * x + (noise(x * 2, 0, 3) - 0.5) * 0.5
    let amount = ease(line - 0.15, line + 0.45, y)
    if (z < -1.5 && y > cheekY - 1) amount = Math.max(amount, ease(-1.5, -2.6, z))
    if (side > 6.3 && y > templeY + 1.2 && z < 1.2 + noise(x, y * 2, z) * 0.8) amount = Math.max(amount, 0.85)
    if (amount <= 0) return
    const strand = noise(x * 5, y * 1.1, z * 5) * 0.6 + noise(x * 16, y * 3, z * 16) * 0.4
    const shade = 0.55 + 0.9 * strand
    s.r += amount * (look.hair[0] * shade - s.r)
    s.g += amount * (look.hair[1] * shade - s.g)
    s.b += amount * (look.hair[2] * shade - s.b)
    s.shine = s.shine * (1 - amount) + 0.35 * amount * strand
  }

  const eye = (s: Surface, x: number, y: number, centre: readonly [number, number]) => {
    const [dx, dy] = [x - centre[0], y - centre[1]]
    const radius = Math.hypot(dx, dy)
    if (radius < 0.24) tint(s, [8, 8, 9], 1)
    else if (radius < 0.62) {
      tint(s, look.iris, 0.55 + 0.8 * noise(Math.atan2(dy, dx) * 6, radius * 9, 2))
      blend(s, [16, 16, 18], ease(0.5, 0.62, radius))
    } else tint(s, WHITE, 1)
    s.shine = 0.9
    s.gloss = 80
    s.open = 0.72 + 0.28 * ease(lidY + 0.1, lidY - 0.55, y)
  }

  return (s, material, x, y, z) => {
    s.open = 1
    switch (material) {
      case MATERIAL.face:
      case MATERIAL.backOfHead:
        return skin(s, x, y, z)
      case MATERIAL.leftSclera:
      case MATERIAL.leftIris:
        return eye(s, x, y, irises.left)
      case MATERIAL.rightSclera:
      case MATERIAL.rightIris:
        return eye(s, x, y, irises.right)
      case MATERIAL.mouthSocket:
        matt(s, MOUTH, 0.1, 12)
        s.open = 0.12 + 0.5 * ease(3, 0.3, lipZ - z)
        return
      case MATERIAL.gums:
      case MATERIAL.teeth: {
        const teeth = material === MATERIAL.teeth
        matt(s, teeth ? TEETH : GUMS, teeth ? 0.35 : 0.3, teeth ? 30 : 25)
        s.open = 0.25 + 0.65 * ease(3.2, 0.6, lipZ - z)
        return
      }
      default:
        matt(s, SOCKET, 0, 12)
    }
  }
}

/** 0 at `from`, 1 at `to`, smooth between. */
const ease = (from: number, to: number, v: number) => {
  const t = Math.min(1, Math.max(0, (v - from) / (to - from)))
  return t * t * (3 - 2 * t)
}

function matt(s: Surface, color: Color, shine: number, gloss: number): void {
  tint(s, color, 1)
  s.shine = shine
  s.gloss = gloss
}

function tint(s: Surface, color: Color, factor: number): void {
  s.r = color[0] * factor
  s.g = color[1] * factor
  s.b = color[2] * factor
}

function darken(s: Surface, r: number, g: number, b: number): void {
  s.r *= r
  s.g *= g
  s.b *= b
}

function blend(s: Surface, color: Color, amount: number): void {
  s.r += amount * (color[0] - s.r)
  s.g += amount * (color[1] - s.g)
  s.b += amount * (color[2] - s.b)
}
