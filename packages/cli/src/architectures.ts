import { DflError } from '@dfl/core'
import { amp } from '@dfl/model-amp'
import { df } from '@dfl/model-df'
import { saehd } from '@dfl/model-saehd'
import { xseg } from '@dfl/model-xseg'
import type { ModelArchitecture } from '@dfl/nn'
import type { LoadedConfig } from './config.js'

/** Every architecture that comes with this program. */
export const ARCHITECTURES: readonly ModelArchitecture[] = [df, saehd, amp, xseg] as unknown as ModelArchitecture[]

/** Those that paint faces: what `--model` takes. */
export const FACE_ARCHITECTURES = ARCHITECTURES.filter(({ name }) => name !== xseg.name)

/** Those that paint faces, and those of the user's own. */
export const faceArchitectures = (config?: LoadedConfig): readonly ModelArchitecture[] => [
  ...FACE_ARCHITECTURES,
  ...(config?.architectures ?? []),
]

/** Every architecture there is, and those of the user's own. */
export const allArchitectures = (config?: LoadedConfig): readonly ModelArchitecture[] => [
  ...ARCHITECTURES,
  ...(config?.architectures ?? []),
]

/**
 * The architecture of a name that paints faces: what `dfl train` makes a model of.
 *
 * @param config  Where architectures of the user's own come from.
 * @throws DflError `BAD_OPTION` when there is none, with the way to what the name stands for.
 */
export function faceArchitectureNamed(name: string, config?: LoadedConfig): ModelArchitecture {
  const known = faceArchitectures(config)
  const found = known.find((architecture) => architecture.name === name)
  if (found) return found
  const names = known.map((architecture) => architecture.name).join(', ')
  throw new DflError(
    'BAD_OPTION',
    `Expected one of ${names} for \`architecture\`, but got '${name}'. ${adviceFor(name, known)}`,
  )
}

function adviceFor(name: string, known: readonly ModelArchitecture[]): string {
  if (name === xseg.name) return 'It finds masks and paints no faces: dfl xseg train.'
  for (const { name: of, options } of known)
    for (const [option, spec] of Object.entries(options))
      if (spec.type === 'choice' && spec.choices.includes(name)) return `That is ${of} with its \`${option}\` ${name}.`
  return 'Choose one of them, or add it to dfl.config.mjs in the current folder.'
}
