/** So many of the items at most, evenly chosen, in their order; the first is among them. */
export const evenly = <T>(items: readonly T[], most: number): T[] =>
  items.length <= most
    ? [...items]
    : Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)])
