import { readFileSync } from 'node:fs'
import { expect, it, vi } from 'vitest'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

it('the example in the README is the one that runs, and it learns the line', async () => {
  expect(read('../README.md')).toContain(read('readme-example.ts').trim())
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  await import('./readme-example.js')
  const lines = log.mock.calls
  log.mockRestore()
  const losses = lines.filter(([word]) => word === 'loss').map(([, loss]) => loss as number)
  expect(losses).toHaveLength(4)
  expect(losses[3]).toBeLessThan(losses[0]! / 1000)
  expect(lines.at(-1)).toEqual([expect.closeTo(3, 3), expect.closeTo(-1, 3)])
})
