import type { FaceCut } from './cut-face.js'

/** Cuts by index of the face. */
export interface FaceCache {
  get(face: number): Promise<FaceCut>
}

/**
 * A cache that makes a cut when it is first asked for, and forgets the one that was not asked for the longest when there
 * are more than `capacity`. A cut that is in use stays alive with its user.
 *
 * @param concurrency Most cuts under way at once: each holds a decoded image.
 */
export function faceCache(make: (face: number) => Promise<FaceCut>, capacity: number, concurrency: number): FaceCache {
  const cuts = new Map<number, Promise<FaceCut>>() // In the order of last use.
  const queue: (() => void)[] = []
  let running = 0

  const inTurn = async (face: number): Promise<FaceCut> => {
    if (running >= concurrency) await new Promise<void>((go) => queue.push(go))
    else running++
    try {
      return await make(face)
    } finally {
      const next = queue.shift() // Hands its turn on, or gives it back.
      if (next) next()
      else running--
    }
  }

  return {
    get(face) {
      const cut = cuts.get(face) ?? inTurn(face)
      cuts.delete(face)
      cuts.set(face, cut)
      // A face that failed is tried again when it is asked for again.
      cut.catch(() => cuts.get(face) === cut && cuts.delete(face))
      if (cuts.size > capacity) cuts.delete(cuts.keys().next().value as number)
      return cut
    },
  }
}
