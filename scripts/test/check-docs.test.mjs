import { describe, expect, it } from 'vitest'
import { brokenLinks, headingsOf, linksOf, wrongCommands } from '../check-docs.mjs'

const files = { 'docs/a.md': '# A\n## Second part', 'docs/b.md': '# B', 'packages/x': '' }
const links = (text) => brokenLinks('docs/a.md', text, (path) => files[path])
const known = {
  scripts: ['demo', 'dfl', 'test'],
  flags: { run: ['src', 'dst'], demo: ['time'], merge: ['erode', 'json'] },
}
const commands = (text) => wrongCommands('docs/a.md', text, known)

describe('links', () => {
  it('leads to files, folders and headings that exist', () => {
    expect(links('[b](b.md) [top](b.md#b) [x](../packages/x/) ![](b.md) [web](https://a.b/c)')).toEqual([])
    expect(links('# Here\n[here](#here)')).toEqual([])
  })

  it('names a file that is not there', () => {
    expect(links('[c](c.md)')).toEqual(['docs/a.md: links to c.md, but there is no docs/c.md.'])
    expect(links('[x](../packages/y)')).toEqual(['docs/a.md: links to ../packages/y, but there is no packages/y.'])
  })

  it('names a heading that is not there', () => {
    expect(links('[b](b.md#c)')).toEqual(['docs/a.md: links to b.md#c, but docs/b.md has no heading #c.'])
  })

  it('takes nothing inside code for a link', () => {
    expect(linksOf('```ts\n[a](b.md)\n```\n`[c](d.md)` [e](f.md "title")')).toEqual(['f.md'])
  })

  it('makes anchors of headings as GitHub does', () => {
    const text = "# 1. Install, and `x-y`\n## It's [me](a.md)\n## Twice\n## Twice\n```sh\n# no heading\n```"
    expect(headingsOf(text)).toEqual(['1-install-and-x-y', 'its-me', 'twice', 'twice-1'])
  })
})

describe('commands', () => {
  const shell = (line) => commands(`\`\`\`sh\n${line}\n\`\`\``)

  it('accepts what the program knows', () => {
    expect(shell('npm run dfl -- run --src a.mp4 --dst b.mp4  # --any words')).toEqual([])
    expect(shell('npm run demo -- --time 30m')).toEqual([])
    expect(commands('`dfl merge --erode -8`, `--erode`, `--workspace-of-others` is none: `-x`, `npm test`')).toEqual([
      'docs/a.md: `--workspace-of-others`: dfl knows no --workspace-of-others.',
    ])
  })

  it('names a flag that another command has', () => {
    expect(shell('npm run dfl -- run --erode 5')).toEqual([
      'docs/a.md: `npm run dfl -- run --erode 5`: dfl run knows no --erode.',
    ])
    expect(shell('npm run demo -- --src a')).toEqual(['docs/a.md: `npm run demo -- --src a`: dfl demo knows no --src.'])
  })

  it('names a command and a script that are not there', () => {
    expect(shell('npm run dfl -- swap --src a')).toContain(
      'docs/a.md: `npm run dfl -- swap --src a`: dfl has no command swap.',
    )
    expect(shell('npm run deploy')).toEqual(['docs/a.md: `npm run deploy`: there is no script deploy.'])
  })

  it("leaves another program's column of a table alone", () => {
    const table = '| DeepFaceLab | here |\n|---|---|\n| `--detector s3fd` | `--erode` |'
    expect(commands(table)).toEqual([])
    expect(commands(table.replace('--erode', '--eroded'))).toEqual(['docs/a.md: `--eroded`: dfl knows no --eroded.'])
  })
})
