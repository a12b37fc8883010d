/** Checks every package.json and every import against `layers.mjs`; prints each breach and exits with 1 if there is one. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { HEAVY, LAYERS, layerOf, matches, NARROWER, NEIGHBOURS } from './layers.mjs'
import { root, workspaces } from './prepare.mjs'

const SCOPE = '@dfl/'

/**
 * All breaches of the plan, as lines of text.
 *
 * @param packages `{ dir, manifest, files: [{ path, text }] }` each: `path` relative to the repository
 * @param shared names that tests of every package may import, because the root declares them
 */
export function findBreaches(packages, shared = []) {
  const privates = new Set(packages.filter((p) => p.manifest.private).map((p) => p.manifest.name))
  return [
    ...packages.flatMap((p) => [...importBreaches(p, privates, shared), ...manifestBreaches(p, privates)]),
    ...packages.flatMap(heavyBreaches),
    ...cycles(packages),
  ]
}

/** The packages and files that `text` imports, types included; what stands in comments does not count. */
export function importsOf(text) {
  const code = text.replace(/^\s*(?:\/\/|\/\*|\*).*$/gm, '')
  const forms = [
    /^(?:import|export)\s+(?:type\s+)?[\w$*{},\s]*?\bfrom\s*['"]([^'"\n]+)['"]/gm,
    /^import\s*['"]([^'"\n]+)['"]/gm,
    /\bimport\(\s*['"]([^'"\n]+)['"]/g,
    /\b(?:require|require\.resolve|import\.meta\.resolve|createRequire\([^)]*\)(?:\.resolve)?)\(\s*['"]([^'"\n]+)['"]/g,
  ]
  return [...new Set(forms.flatMap((form) => [...code.matchAll(form)].map((match) => match[1])))]
}

/** Imports that the package does not declare, that break the layers, or that reach into another package's files. */
function importBreaches({ dir, manifest, files }, privates, shared) {
  const runtime = names(manifest, 'dependencies', 'peerDependencies', 'optionalDependencies')
  const inTests = [...runtime, ...names(manifest, 'devDependencies'), ...shared]
  const reasonAgainst = (path, specifier) => {
    const inSource = path.startsWith(`${dir}/src/`)
    const name = packageOf(specifier)
    if (isBuiltin(specifier)) return undefined
    if (specifier.startsWith('.'))
      return leaves(dir, path, specifier) && (inSource || !isBuildTool(path, specifier))
        ? 'but that file is outside its package. Import the package by its name.'
        : undefined
    if (name === manifest.name) return inSource ? 'but that is its own package. Import the file itself.' : undefined
    if (!(inSource ? runtime : inTests).includes(name)) return `but ${dir}/package.json does not declare ${name}.`
    return layerBreach(manifest, name, inSource ? new Set() : privates)
  }
  return files.flatMap(({ path, text }) =>
    importsOf(text).flatMap((specifier) => {
      const reason = reasonAgainst(path, specifier)
      return reason ? [`${path}: imports ${specifier}, ${reason}`] : []
    }),
  )
}

/** What is wrong with one package using another, if anything. `open`: packages that may be used whatever the layers say. */
function layerBreach(manifest, name, open) {
  if (manifest.private || !name.startsWith(SCOPE) || open.has(name)) return undefined
  const [from, to] = [manifest.name, name].map((full) => full.slice(SCOPE.length))
  const [upper, lower] = [from, to].map(layerOf)
  if (upper === undefined) return `but ${from} has no layer. Give it one in scripts/layers.mjs.`
  if (lower === undefined) return `but ${to} has no layer: published packages cannot use it.`
  const neighbours = NEIGHBOURS.some((pair) => pair.from === from && pair.to === to)
  if (lower >= upper && !neighbours) {
    const where = lower === upper ? 'its own layer' : 'a layer above'
    return `but ${to} is in ${where} (${LAYERS[lower].join(', ')}), and ${from} may use lower layers only.`
  }
  const rule = NARROWER.find((narrower) => narrower.from === from)
  const refused = rule?.only ? !rule.only.includes(to) : rule?.not?.some((pattern) => matches(pattern, to))
  return refused ? `but ${from} may not: ${rule.because}.` : undefined
}

/** Dependencies that break the layers, and dependencies that nothing uses. */
function manifestBreaches({ dir, manifest, files }, privates) {
  const breaches = []
  const sources = files.filter(({ path }) => path.startsWith(`${dir}/src/`))
  for (const kind of ['dependencies', 'devDependencies']) {
    const open = kind === 'devDependencies' ? privates : new Set()
    const users = kind === 'devDependencies' ? files : sources
    for (const name of Object.keys(manifest[kind] ?? {})) {
      const reason = layerBreach(manifest, name, open)
      if (reason) breaches.push(`${dir}/package.json: declares ${name}, ${reason}`)
      // Any mention in quotes counts: packages that only hold data are found by name, not imported.
      else if (!users.some(({ text }) => new RegExp(`['"\`]${name}(?:/[^'"\`]*)?['"\`]`).test(text)))
        breaches.push(`${dir}/package.json: declares ${name}, but nothing in it uses ${name}.`)
    }
  }
  return breaches
}

/** Heavy dependencies outside their package, or in more than one of its source files. */
function heavyBreaches({ dir, manifest, files }) {
  if (manifest.private) return []
  const breaches = []
  const firstUser = new Map()
  for (const { path, text } of files) {
    for (const name of new Set(importsOf(text).map(packageOf))) {
      const heavy = HEAVY.find((one) => one.name.test(name))
      if (!heavy) continue
      if (manifest.name !== SCOPE + heavy.home)
        breaches.push(`${path}: imports ${name}, but only ${SCOPE}${heavy.home} may.`)
      else if (path.startsWith(`${dir}/src/`) && firstUser.has(name))
        breaches.push(`${path}: imports ${name}, but ${firstUser.get(name)} does too, and one file only may.`)
      else if (path.startsWith(`${dir}/src/`)) firstUser.set(name, path)
    }
  }
  return breaches
}

/** Circles in what the package.json files declare. */
function cycles(packages) {
  const uses = new Map(packages.map(({ manifest }) => [manifest.name, names(manifest, 'dependencies')]))
  const found = new Map()
  const walk = (name, trail) => {
    const start = trail.indexOf(name)
    if (start >= 0) {
      const circle = trail.slice(start)
      const key = [...circle].sort().join()
      if (!found.has(key))
        found.set(key, `${[...circle, name].join(' → ')}: a circle of dependencies, but there may be none.`)
    } else for (const next of uses.get(name) ?? []) walk(next, [...trail, name])
  }
  for (const name of uses.keys()) walk(name, [])
  return [...found.values()]
}

/** `@dfl/core/files` → `@dfl/core`. */
function packageOf(specifier) {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

const pathOf = (path, specifier) => new URL(specifier, `file:///${path}`).pathname

function leaves(dir, path, specifier) {
  return !pathOf(path, specifier).startsWith(`/${dir}/`)
}

/** A tool of the builds, which tests that build something need, too. */
function isBuildTool(path, specifier) {
  return pathOf(path, specifier).startsWith('/scripts/')
}

function names(manifest, ...kinds) {
  return kinds.flatMap((kind) => Object.keys(manifest[kind] ?? {}))
}

/** Every workspace package as `findBreaches` takes it. */
export function readPackages() {
  return workspaces().map((dir) => {
    const manifest = JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8'))
    return { dir, manifest, files: sourceFiles(dir) }
  })
}

function sourceFiles(dir) {
  if (!existsSync(join(root, dir))) return []
  return readdirSync(join(root, dir), { withFileTypes: true }).flatMap((entry) => {
    const path = `${dir}/${entry.name}`
    if (entry.isDirectory()) return ['node_modules', 'dist'].includes(entry.name) ? [] : sourceFiles(path)
    const isCode = /\.(?:ts|tsx|mjs)$/.test(entry.name) && entry.name !== 'tsup.config.ts'
    return isCode ? [{ path, text: readFileSync(join(root, path), 'utf8') }] : []
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const packages = readPackages()
  const breaches = findBreaches(packages, Object.keys(devDependencies))
  for (const breach of breaches) console.log(breach)
  console.log(breaches.length ? `${breaches.length} breaches` : `${packages.length} packages keep to their layers`)
  process.exitCode = breaches.length ? 1 : 0
}
