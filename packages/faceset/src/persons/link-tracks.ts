import { clipOf, type FaceMeta, type Rect } from '@dfl/core'
import { byFrame } from '../operations/original-names.js'

/** What linking needs to know of a face. */
export type LinkedFace = Pick<FaceMeta, 'filename' | 'sourceFilename' | 'frameIndex' | 'faceIndex' | 'sourceRect'>

/** Frames that a face may be missing for, counted in the steps that frames were taken in. */
const LONGEST_GAP = 5
/** Overlap of two boxes, of their union, that makes them one face a frame later. */
const LEAST_OVERLAP = 0.3

/** The faces in groups that follow each other through a clip at about one place. Each group is in the order of frames. */
export function linkTracks<T extends LinkedFace>(faces: readonly T[]): T[][] {
  const sorted = [...faces].sort(byFrame)
  const tracks: T[][] = []
  let open: T[][] = []
  let clip = ''
  const step = usualStep(sorted)
  for (const face of sorted) {
    const own = clipOf(face)
    if (own !== clip) open = []
    clip = own
    open = open.filter((track) => face.frameIndex - track.at(-1)!.frameIndex <= LONGEST_GAP * step)
    let best: T[] | undefined
    let most = LEAST_OVERLAP
    for (const track of open) {
      const last = track.at(-1)!
      if (last.frameIndex === face.frameIndex) continue
      const share = overlap(last.sourceRect, face.sourceRect)
      if (share <= most) continue
      most = share
      best = track
    }
    if (best) best.push(face)
    else {
      const track = [face]
      tracks.push(track)
      open.push(track)
    }
  }
  return tracks
}

/** Frames from one face to the next, as most of them are apart. */
function usualStep(sorted: readonly LinkedFace[]): number {
  const steps = sorted
    .slice(1)
    .map((face, i) => face.frameIndex - sorted[i]!.frameIndex)
    .filter((step) => step > 0)
    .sort((a, b) => a - b)
  return steps[Math.floor(steps.length / 2)] ?? 1
}

function overlap(a: Rect, b: Rect): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y)
  if (width <= 0 || height <= 0) return 0
  const both = width * height
  return both / (a.width * a.height + b.width * b.height - both)
}
