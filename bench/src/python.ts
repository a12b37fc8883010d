import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CACHE } from './footage.js'

/** A Python that has what is needed, or why there is none. */
export type Python = { path: string } | { missing: string }

/** What a Python must have. */
interface Needs {
  /** What people call it. */
  name: string
  modules: readonly string[]
  packages: readonly string[]
  /** How much is downloaded, at most. */
  size: string
}

export const PYTORCH: Needs = { name: 'PyTorch', modules: ['torch'], packages: ['torch', 'numpy'], size: '3 GB' }
export const OPENCV: Needs = {
  name: 'OpenCV and PyAV',
  modules: ['numpy', 'cv2', 'av'],
  packages: ['numpy', 'opencv-python-headless', 'av'],
  size: '120 MB',
}

/**
 * Finds a Python with some modules: `DFL_BENCH_PYTHON`, the one this made earlier, or `python3`. Without one it makes a virtual
 * environment in the cache folder and installs them from Python's package index: once.
 *
 * @param install  False to look only.
 */
export async function findPython({ name, modules, packages, size }: Needs, install: boolean): Promise<Python> {
  const has = lookFor(modules)
  const named = process.env.DFL_BENCH_PYTHON
  if (named) {
    const trouble = await failure(named, has)
    return trouble ? { missing: `DFL_BENCH_PYTHON is ${named}, which has no ${name}: ${trouble}` } : { path: named }
  }
  const folder = join(CACHE, 'venv')
  const own = process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python')
  const system = process.platform === 'win32' ? 'python' : 'python3'
  for (const path of [own, system]) if (!(await failure(path, has))) return { path }
  if (!install) return { missing: `no Python with ${name} was found, and --no-install was given` }

  process.stderr.write(
    `Installing ${name} into ${folder}, once: this downloads up to ${size} (--no-install goes without) … `,
  )
  await mkdir(CACHE, { recursive: true })
  const made = existsSync(own)
  const trouble =
    (made ? undefined : await failure(system, ['-m', 'venv', folder])) ??
    (await failure(own, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages])) ??
    (await failure(own, has))
  process.stderr.write(trouble ? 'failed\n' : 'done\n')
  if (!trouble) return { path: own }
  if (!made && existsSync(folder)) await rm(folder, { recursive: true, force: true })
  return { missing: `${name} could not be installed: ${trouble}` }
}

/** Looks for modules without importing them, which may take seconds. */
const lookFor = (modules: readonly string[]) => [
  '-c',
  `import importlib.util, sys; sys.exit(next((f"No module named {n}" for n in ${JSON.stringify(modules)} if not importlib.util.find_spec(n)), None))`,
]

/** The last line of what went wrong, or nothing where the command succeeded. */
function failure(command: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4000)
    })
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code) => resolve(code === 0 ? undefined : (said.trim().split('\n').at(-1) ?? `code ${code}`)))
  })
}
