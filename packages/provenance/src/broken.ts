import { DflError } from '@dfl/core'

/** The error of a file that ends too early, or is not what its first bytes say. */
export const broken = (kind: string) =>
  new DflError(
    'CORRUPT_FILE',
    `Expected a whole ${kind} file, but got one that is cut off or damaged. Write it again.`,
    {
      data: { kind },
    },
  )
