/**
 * Checks the packages as npm would get them: packs each one, looks into its tarball, then installs all tarballs side by
 * side in an empty folder, with nothing but the dependencies they declare, imports every entry and compiles against it.
 */
import { spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { ensureBuilt, pnpm, root, workspaces } from './prepare.mjs'
import { npmCli } from './processes.mjs'
import { readTarball, writeFiles } from './tarball.mjs'

const temporary = realpathSync(mkdtempSync(join(tmpdir(), 'dfl-packages-')))
try {
  await ensureBuilt()
  await pnpm(['exec', 'turbo', 'run', 'types'])
  const packages = await pack()
  const problems = []
  for (const one of packages) {
    problems.push(...contentProblems(one), ...(await lintProblems(one)))
    install(one)
  }
  problems.push(...packages.flatMap(importProblems), ...typeProblems(packages), ...npmProblems(packages))
  for (const problem of problems) console.log(problem)
  const size = packages.reduce((sum, { tgz }) => sum + tgz.length, 0) / 1e6
  console.log(
    problems.length
      ? `${problems.length} problems`
      : `${packages.length} packages are fit to publish, ${size.toFixed(1)} MB`,
  )
  process.exitCode = problems.length ? 1 : 0
} catch (error) {
  console.log(error.message)
  process.exitCode = 1
} finally {
  rmSync(temporary, { recursive: true, force: true })
}

/** Packs every package that is not private; gives name, folder, tarball and the files in it. */
async function pack() {
  const publishable = workspaces()
    .map((dir) => ({ dir, manifest: JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8')) }))
    .filter(({ manifest }) => !manifest.private)
  const filters = publishable.map(({ manifest }) => `--filter=${manifest.name}`)
  const tarballs = join(temporary, 'tarballs')
  await pnpm([...filters, 'pack', '--pack-destination', tarballs])
  return publishable.map(({ dir, manifest: { name } }) => {
    const start = `${name.slice(1).replace('/', '-')}-`
    const file = readdirSync(tarballs).find((one) => one.startsWith(start) && /^\d/.test(one.slice(start.length)))
    const tgz = readFileSync(join(tarballs, file))
    const files = readTarball(tgz)
    return {
      name,
      dir,
      file: join(tarballs, file),
      tgz,
      files,
      manifest: JSON.parse(files.get('package.json').toString()),
    }
  })
}

/** What must not be in a tarball, and what is missing from it. */
function contentProblems({ name, files, manifest }) {
  const found = []
  for (const [path, contents] of files) {
    if (/(?:^|\/)(?:src|test)\//.test(path) || (path.endsWith('.ts') && !path.endsWith('.d.ts')))
      found.push(`holds ${path}`)
    const local = [root, homedir()].find((dir) => dir.length > 1 && contents.includes(dir))
    if (local) found.push(`names a folder of this machine in ${path}`)
  }
  for (const path of ['LICENSE', 'README.md']) if (!files.has(path)) found.push(`has no ${path}`)
  for (const field of ['description', 'license', 'engines'])
    if (!manifest[field]) found.push(`has no ${field} in its package.json`)
  for (const [dependency, range] of Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies }))
    if (/^(?:workspace|catalog|link|file):/.test(range)) found.push(`asks for ${dependency}@${range}`)
  return found.map((problem) => `${name}: its tarball ${problem}.`)
}

/** What publint says: broken exports, missing files, formats that do not agree with package.json. */
async function lintProblems({ name, tgz }) {
  const tarball = tgz.buffer.slice(tgz.byteOffset, tgz.byteOffset + tgz.byteLength)
  const { messages, pkg } = await publint({ pack: { tarball }, strict: true })
  return messages
    .filter(({ type }) => type !== 'suggestion')
    .map((message) => `${name}: ${formatMessage(message, pkg, { color: false })}`)
}

/** Unpacks a package where others find it by name, and links the dependencies it declares beside its files. */
function install({ name, dir, files, manifest }) {
  const target = join(temporary, 'consumer/node_modules', name)
  writeFiles(files, target)
  for (const dependency of Object.keys(manifest.dependencies ?? {}).filter((one) => !one.startsWith('@dfl/'))) {
    const link = join(target, 'node_modules', dependency)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(realpathSync(join(root, dir, 'node_modules', dependency)), link, 'junction')
  }
}

/** Entries that cannot be imported, or that print something or keep the process alive when they are. */
function importProblems({ name, manifest }) {
  return entriesOf(name, manifest).flatMap((entry) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', `await import(${JSON.stringify(entry)})`],
      { cwd: join(temporary, 'consumer'), encoding: 'utf8', timeout: 20_000 },
    )
    if (status !== 0) return [`${entry}: importing it fails.\n${stderr}`]
    return stdout || stderr
      ? [`${entry}: importing it prints ${JSON.stringify(stdout + stderr)}. Nothing may happen on import.`]
      : []
  })
}

/** What a strict TypeScript project that uses every entry complains about in our declarations. */
function typeProblems(packages) {
  const consumer = join(temporary, 'consumer')
  const entries = packages.flatMap(({ name, manifest }) => entriesOf(name, manifest))
  writeFileSync(
    join(consumer, 'index.ts'),
    entries.map((entry, i) => `export * as entry${i} from '${entry}'\n`).join(''),
  )
  writeFileSync(join(consumer, 'package.json'), '{ "type": "module" }')
  symlinkSync(realpathSync(join(root, 'node_modules/@types')), join(consumer, 'node_modules/@types'), 'junction')
  const options =
    '--module nodenext --target es2022 --lib es2023,esnext.disposable,dom --types node --strict --noEmit index.ts'
  const tsc = realpathSync(join(root, 'node_modules/typescript/bin/tsc'))
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...options.split(' ')], {
    cwd: consumer,
    encoding: 'utf8',
  })
  const ours = stdout.split('\n').filter((line) => /^(?:index\.ts|node_modules\/@dfl\/[^/]+\/dist)/.test(line))
  return status === 0 ? [] : ours
}

/** Whether npm itself installs a package of ours from its tarball, without the network. */
function npmProblems(packages) {
  const { file } = packages.find(({ name }) => name === '@dfl/core')
  const empty = join(temporary, 'empty')
  mkdirSync(empty)
  writeFileSync(join(empty, 'package.json'), '{ "private": true }')
  const args = [npmCli(), 'install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', file]
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: empty, encoding: 'utf8' })
  return status === 0 ? [] : [`@dfl/core: npm cannot install its tarball.\n${stderr}`]
}

/** The import names of a package: `@dfl/core`, `@dfl/core/files`. */
function entriesOf(name, manifest) {
  return Object.keys(manifest.exports ?? {}).map((path) => name + path.slice(1))
}
