/** Checks that every name a package exports has a docblock with a first sentence; prints each one that lacks it. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, workspaces } from './prepare.mjs'

/**
 * The exported names without a docblock, as lines of text.
 *
 * @param entry path of an entry, such as packages/core/src/index.ts
 * @param read gives the text of a file by such a path
 */
export function undocumented(entry, read) {
  const problems = []
  for (const { name, file, from } of exportsOf(entry, read)) {
    if (from) problems.push(`${entry}: has export * from '${from}', but a door lists its names. Write them out.`)
    else {
      const problem = problemWith(docblockOf(name, read(file)))
      if (problem) problems.push(`${file}: exports ${name}, ${problem}`)
    }
  }
  return problems
}

/** Every name that `file` exports, with the file that declares it. Names of other packages are left out: they document them. */
function exportsOf(file, read) {
  const text = read(file)
  const found = []
  for (const [, list, from] of text.matchAll(/^export\s+(?:type\s+)?\{([^}]*)\}(?:\s*from\s*'([^']+)')?/gm)) {
    for (const item of list
      .replace(/\/\/.*$/gm, '')
      .split(',')
      .filter((part) => part.trim())) {
      const [name] = item
        .trim()
        .replace(/^type\s+/, '')
        .split(/\s+as\s+/)
      found.push(...declarations(name, from ?? importOf(name, text) ?? undefined, file, read))
    }
  }
  for (const [, from] of text.matchAll(/^export\s+\*\s+from\s*'([^']+)'/gm)) found.push({ from })
  for (const [, name] of text.matchAll(
    /^export\s+(?:declare\s+)?(?:async\s+|abstract\s+)?(?:function\*?|const|class|interface|type|enum)\s+([\w$]+)/gm,
  ))
    found.push({ name, file })
  return found.filter((one, i) => found.findIndex((other) => other.name === one.name && other.file === one.file) === i)
}

/** Where a name that came `from` a module is declared, through any number of files that pass it on. */
function declarations(name, from, file, read) {
  if (!from) return [{ name, file }]
  if (!from.startsWith('.')) return []
  const target = join(dirname(file), from.replace(/\.js$/, '.ts')).replaceAll('\\', '/')
  const passedOn = exportsOf(target, read).filter((one) => one.name === name)
  return passedOn.length || reexports(name, read(target)) ? passedOn : [{ name, file: target }]
}

function reexports(name, text) {
  return new RegExp(`^export\\s+(?:type\\s+)?\\{[^}]*\\b${name}\\b`, 'm').test(text)
}

/** The module that a file imports a name from. */
function importOf(name, text) {
  return text.match(new RegExp(`^import\\s+(?:type\\s+)?[^'"]*?\\b${name}\\b[^'"]*?from\\s*'([^']+)'`, 'm'))?.[1]
}

/** The docblock that stands right before a declaration; undefined where there is none. */
export function docblockOf(name, text) {
  const kinds = '(?:async\\s+|abstract\\s+)?(?:function\\*?|const|let|class|interface|type|enum)'
  const at = text.search(
    new RegExp(`^(?:export\\s+)?(?:declare\\s+)?${kinds}\\s+${name.replaceAll('$', '\\$')}(?![\\w$])`, 'm'),
  )
  const before = at < 0 ? '' : text.slice(0, at).trimEnd()
  if (!before.endsWith('*/')) return undefined
  const block = before.slice(before.lastIndexOf('/*'))
  return block.startsWith('/**') ? block : undefined
}

/** What is wrong with a docblock, if anything: its first paragraph must be a sentence. */
function problemWith(docblock) {
  if (!docblock) return 'but has no docblock. Say in its first line what comes back.'
  const text = docblock.slice(3, -2).replace(/^\s*\*? ?/gm, '')
  const first = text
    .trim()
    .split(/\n\s*\n|\n@|^@/)[0]
    .trim()
  return first.split(/\s+/).length >= 3 ? undefined : 'but its docblock has no first sentence. Say what comes back.'
}

/** The source files behind the `exports` of a package.json, relative to the root. */
export function entriesOf(dir) {
  const { exports = {} } = JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8'))
  return Object.values(exports)
    .map((target) => target['@dfl/source'])
    .filter(Boolean)
    .map((file) => `${dir}/${file.replace(/^\.\//, '')}`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const read = (file) => readFileSync(join(root, file), 'utf8')
  const entries = workspaces()
    .filter((dir) => dir.startsWith('packages/'))
    .flatMap(entriesOf)
  const missing = entries.filter((file) => !existsSync(join(root, file)))
  const problems = [
    ...missing.map((file) => `${file}: is named in package.json, but does not exist.`),
    ...entries.filter((file) => !missing.includes(file)).flatMap((entry) => undocumented(entry, read)),
  ]
  for (const problem of new Set(problems)) console.log(problem)
  console.log(
    problems.length ? `${problems.length} problems` : `Every export of ${entries.length} entries has its docblock`,
  )
  process.exitCode = problems.length ? 1 : 0
}
