import { access } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DflError, type Random, type Side } from '@dfl/core'
import type { Loss, ModelArchitecture } from '@dfl/nn'
import { parseRecipe, type Recipe, type SideBatch, type StagedRecipe } from '@dfl/trainer'

/** A change of samples before a model sees them. */
export interface Augmentation {
  name: string
  /**
   * Changes the arrays of a batch's side in place.
   *
   * @param random  Numbers of this iteration and side: the same ones when a run is taken up again.
   */
  apply(samples: SideBatch, about: { side: Side; resolution: number; batchSize: number; random: Random }): void
}

/** What `dfl.config.ts` exports as default: things of your own, which commands then know by name. */
export interface DflConfig {
  /** For `dfl train --architecture <name>`. */
  architectures?: readonly ModelArchitecture[]
  /** Learnt besides the losses of the model. */
  losses?: readonly Loss[]
  augmentations?: readonly Augmentation[]
  /** For `dfl train --recipe <name>`. */
  recipes?: readonly (Recipe | StagedRecipe)[]
  /** Facesets of the further people whom a model paints, by their names; relative to the file. */
  people?: Readonly<Record<string, string>>
}

/** A config that was read, or an empty one where there is none. */
export interface LoadedConfig extends Required<DflConfig> {
  /** The file that was run. */
  path?: string
}

/** Files that are looked for in the current folder. */
const USUAL = ['dfl.config.ts', 'dfl.config.mjs', 'dfl.config.js']

export const NO_CONFIG: LoadedConfig = { architectures: [], losses: [], augmentations: [], recipes: [], people: {} }

/** Gives the config back with its types checked: `export default defineConfig({ … })`. */
export const defineConfig = (config: DflConfig): DflConfig => config

/**
 * The config in a file, or in the usual one of a folder if no file is named. Running it is what loading means, so no other
 * file is looked for: not in parent folders, not in packages, not beside footage.
 *
 * @param file  As the user named it.
 * @param folder  The current folder.
 * @throws DflError `NO_SUCH_FILE`, `MISSING_DEPENDENCY` for TypeScript on a Node that cannot read it, `BAD_OPTION` for
 * what is no config, `UNEXPECTED` errors of the file itself as `CORRUPT_FILE`.
 */
export async function loadConfig(file?: string, folder = process.cwd()): Promise<LoadedConfig> {
  const path = file === undefined ? await usualIn(folder) : resolve(folder, file)
  if (path === undefined) return NO_CONFIG
  if (!(await there(path)))
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected a file for \`--config\`, but there is none at \`${path}\`. Check the path.`,
    )
  if (/\.[cm]?ts$/.test(path) && !(process.features as { typescript?: unknown }).typescript)
    throw new DflError(
      'MISSING_DEPENDENCY',
      `Expected a Node that reads TypeScript (22.18 or later) for \`${path}\`, but got ${process.version}. Write it as dfl.config.mjs, or compile it and name the result with --config.`,
    )
  const loaded = await import(pathToFileURL(path).href).catch((cause: Error) => {
    throw new DflError('CORRUPT_FILE', `Expected \`${path}\` to run, but it failed: ${cause.message}. Correct it.`, {
      cause,
    })
  })
  return checked((loaded as { default?: unknown }).default, path)
}

function checked(given: unknown, path: string): LoadedConfig {
  const problems: string[] = []
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given)
  if (!isObject) problems.push('its default export is no object')
  const config = { ...NO_CONFIG, ...(isObject ? (given as DflConfig) : {}) }
  for (const name of Object.keys(config)) if (!(name in NO_CONFIG)) problems.push(`there is no \`${name}\``)
  const named = (list: 'architectures' | 'losses' | 'augmentations' | 'recipes', method?: string) => {
    if (!Array.isArray(config[list])) return void problems.push(`\`${list}\` is no list`)
    for (const [i, one] of (config[list] as readonly unknown[]).entries()) {
      const { name, ...rest } = (one ?? {}) as Record<string, unknown>
      if (typeof name !== 'string' || (method && typeof rest[method] !== 'function'))
        problems.push(`\`${list}[${i}]\` needs a name${method ? ` and a function \`${method}\`` : ''}`)
    }
  }
  named('architectures', 'build')
  named('losses', 'of')
  named('augmentations', 'apply')
  named('recipes')
  if (problems.length > 0)
    throw new DflError(
      'BAD_OPTION',
      `Expected a config in \`${path}\`, but ${problems.join('; ')}. Known are ${Object.keys(NO_CONFIG).join(', ')}.`,
      { data: { file: path, problems } },
    )
  const recipes = config.recipes.map((recipe) => parseRecipe(recipe, path))
  const people = Object.fromEntries(
    Object.entries(config.people).map(([name, at]) => [name, resolve(dirname(path), at)]),
  )
  return { ...config, recipes, people, path }
}

async function usualIn(folder: string): Promise<string | undefined> {
  for (const name of USUAL) if (await there(join(folder, name))) return join(folder, name)
  return undefined
}

const there = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )

/** What a config has, in a few words for status lines. */
export function describeConfig({ path, architectures, losses, augmentations, recipes, people }: LoadedConfig): string {
  const names = Object.entries({ architectures, losses, augmentations, recipes }).flatMap(([kind, list]) =>
    list.length > 0 ? [`${kind} ${list.map(({ name }) => name).join(', ')}`] : [],
  )
  const also = Object.keys(people)
  return `${path}: ${[...names, ...(also.length > 0 ? [`people ${also.join(', ')}`] : [])].join('; ') || 'nothing in it'}`
}
