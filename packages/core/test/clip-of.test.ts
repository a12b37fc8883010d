import { expect, it } from 'vitest'
import { clipOf, frameNameIn } from '../src/index.js'

it('knows the clip of a frame by its name', () => {
  for (const [sourceFilename, clip] of [
    ['a#1.mp4#12', 'a#1.mp4'],
    ['shot/0001.png', 'shot'],
    ['a#1.png', ''],
    ['0001.png', ''],
  ] as const)
    expect(clipOf({ sourceFilename })).toBe(clip)
})

it('names frames so that their clip is known', () => {
  const video = frameNameIn('b.mp4', { index: 3, name: 'a.mp4#3' })
  const image = frameNameIn('shot', { index: 3, name: '0004.exr', file: '/x/0004.exr' })
  expect([video, image]).toEqual(['b.mp4#3', 'shot/0004.exr'])
  expect([video, image].map((sourceFilename) => clipOf({ sourceFilename }))).toEqual(['b.mp4', 'shot'])
})
