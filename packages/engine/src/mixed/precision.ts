import { DflError } from '@dfl/core'
import type { Device } from '../devices/device.js'
import { computesInHalf } from '../devices/probe.js'

/** How a function computes: all of it in 32-bit floats, or its products in 16. */
export const PRECISIONS = ['float32', 'mixed'] as const

/** One of `PRECISIONS`. */
export type Precision = (typeof PRECISIONS)[number]

/**
 * Refuses a precision that a function cannot be compiled with.
 *
 * @throws DflError `BAD_OPTION` for another word, and for `mixed` with frozen state; `MISSING_DEPENDENCY` for `mixed` on a device
 *   without arithmetic in 16-bit floats.
 */
export async function expectPrecision(
  precision: Precision,
  { device, frozen }: { device: Device; frozen: boolean },
): Promise<void> {
  if (!PRECISIONS.includes(precision))
    throw new DflError(
      'BAD_OPTION',
      `Expected one of ${PRECISIONS.join(', ')} as \`precision\`, but got \`${precision}\`.`,
    )
  if (frozen)
    throw new DflError(
      'BAD_OPTION',
      "Expected `precision: 'float32'` with `freeze`, but got `mixed`. It tells weights by their being state, which frozen ones are not: leave one of the two out.",
    )
  const reason = await computesInHalf(device)
  if (reason === undefined) return
  throw new DflError(
    'MISSING_DEPENDENCY',
    `Expected 16-bit floats on \`${device}\` for \`precision: 'mixed'\`, but got: ${reason}. ${device === 'webgpu' ? 'Its driver has to offer `shader-f16` of WebGPU. ' : ''}Take \`float32\`, or another device.`,
    { data: { device } },
  )
}
