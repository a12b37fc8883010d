import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root, workspaces } from './prepare.mjs'

/** Whoever pastes a program need not name the type of every argument, nor use all that is shown. */
const LENIENT = { noImplicitAny: false, noUnusedLocals: false, noUnusedParameters: false, noEmit: true }

/** Programs in a page: blocks of TypeScript that import something of @dfl. Others are excerpts, which nobody can run. */
export function programsOf(text) {
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)]
    .map((match) => ({ code: match[1], line: text.slice(0, match.index).split('\n').length + 1 }))
    .filter(({ code }) => /^import .*from '@dfl\//m.test(code))
}

/**
 * What TypeScript says against the programs in pages, as lines of text. Files beside them are taken to be there.
 *
 * @param pages of [path, text]
 */
export function wrongPrograms(pages) {
  const programs = pages.flatMap(([path, text]) => programsOf(text).map((program) => ({ path, ...program })))
  const folder = join(root, '.cache/snippets')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  programs.forEach(({ code }, i) => {
    writeFileSync(join(folder, `${i}.mts`), code)
  })
  const settings = {
    extends: '../../tsconfig.base.json',
    compilerOptions: { ...LENIENT, paths: sourcesOf() },
    files: programs.map((_, i) => `${i}.mts`),
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings))
  const tsc = realpathSync(join(root, 'node_modules/typescript/bin/tsc'))
  const { stdout } = spawnSync(process.execPath, [tsc, '--pretty', 'false', '-p', '.'], {
    cwd: folder,
    encoding: 'utf8',
  })
  return [...stdout.matchAll(/^(\d+)\.mts\((\d+),\d+\): error \w+: (.*)$/gm)].flatMap(([, i, at, message]) => {
    if (/^Cannot find module '\.{1,2}\//.test(message)) return []
    const { path, line } = programs[i]
    return [`${path}:${line + Number(at) - 1}: ${message}`]
  })
}

/** Where the sources of each package are, by the name that is imported. */
function sourcesOf() {
  return Object.fromEntries(
    workspaces()
      .filter((dir) => existsSync(join(root, dir, 'src/index.ts')))
      .flatMap((dir) => {
        const name = `@dfl/${relative('packages', dir)}`
        const from = `../../${dir.replaceAll('\\', '/')}/src`
        return [
          [name, [`${from}/index.ts`]],
          [`${name}/*`, [`${from}/*.ts`]],
        ]
      }),
  )
}
