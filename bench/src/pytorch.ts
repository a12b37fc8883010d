import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CACHE } from './footage.js'

/** A Python that can import torch, or why there is none. */
export type Python = { path: string } | { missing: string }

/**
 * Finds a Python with PyTorch: `DFL_BENCH_PYTHON`, the one this made earlier, or `python3`. Without one it makes a virtual
 * environment in the cache folder and installs torch from Python's package index: once, some gigabytes.
 *
 * @param install  False to look only.
 */
export async function findPython(install: boolean): Promise<Python> {
  const named = process.env.DFL_BENCH_PYTHON
  if (named) {
    const trouble = await failure(named, HAS_TORCH)
    return trouble ? { missing: `DFL_BENCH_PYTHON is ${named}, which has no torch: ${trouble}` } : { path: named }
  }
  const folder = join(CACHE, 'venv')
  const own = process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python')
  const system = process.platform === 'win32' ? 'python' : 'python3'
  for (const path of [own, system]) if (!(await failure(path, HAS_TORCH))) return { path }
  if (!install) return { missing: 'no Python with torch was found, and --no-install was given' }

  process.stderr.write(
    `Installing PyTorch into ${folder}, once: this downloads up to 3 GB (--no-install goes without) … `,
  )
  await mkdir(CACHE, { recursive: true })
  const trouble =
    (await failure(system, ['-m', 'venv', folder])) ??
    (await failure(own, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', 'torch', 'numpy'])) ??
    (await failure(own, HAS_TORCH))
  process.stderr.write(trouble ? 'failed\n' : 'done\n')
  if (!trouble) return { path: own }
  if (existsSync(folder)) await rm(folder, { recursive: true, force: true })
  return { missing: `PyTorch could not be installed: ${trouble}` }
}

/** Looks for torch without importing it, which takes seconds. */
const HAS_TORCH = [
  '-c',
  'import importlib.util, sys; sys.exit(None if importlib.util.find_spec("torch") else "No module named torch")',
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
