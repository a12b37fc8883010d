import { tf } from '@dfl/engine'
import { type CodeMap, codeMap } from '@dfl/nn'

/**
 * Where the upper edge of the face's window is in a head's square, as a share of its side.
 *
 * A head's square is 2.98 sides of the face's template wide and its middle lies half a side above that of the face; a full
 * face's is 1.6 wide. So its part of a head's square is 0.54 of the side and begins at 0.4. The window is half of the side.
 */
const TOP = 0.418

/** A map of a head's whole square: an inter's in the window, one of its own around it. */
export interface FaceWindow extends CodeMap {
  /** The faces in images of heads: [N, R, R, 3] → [N, R/2, R/2, 3] float32. */
  faceOf(x: tf.Tensor4D): tf.Tensor4D
}

/**
 * A window of half the side of a head's square, in which encoder and inter do what those of a model of faces do.
 *
 * So they can begin with the weights of one, and the decoders as well: they paint a map of twice the side with one doubling less,
 * and a face comes out as large in the square as it is there.
 *
 * @param face  The inter's map.
 * @param options  Those of the inter's map; the other is made by them, too, with twice the side.
 */
export function faceWindow(face: CodeMap, { side, ...variant }: Parameters<typeof codeMap>[1]): FaceWindow {
  const around = codeMap('inter_around', { ...variant, side: 2 * side })
  const whole = around.side
  const top = Math.min(face.side, Math.round(TOP * whole))
  const left = Math.floor((whole - face.side) / 2)
  const margins: [number, number][] = [
    [0, 0],
    [top, whole - face.side - top],
    [left, whole - face.side - left],
    [0, 0],
  ]
  return {
    params: around.params,
    side: whole,
    faceOf(x) {
      const [n, R] = x.shape
      return tf.slice(x, [0, (R * top) / whole, (R * left) / whole, 0], [n, R / 2, R / 2, 3])
    },
    apply(p, code) {
      const outside = tf.pad(tf.zeros([1, face.side, face.side, 1]), margins, 1) // [1, whole, whole, 1]
      return tf.add(tf.pad(face.apply(p, code), margins), tf.mul(around.apply(p, code), outside))
    },
  }
}
