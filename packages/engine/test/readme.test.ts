import { readFileSync } from 'node:fs'
import { Random } from '@dfl/core'
import { expect, it, vi } from 'vitest'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

it('the example in the README is the one that runs, and it learns the circle', async () => {
  expect(read('../README.md')).toContain(read('readme-example.mjs').trim())
  // As lucky as a reader is mostly: of any numbers, one run in some dozens learns late.
  const random = new Random(1)
  const drawn = vi.spyOn(Math, 'random').mockImplementation(() => random.uniform())
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  await import(new URL('./readme-example.mjs', import.meta.url).href)
  const losses = log.mock.calls.map(([, loss]) => Number(loss))
  log.mockRestore()
  drawn.mockRestore()
  expect(losses).toHaveLength(5)
  expect(losses[4]).toBeLessThan(losses[0]! * 0.7)
})
