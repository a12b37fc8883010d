/**
 * Checks the Markdown files: links lead to files and headings that exist, commands use what there is, and programs agree
 * with the packages they import. Prints each mistake and exits with 1 if there is one. Needs a built command line, whose
 * help texts say which flags it knows.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { programsOf, wrongPrograms } from './check-snippets.mjs'
import { root } from './prepare.mjs'

/** Folders and files that are read, relative to the root. */
const READ = ['README.md', 'CONTRIBUTING.md', 'docs', 'examples', 'packages', 'bench']

/** Pages on which a flag that stands alone is not one of dfl's. */
const OTHER_PROGRAMS = /^bench\//

/**
 * What is wrong with the links of a page, as lines of text.
 *
 * @param path of the page, relative to the root
 * @param read gives the text of another page by its path, '' for other files and folders, undefined where nothing is
 */
export function brokenLinks(path, text, read) {
  return linksOf(text).flatMap((link) => {
    if (/^[a-z]+:/.test(link)) return []
    const [file, heading] = link.split('#')
    const target = file === '' ? path : join(dirname(path), decodeURI(file)).replaceAll('\\', '/').replace(/\/$/, '')
    const found = file === '' ? text : read(target)
    if (found === undefined) return [`${path}: links to ${link}, but there is no ${target}.`]
    if (heading && !headingsOf(found).includes(heading))
      return [`${path}: links to ${link}, but ${target} has no heading #${heading}.`]
    return []
  })
}

/** Targets of all links and pictures outside of code. */
export function linksOf(text) {
  const prose = text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').replace(/`[^`\n]*`/g, 'code')
  return [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)].map((match) => match[1])
}

/** Anchors of a page's headings, as GitHub and npm make them. */
export function headingsOf(text) {
  const anchors = []
  for (const [, title] of text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const anchor = title
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-')
    const twins = anchors.filter((other) => other.replace(/-\d+$/, '') === anchor).length
    anchors.push(twins > 0 ? `${anchor}-${twins}` : anchor)
  }
  return anchors
}

/**
 * What is wrong with the commands of a page, as lines of text.
 *
 * @param known `scripts`: names that `npm run` knows; `flags`: of each command of dfl, without dashes
 */
export function wrongCommands(path, text, { scripts, flags }) {
  const problems = []
  const all = new Set(Object.values(flags).flat())
  for (const code of codeOf(text)) {
    const line = code.replace(/\s#.*$/, '').trim()
    const script = /^npm run (?:-s )?([\w:]+)/.exec(line)?.[1]
    if (script && !scripts.includes(script)) problems.push(`${path}: \`${line}\`: there is no script ${script}.`)
    const [, command, rest = ''] =
      /^(?:npm run )?dfl(?: --)?(?: ([a-z]+))?(?=\s|$)(.*)/.exec(line.replace(/^npm run demo(?: --)?/, 'dfl demo')) ??
      []
    if (command && !(command in flags)) problems.push(`${path}: \`${line}\`: dfl has no command ${command}.`)
    const allowed = command
      ? (flags[command] ?? [])
      : /^--[a-z]/.test(line) && !OTHER_PROGRAMS.test(path)
        ? [...all]
        : undefined
    for (const [, flag] of (command ? rest : line).matchAll(/(?:^|\s)--([a-z][\w-]*)/g))
      if (allowed && !allowed.includes(flag))
        problems.push(`${path}: \`${line}\`: ${command ? `dfl ${command}` : 'dfl'} knows no --${flag}.`)
  }
  return problems
}

/** Lines of shell blocks and pieces of inline code; without first columns of tables about another program. */
function codeOf(text) {
  const blocks = [...text.matchAll(/^```(?:sh|bash|console)\n([\s\S]*?)^```/gm)].flatMap(([, block]) =>
    block.split('\n'),
  )
  let foreign = false
  const prose = text
    .replace(/^(```|~~~)[\s\S]*?^\1/gm, '')
    .split('\n')
    .map((line) => {
      if (!line.startsWith('|')) foreign = false
      else if (/^\| *DeepFaceLab *\|/.test(line)) foreign = true
      return foreign ? line.replace(/^\|[^|]*\|/, '|') : line
    })
  const inline = [...prose.join('\n').matchAll(/`([^`\n]+)`/g)].map((match) => match[1])
  return [...blocks, ...inline]
}

/** The flags of every command of the built program, out of its help texts. */
function flagsOfProgram() {
  const help = (...args) => {
    const { stdout, status } = spawnSync(process.execPath, [join(root, 'packages/cli/dist/main.js'), ...args], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error('Expected a built command line to ask for its flags. Run npm run build first.')
    return stdout
  }
  const commands = [
    ...help('--help')
      .split('Commands\n')[1]
      .split('\n\n')[0]
      .matchAll(/^ {2}([a-z]+) /gm),
  ].map((match) => match[1])
  const flagsIn = (text) => [
    ...new Set(
      [...text.matchAll(/(?:^|\s)--(\[no-\])?([a-z][\w-]*)/g)].flatMap(([, no, name]) =>
        no ? [name, `no-${name}`] : [name],
      ),
    ),
  ]
  return Object.fromEntries(commands.map((command) => [command, flagsIn(help(command, '--help'))]))
}

/** All Markdown files under a path, relative to the root. */
function pagesUnder(path) {
  const full = join(root, path)
  if (!existsSync(full)) return []
  if (!statSync(full).isDirectory()) return path.endsWith('.md') ? [path] : []
  return readdirSync(full)
    .filter((name) => !['node_modules', 'dist', 'out'].includes(name))
    .flatMap((name) => pagesUnder(`${path}/${name}`))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const text = (path) => readFileSync(join(root, path), 'utf8')
  const read = (path) => (existsSync(join(root, path)) ? (path.endsWith('.md') ? text(path) : '') : undefined)
  const known = {
    scripts: Object.keys(JSON.parse(text('package.json')).scripts),
    flags: flagsOfProgram(),
  }
  const all = READ.flatMap(pagesUnder)
  const pages = all.map((path) => [path, text(path)])
  const problems = [
    ...pages.flatMap(([path, page]) => [...brokenLinks(path, page, read), ...wrongCommands(path, page, known)]),
    ...wrongPrograms(pages),
  ]
  const programs = pages.flatMap(([, page]) => programsOf(page)).length
  for (const problem of new Set(problems)) console.log(problem)
  console.log(
    problems.length
      ? `${problems.length} problems`
      : `Links, commands and ${programs} programs of ${all.length} pages are right`,
  )
  process.exitCode = problems.length ? 1 : 0
}
