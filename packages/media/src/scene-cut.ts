import type { Frame } from './frame.js'

/** Places at which a frame is sampled, across and down. */
const COLUMNS = 32
const ROWS = 18

/** How many frames on each side say how much a shot moves. */
const AROUND = 6
/** A cut changes the picture by so many times what its neighbours do: the second largest of them, as one may be a cut too. */
const TIMES = 2.5
/** No cut changes the mean brightness of a place by less; 0..1. */
const LEAST = 0.012
/** What a cut changes at least where too few frames are known to say how much a shot moves. */
const LEAST_ALONE = 0.1
/** A picture that is back after so many frames was hidden by a flash. */
const FLASH_FRAMES = 3
/** Back is a picture that has changed by less than this share of what the flash did. */
const BACK = 0.4

/** A coarse picture of a frame: ROWS x COLUMNS brightnesses, 0..1, each the mean over a piece of one row of pixels. */
export function frameSignature(picture: Pick<Frame, 'width' | 'height' | 'part'>): Float32Array {
  const out = new Float32Array(COLUMNS * ROWS)
  for (let row = 0; row < ROWS; row++) {
    const y = Math.floor(((row + 0.5) / ROWS) * picture.height)
    const { bitmap, ...part } = picture.part({ x: 0, y, width: picture.width, height: 1 })
    const { data, width, channels } = bitmap
    const scale = data instanceof Uint8Array ? 1 / 255 : data instanceof Uint16Array ? 1 / 65535 : 1
    const green = channels === 1 ? 0 : 1
    for (let column = 0; column < COLUMNS; column++) {
      const first = Math.floor((column / COLUMNS) * width)
      const end = Math.max(first + 1, Math.floor(((column + 1) / COLUMNS) * width))
      let sum = 0
      for (let x = first; x < end; x++) {
        const at = ((y - part.y) * width + x) * channels
        sum += (data[at]! + 2 * data[at + green]! + data[at + 2 * green]!) / 4
      }
      out[row * COLUMNS + column] = (sum * scale) / (end - first)
    }
  }
  return out
}

/** Finds cuts in frames in a row. */
export interface CutFinder {
  /** Takes the signature of the next frame. */
  add(signature: Float32Array): void
  /** For each frame so far, whether a shot begins with it: the first, and those that look unlike the one before. */
  cuts(): boolean[]
}

/**
 * A finder of cuts. What counts is how much a picture changes by the measure of the frames around it: so a cut between two
 * pictures that are nearly alike is found, and a fast pan is none. Nor is a flash after which the picture is back, and
 * three cuts within half a second pass for motion.
 *
 * @param pictures `still`: photos, which need not be of one clip: what changes by more than a little is another picture.
 */
export function createCutFinder({ still = false }: { still?: boolean } = {}): CutFinder {
  const recent: Float32Array[] = []
  /** Change from the frame before each frame. */
  const steps: number[] = []
  /** The frame in which the picture from before each frame is back, and how much it has changed since. */
  const backs: { frame: number; change: number }[] = []
  return {
    add(signature) {
      const now = steps.length
      for (let ago = 2; ago <= Math.min(recent.length, FLASH_FRAMES + 1); ago++) {
        const change = changeOf(recent.at(-ago)!, signature)
        const back = backs[now - ago + 1]!
        if (change < back.change) Object.assign(back, { frame: now, change })
      }
      steps.push(recent.length === 0 ? 0 : changeOf(recent.at(-1)!, signature))
      backs.push({ frame: now, change: Number.POSITIVE_INFINITY })
      recent.push(signature)
      if (recent.length > FLASH_FRAMES + 1) recent.shift()
    },
    cuts() {
      if (still) return steps.map((step, i) => i === 0 || step > LEAST)
      const cuts = steps.map((step, i) => i === 0 || isCut(steps, i, step))
      for (const [i, { frame, change }] of backs.entries())
        if (i > 0 && cuts[i] && change < BACK * steps[i]!) cuts.fill(false, i, frame + 1)
      return cuts
    },
  }
}

function isCut(steps: readonly number[], i: number, step: number): boolean {
  const around = [...steps.slice(Math.max(1, i - AROUND), i), ...steps.slice(i + 1, i + 1 + AROUND)].sort(
    (a, b) => b - a,
  )
  return around.length < 2 ? step > LEAST_ALONE : step > LEAST && step > TIMES * around[1]!
}

/** Mean change of brightness between two signatures, 0..1. */
function changeOf(before: Float32Array, after: Float32Array): number {
  let change = 0
  for (let i = 0; i < before.length; i++) change += Math.abs(before[i]! - after[i]!)
  return change / before.length
}
