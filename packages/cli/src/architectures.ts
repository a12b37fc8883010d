import { DflError } from '@dfl/core'
import { amp } from '@dfl/model-amp'
import { df } from '@dfl/model-df'
import { saehd } from '@dfl/model-saehd'
import { xseg } from '@dfl/model-xseg'
import type { ModelArchitecture } from '@dfl/nn'

/** Every architecture that comes with this program. */
export const ARCHITECTURES: readonly ModelArchitecture[] = [df, saehd, amp, xseg] as unknown as ModelArchitecture[]

/** Those that paint faces: what `--model` takes. */
export const FACE_ARCHITECTURES = ARCHITECTURES.filter(({ name }) => name !== xseg.name)

/**
 * The architecture of a name.
 *
 * @throws DflError `BAD_OPTION` when there is none.
 */
export function architectureNamed(name: string): ModelArchitecture {
  const found = ARCHITECTURES.find((architecture) => architecture.name === name)
  if (found) return found
  const names = ARCHITECTURES.map((architecture) => architecture.name).join(', ')
  throw new DflError('BAD_OPTION', `Expected one of ${names} for \`model\`, but got '${name}'. Choose one of them.`)
}
