import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { npmCli, runQuietly } from './processes.mjs'

/** The folder of the repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Installs the dependencies unless they already are what the package.json files and the lock file ask for. */
export function ensureInstalled() {
  const manifests = workspaces().map((dir) => `${dir}/package.json`)
  const files = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc', ...manifests]
  return unlessDone('Installing packages', fingerprint(files, readText), () =>
    pnpm(['install', '--frozen-lockfile', '--config.confirmModulesPurge=false']),
  )
}

/** Builds the packages whose sources changed since the last build; turbo finds out which, once anything changed. */
export function ensureBuilt() {
  const built = workspaces().filter((dir) => existsSync(join(root, dir, 'tsup.config.ts')))
  const own = built.flatMap((dir) => [
    `${dir}/package.json`,
    `${dir}/tsup.config.ts`,
    ...filesUnder(`${dir}/src`),
    ...filesUnder(`${dir}/kernels`),
  ])
  const missing = built.filter((dir) => !existsSync(join(root, dir, 'dist')))
  const state = fingerprint(['tsup.base.ts', 'scripts/wasm-kernels.ts', 'turbo.json', ...own], sizeAndTime)
  return unlessDone('Building', state, () => pnpm(['exec', 'turbo', 'run', 'build']), missing.length > 0)
}

/** The folders with a package.json of their own, relative to the root, with forward slashes. */
export function workspaces() {
  const children = ['packages', 'examples'].flatMap((dir) => names(dir).map((name) => `${dir}/${name}`))
  return [...children, 'examples', 'bench'].filter((dir) => existsSync(join(root, dir, 'package.json')))
}

/** Runs pnpm in the version this repository is pinned to; npm fetches it once and keeps it in its cache. */
export function pnpm(args) {
  const { packageManager } = JSON.parse(readText('package.json'))
  const exec = ['exec', '--yes', '--loglevel=error', `--package=${packageManager}`, '--', 'pnpm']
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' }
  return runQuietly(npmCli(), [...exec, ...args], { cwd: root, env })
}

/** Does some work, with one line about it on stderr, unless it was already done in exactly this state. */
async function unlessDone(title, state, work, force = false) {
  const stamp = join(root, 'node_modules/.cache/dfl', `${title.toLowerCase().replaceAll(' ', '-')}.done`)
  if (!force && existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return
  process.stderr.write(`${title} … `)
  const start = performance.now()
  try {
    await work()
  } catch (error) {
    throw new Error(`failed:\n${error.message}`)
  }
  process.stderr.write(`done in ${((performance.now() - start) / 1000).toFixed(1)} s\n`)
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, state)
}

/** One hash of some files by name and by what `describe` says of each. */
function fingerprint(files, describe) {
  const hash = createHash('sha256')
  for (const file of files) hash.update(`${file}\0${existsSync(join(root, file)) ? describe(file) : ''}\0`)
  return hash.digest('hex')
}

function sizeAndTime(file) {
  const { size, mtimeMs } = statSync(join(root, file))
  return `${size} ${mtimeMs}`
}

function readText(file) {
  return readFileSync(join(root, file), 'utf8')
}

function filesUnder(dir) {
  if (!existsSync(join(root, dir))) return []
  return readdirSync(join(root, dir), { withFileTypes: true }).flatMap((entry) => {
    const path = `${dir}/${entry.name}`
    return entry.isDirectory() ? filesUnder(path) : [path]
  })
}

function names(dir) {
  return existsSync(join(root, dir)) ? readdirSync(join(root, dir)).sort() : []
}
