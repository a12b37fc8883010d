/**
 * Runs every example, or those whose name starts with an argument (`npm run example 03`), and prints how long each took.
 * It expects built packages. Examples are TypeScript and Node 20 runs JavaScript only, so esbuild strips the types
 * into a file next to main.ts, with the files beside it that it imports.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { root } from './prepare.mjs'
import { runProgram } from './processes.mjs'

const wanted = process.argv.slice(2).filter((arg) => arg !== '--')
const examples = readdirSync(join(root, 'examples'))
  .filter((name) => /^\d+-/.test(name) && existsSync(join(root, 'examples', name, 'main.ts')))
  .filter((name) => wanted.length === 0 || wanted.some((start) => name.startsWith(start)))
  .sort()

let failed = 0
for (const name of examples) {
  const dir = join(root, 'examples', name)
  const file = join(dir, `.main.${process.pid}.mjs`)
  console.log(`--- examples/${name}`)
  const start = performance.now()
  let code = 1
  try {
    buildSync({
      ...{ entryPoints: [join(dir, 'main.ts')], outfile: file, bundle: true, packages: 'external' },
      ...{ format: 'esm', platform: 'node', target: 'node20' },
    })
    code = await runProgram(file, [])
  } finally {
    rmSync(file, { force: true })
  }
  if (code > 128) process.exit(code) // stopped by a signal: so is the rest
  if (code !== 0) failed++
  console.log(
    `--- ${code === 0 ? 'ok' : `failed with exit code ${code}`} in ${((performance.now() - start) / 1000).toFixed(1)} s`,
  )
}
console.log(`${examples.length - failed} of ${examples.length} examples ran`)
process.exitCode = failed > 0 || examples.length === 0 ? 1 : 0
