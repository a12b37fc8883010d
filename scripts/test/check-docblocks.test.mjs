import { expect, test } from 'vitest'
import { undocumented } from '../check-docblocks.mjs'

const index = 'packages/x/src/index.ts'

/** What is undocumented in a package with these files. */
function problems(files) {
  return undocumented(index, (path) => files[path.replace('packages/x/src/', '')])
}

test('a name with a docblock right before its declaration is documented', () => {
  const documented = '/** The mean of some numbers. */\nexport function mean(values: number[]) {}\n'
  expect(problems({ 'index.ts': "export { mean } from './mean.js'", 'mean.ts': documented })).toEqual([])
})

test('functions, types and constants without one are named with the file that declares them', () => {
  const files = {
    'index.ts': "export {\n  type Mean,\n  mean,\n} from './mean.js'\nexport { LIMIT as limit } from './limit.js'",
    'mean.ts': '// The mean.\nexport function mean() {}\n\nexport interface Mean {}\n',
    'limit.ts': '/* A limit for means. */\nexport const LIMIT = 5\n',
  }
  expect(problems(files)).toEqual([
    'packages/x/src/mean.ts: exports Mean, but has no docblock. Say in its first line what comes back.',
    'packages/x/src/mean.ts: exports mean, but has no docblock. Say in its first line what comes back.',
    'packages/x/src/limit.ts: exports LIMIT, but has no docblock. Say in its first line what comes back.',
  ])
})

test("a docblock of tags only, or another declaration's docblock, does not count", () => {
  const files = {
    'index.ts': "export { a, b } from './ab.js'",
    'ab.ts':
      '/** @param x a number */\nexport const a = 1\n\n/** All about something else. */\nconst c = 1\nexport const b = 2\n',
  }
  expect(problems(files)).toEqual([
    'packages/x/src/ab.ts: exports a, but its docblock has no first sentence. Say what comes back.',
    'packages/x/src/ab.ts: exports b, but has no docblock. Say in its first line what comes back.',
  ])
})

test('names are followed through files that pass them on, and names of other packages are left to those', () => {
  const files = {
    'index.ts': "export { deep, tf } from './door.js'\nexport type { Tensor } from '@tensorflow/tfjs-core'",
    'door.ts': "import * as tf from '@tensorflow/tfjs-core'\nexport { tf }\nexport { deep } from './deep.js'",
    'deep.ts': 'export const deep = 1',
  }
  expect(problems(files)).toEqual([
    'packages/x/src/deep.ts: exports deep, but has no docblock. Say in its first line what comes back.',
  ])
})

test('a door that does not list its names is refused', () => {
  expect(problems({ 'index.ts': "export * from './a.js'", 'a.ts': '' })).toEqual([
    "packages/x/src/index.ts: has export * from './a.js', but a door lists its names. Write them out.",
  ])
})
