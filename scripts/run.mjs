/**
 * What `npm run demo`, `npm test`, `npm run dfl`, `npm run bench`, `npm run build`, `npm run example` and `npm run check:docs` call.
 *
 * Needs Node and npm, nothing else: it installs what is missing, builds what has changed, then runs the program asked for.
 * When nothing changed that costs a few milliseconds. Progress goes to stderr, so stdout is the program's alone.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureBuilt, ensureInstalled, root } from './prepare.mjs'
import { runProgram } from './processes.mjs'

const [command, ...args] = process.argv.slice(2)

/** Each command: whether it runs the built packages or the sources, and the program with its first arguments. */
const commands = {
  demo: { built: true, program: ['packages/cli/dist/main.js', 'demo'] },
  dfl: { built: true, program: ['packages/cli/dist/main.js'] },
  bench: { built: true, program: ['bench/dist/main.js'] },
  example: { built: true, program: ['scripts/run-examples.mjs'] },
  'check-docs': { built: true, program: ['scripts/check-docs.mjs'] },
  test: { built: false, program: ['node_modules/vitest/vitest.mjs', 'run'] },
  build: { built: true },
}

/** The Node versions that package.json asks for; older ones would fail later with a message about something else. */
function checkNode() {
  const needed = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node
  const [major, minor] = needed.match(/\d+/g).map(Number)
  const [hasMajor, hasMinor] = process.versions.node.split('.').map(Number)
  if (hasMajor > major || (hasMajor === major && hasMinor >= minor)) return
  throw new Error(
    `Expected Node ${needed}, but this is Node ${process.versions.node}. Install a current Node and try again.`,
  )
}

async function main() {
  checkNode()
  const chosen = Object.hasOwn(commands, command) ? commands[command] : undefined
  if (!chosen) throw new Error(`Expected one of ${Object.keys(commands).join(', ')}, but got ${command ?? 'nothing'}.`)
  await ensureInstalled()
  if (chosen.built) await ensureBuilt()
  if (!chosen.program) return 0
  const [file, ...first] = chosen.program
  if (!existsSync(join(root, file)))
    throw new Error(`Expected ${file} to exist, but it does not. Nothing builds it yet.`)
  return runProgram(join(root, file), [...first, ...args], command === 'dfl' ? callersFolder() : root)
}

/** Where the user is, since paths given to dfl are meant from there: npm itself changes to the root. */
function callersFolder() {
  const byNpm = process.env.npm_lifecycle_event === command
  return (byNpm && process.env.INIT_CWD) || process.cwd()
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error) => {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  },
)
