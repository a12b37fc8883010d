import { DflError } from '@dfl/core'
import type { tf } from '@dfl/engine'

/**
 * Nothing, if `x` holds RGB images of the model's resolution: the first line of every `forward`.
 *
 * @param x  [N, R, R, 3] float32.
 * @param resolution  R in pixels.
 * @throws DflError `BAD_SHAPE` for any other shape.
 */
export function checkImages(x: tf.Tensor4D, resolution: number): void {
  const [, height, width, channels] = x.shape
  if (x.rank === 4 && height === resolution && width === resolution && channels === 3) return
  throw new DflError(
    'BAD_SHAPE',
    `Expected images of shape [N,${resolution},${resolution},3] for \`x\`, but got [${x.shape}]. Resize them to the model's resolution, in RGB.`,
  )
}
