import type { FacesetInfo } from '@dfl/faceset'

/**
 * What is to be said of a faceset that is not whole any more; nothing where it is.
 *
 * @param path Where it is, for people.
 */
export function leftOutOf({ damagedLines, missingImages }: FacesetInfo, path: string): string | undefined {
  const parts = [
    ...(missingImages > 0 ? [count(missingImages, 'face whose image is gone', 'faces whose images are gone')] : []),
    ...(damagedLines > 0 ? [count(damagedLines, 'line that cannot be read', 'lines that cannot be read')] : []),
  ]
  if (parts.length === 0) return undefined
  return `Without ${parts.join(' and ')} in \`${path}\`. To have them again, extract again or restore the folder from a copy.`
}

const count = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`
