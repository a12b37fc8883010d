import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { kernelTable, PAGE } from '../kernel-table.mjs'

it('the page of covered ops is what the engine covers; write it anew with `node scripts/kernel-table.mjs`', async () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(await kernelTable())
})
