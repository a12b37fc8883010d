import { distance, median } from '@dfl/core'

type Embedded = { embedding: ArrayLike<number> }

/** Whom a swap looks like. */
export interface IdentityMetrics {
  /** Median distance to the 10 nearest SRC faces, and to the 10 nearest DST faces. */
  toSrc: number
  toDst: number
  /** 0 where the swap is as far from DST as SRC is, 1 where it is as near to DST as DST is to itself. */
  leak: number
  /** Share of faces, 0..1, whose nearest face among all of SRC's and DST's is one of SRC's. */
  retrieval: number
}

const NEAREST = 10

/**
 * Whom the faces of a swap look like, by embeddings of one network.
 *
 * @param swap, src, dst At least one face of each. Of a single DST face none is nearer than itself, so only the same face leaks in full.
 * Source: retrieval as in Li et al. 2019, FaceShifter, https://arxiv.org/abs/1912.13457 (section 4)
 */
export function identityMetrics(faces: {
  swap: readonly Embedded[]
  src: readonly Embedded[]
  dst: readonly Embedded[]
}): IdentityMetrics {
  const { swap, src, dst } = faces
  const toSrc = swap.map((face) => nearest(face, src))
  const toDst = swap.map((face) => nearest(face, dst))
  const others = (face: Embedded) => dst.filter((other) => other !== face)
  const own = dst.length < 2 ? 0 : median(dst.map((face) => nearest(face, others(face)).mean))
  const apart = median(src.map((face) => nearest(face, dst).mean))
  const swapToDst = median(toDst.map(({ mean }) => mean))
  return {
    toSrc: median(toSrc.map(({ mean }) => mean)),
    toDst: swapToDst,
    leak: (apart - swapToDst) / (apart - own),
    retrieval: toSrc.filter(({ first }, i) => first < toDst[i].first).length / swap.length,
  }
}

/** Distance to the nearest of some faces, and the mean of those to the ten nearest. */
function nearest({ embedding }: Embedded, faces: readonly Embedded[]) {
  const sorted = Float64Array.from(faces, (face) => distance(embedding, face.embedding)).sort()
  const some = sorted.subarray(0, NEAREST)
  return { first: sorted[0], mean: some.reduce((sum, d) => sum + d, 0) / some.length }
}
