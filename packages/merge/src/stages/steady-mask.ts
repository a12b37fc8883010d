import { DflError, type Pixels } from '@dfl/core'
import { resize } from '@dfl/image'
import { clamp, type MergeStage } from '../merge-face.js'
import { shareOfNow, takingNotes } from './over-time.js'
import { rise } from './rise.js'

/** Side of the grid on which masks are remembered: four pixels of a 256 px face a cell. */
const GRID = 64

/** A cell that changes by less than the first trembles and is averaged; by more than the second, something moved. */
const [TREMBLES, MOVES] = [0.3, 0.7]

/**
 * A stage that averages the mask over the past frames of the same face, so that its edge does not tremble from frame to
 * frame; where something really moves, such as a hand before the face, and at a cut, it follows at once.
 *
 * Masks lie in the face's own geometry, so that the face's movement through the frame changes nothing. An edge that keeps
 * moving is followed about a pixel and a half of a 256 px face behind.
 *
 * @param seconds Time constant of the average; 0 switches it off.
 * Source: recursive filter that adapts to movement, as in noise reduction of video: Dubois, Sabri 1984,
 * https://doi.org/10.1109/TCOM.1984.1096143
 */
export function steadyMask(seconds: number): MergeStage {
  if (!(seconds >= 0) || !Number.isFinite(seconds))
    throw new DflError(
      'BAD_OPTION',
      `Expected a number of at least 0 s for \`steadyMask\`, but got ${seconds}. Give 0 to switch it off.`,
      { data: { seconds } },
    )
  if (seconds === 0) return (face) => face
  return takingNotes((face) => {
    const now = resize(face.mask, { width: GRID, height: GRID })
    const before = face.past?.values.mask
    const past = before?.length === GRID * GRID + 1 ? face.past : undefined
    const count = past ? before!.at(-1)! + 1 : 1
    const { timestampSeconds } = face.meta
    const share = shareOfNow(past, { timestampSeconds, count, seconds })
    const kept = new Array<number>(GRID * GRID + 1)
    kept[GRID * GRID] = count
    const change: Pixels = { ...now, data: new Float32Array(GRID * GRID) }
    for (let i = 0; i < GRID * GRID; i++) {
      const value = now.data[i]!
      const step = past ? value - before![i]! : 0
      const back = step * (1 - share) * (1 - rise(Math.abs(step), TREMBLES, MOVES))
      // Whole thousandths: notes are written to disk.
      kept[i] = Math.round((value - back) * 1000) / 1000
      change.data[i] = -back
    }
    const notes = { ...face.notes, mask: kept }
    if (change.data.every((v) => Math.abs(v) < 1e-3)) return { ...face, notes }
    const fine = resize(change, face.mask, { filter: 'linear' })
    for (let i = 0; i < fine.data.length; i++) fine.data[i] = fine.data[i]! + face.mask.data[i]!
    return { ...face, notes, mask: clamp(fine) }
  })
}
