import { DflError, isDflError, resolveOptions } from '@dfl/core'
import { readTextFile } from '@dfl/core/files'
import { checkRecipe, type PhaseEnd, type Recipe, type StagedRecipe } from './recipe.js'
import { settingOptions } from './settings.js'

const PHASE_KEYS = ['name', 'until', 'learningRate', 'randomWarp', 'eyesMouthPrio', 'rates', 'uniformYaw']
const END_KEYS = ['iterations', 'seconds', 'plateau', 'reaches']

/**
 * A recipe from a JSON file. Phases may leave out `randomWarp` (true) and `eyesMouthPrio` (0).
 *
 * @throws DflError `NO_SUCH_FILE`, `CORRUPT_FILE` for what is no JSON, `BAD_OPTION` that names all that is wrong with it.
 */
export async function readRecipe(path: string): Promise<Recipe | StagedRecipe> {
  const text = await readTextFile(path).catch((cause) => {
    throw new DflError('NO_SUCH_FILE', `Expected a recipe at \`${path}\`, but there is none. Check the path.`, {
      cause,
    })
  })
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch (cause) {
    throw new DflError(
      'CORRUPT_FILE',
      `Expected JSON in \`${path}\`, but got: ${(cause as Error).message}. Correct it.`,
      {
        cause,
      },
    )
  }
  return parseRecipe(given, path)
}

/**
 * A recipe from outside, checked.
 *
 * @param where  What messages call its place.
 * @throws DflError `BAD_OPTION` that names all that is wrong with it.
 */
export function parseRecipe(given: unknown, where: string): Recipe | StagedRecipe {
  const problems: string[] = []
  const recipe = given as Recipe | StagedRecipe
  if (!isObject(given)) problems.push('a recipe is an object with name, assumes and phases')
  else {
    for (const name of ['name', 'assumes'] as const)
      if (typeof recipe[name] !== 'string' || recipe[name] === '') problems.push(`\`${name}\` must be a text`)
    unknown(given, ['name', 'assumes', 'warmUpIterations', 'phases'], problems)
    if (!Array.isArray(recipe.phases) || recipe.phases.length === 0)
      problems.push('`phases` must be a list with at least one')
    else for (const [i, phase] of recipe.phases.entries()) checkPhase(phase, i, problems)
  }
  if (problems.length > 0)
    throw new DflError('BAD_OPTION', `Expected a recipe in \`${where}\`, but ${problems.join('; ')}. Correct it.`, {
      data: { file: where, problems },
    })
  const phases = recipe.phases.map((phase) => ({
    ...phase,
    randomWarp: phase.randomWarp ?? true,
    eyesMouthPrio: phase.eyesMouthPrio ?? 0,
  }))
  try {
    return checkRecipe({ ...recipe, phases } as Recipe | StagedRecipe)
  } catch (error) {
    if (!isDflError(error)) throw error
    const data = { ...error.data, file: where }
    throw new DflError(error.code, `${error.message} Change this in \`${where}\`.`, { data, cause: error })
  }
}

function checkPhase(phase: unknown, i: number, problems: string[]): void {
  const where = `phase ${i + 1}${isObject(phase) && phase.name ? ` (${phase.name})` : ''}`
  const wrong = (what: string) => problems.push(`${where}: ${what}`)
  if (!isObject(phase)) return void wrong('must be an object')
  const { name, until, learningRate, randomWarp, rates, uniformYaw, ...settings } = phase
  if (typeof name !== 'string' || name === '') wrong('`name` must be a text')
  const rate = (v: unknown) => typeof v === 'number' && v >= 0 && v < 1
  if (!Array.isArray(learningRate) || learningRate.length !== 2 || !learningRate.every(rate))
    wrong('`learningRate` must be two numbers, at its beginning and its end')
  for (const [key, value] of Object.entries({ randomWarp, uniformYaw }))
    if (value !== undefined && typeof value !== 'boolean') wrong(`\`${key}\` must be true or false`)
  if (rates !== undefined && !(isObject(rates) && Object.values(rates).every((v) => typeof v === 'number')))
    wrong('`rates` must be factors by the beginning of a path')
  if (typeof until !== 'number') {
    if (!isObject(until)) wrong('`until` must be a share of the run or conditions')
    else {
      const odd: string[] = []
      unknown(until, END_KEYS, odd)
      for (const problem of odd) wrong(`\`until\`: ${problem}`)
      const { plateau, reaches } = until as PhaseEnd
      for (const key of ['iterations', 'seconds'])
        if (until[key] !== undefined && !(Number(until[key]) > 0)) wrong(`\`until.${key}\` must be more than 0`)
      if (plateau && !(typeof plateau.of === 'string' && plateau.measurements >= 1))
        wrong('`until.plateau` must have `of`, a measure, and `measurements`, a count')
      if (reaches && !Object.values(reaches).every((v) => typeof v === 'number'))
        wrong('`until.reaches` must be numbers by measure')
    }
  }
  const odd: string[] = []
  unknown(settings, [...PHASE_KEYS, ...Object.keys(settingOptions)], odd)
  for (const problem of odd) wrong(problem)
  if (odd.length > 0) return
  try {
    resolveOptions(settingOptions, settings)
  } catch (error) {
    wrong((error as Error).message)
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function unknown(given: object, known: readonly string[], problems: string[]): void {
  for (const name of Object.keys(given))
    if (!known.includes(name)) problems.push(`there is no \`${name}\`; known are ${known.join(', ')}`)
}
