/* Rows of pixels that go on beyond the ends of a picture. */

/**
 * Writes the first of a row's pixels that belong to it over the `before` ones in front of it, and the last over the `behind` ones
 * after it.
 *
 * @param row `count` pixels of `size` bytes.
 */
export function repeatEnds(row: usize, size: i32, count: i32, before: i32, behind: i32): void {
  for (let i = before - 1; i >= 0; i--) memory.copy(row + i * size, row + (i + 1) * size, size)
  for (let i = count - behind; i < count; i++) memory.copy(row + i * size, row + (i - 1) * size, size)
}
