import { distance } from '@dfl/core'

/** A person whom some of the faces show. */
export interface Person {
  /** Places in the list of faces, in its order. */
  faces: readonly number[]
  /** Mean embedding. */
  centre: readonly number[]
}

/** Embeddings closer than this are taken for one person: the published threshold of dlib's network. */
const SAME_PERSON = 0.6
/** Groups whose centres are closer than this are one person seen twice, from the front and from the side, say. */
const SAME_CENTRES = 0.5

/**
 * The people that some faces show, the one with most faces first. Faces without an embedding are left out.
 *
 * Each face joins the nearest person so far or begins a new one; then people whose centres are close become one.
 *
 * @param embeddings [128] each.
 * Source: leader clustering, Hartigan 1975; threshold of D. King's dlib_face_recognition_resnet_model_v1
 */
export function peopleOf(embeddings: readonly (readonly number[] | undefined)[]): Person[] {
  const groups: { faces: number[]; sum: number[] }[] = []
  const centre = ({ faces, sum }: { faces: number[]; sum: number[] }) => sum.map((v) => v / faces.length)
  embeddings.forEach((embedding, i) => {
    if (!embedding) return
    const near = groups
      .map((group) => ({ group, apart: distance(embedding, centre(group)) }))
      .reduce((a, b) => (b.apart < a.apart ? b : a), {
        group: undefined as (typeof groups)[0] | undefined,
        apart: SAME_PERSON,
      })
    if (!near.group) groups.push({ faces: [i], sum: [...embedding] })
    else {
      near.group.faces.push(i)
      for (let k = 0; k < embedding.length; k++) near.group.sum[k] += embedding[k]
    }
  })
  for (let a = 0; a < groups.length; a++)
    for (let b = groups.length - 1; b > a; b--)
      if (distance(centre(groups[a]), centre(groups[b])) < SAME_CENTRES) {
        groups[a].faces.push(...groups[b].faces)
        groups[a].sum = groups[a].sum.map((v, k) => v + groups[b].sum[k])
        groups.splice(b, 1)
      }
  return groups
    .map((group) => ({ faces: group.faces.sort((x, y) => x - y), centre: centre(group) }))
    .sort((a, b) => b.faces.length - a.faces.length)
}
