/** So many of the items at most, evenly chosen, in their order. */
export function evenly<T>(items: readonly T[], most: number): T[] {
  const every = Math.max(1, items.length / most)
  return Array.from({ length: Math.min(items.length, most) }, (_, i) => items[Math.floor(i * every)])
}
