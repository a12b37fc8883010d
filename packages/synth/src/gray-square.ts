/** A square of gray values, [side, side] float32, about 0..1. */
export interface GraySquare {
  data: Float32Array
  sidePx: number
}

/** A picture of gray values, [height, width] bytes. */
export interface GrayPicture {
  data: Uint8Array
  width: number
  height: number
}

/** A new square of one value. */
export function graySquare(sidePx: number, value = 0): GraySquare {
  return { data: new Float32Array(sidePx * sidePx).fill(value), sidePx }
}

/** Sets each pixel of a square to what `of` gives for its place and its value. */
export function eachPixel({ data, sidePx }: GraySquare, of: (x: number, y: number, value: number) => number): void {
  for (let y = 0, i = 0; y < sidePx; y++) for (let x = 0; x < sidePx; x++, i++) data[i] = of(x, y, data[i])
}

/** The value between four pixels, bilinear; past the edge the nearest. */
export function valueAt(data: ArrayLike<number>, width: number, height: number, x: number, y: number): number {
  const cx = Math.max(0, Math.min(width - 1.001, x))
  const cy = Math.max(0, Math.min(height - 1.001, y))
  const [left, top] = [Math.floor(cx), Math.floor(cy)]
  const [u, v] = [cx - left, cy - top]
  const at = top * width + left
  const upper = data[at] * (1 - u) + data[at + 1] * u
  return upper * (1 - v) + (data[at + width] * (1 - u) + data[at + width + 1] * u) * v
}
