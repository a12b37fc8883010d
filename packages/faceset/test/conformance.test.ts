import { describe, it } from 'vitest'
import { createFaceset, memoryFaceset, openFaceset } from '../src/index.js'
import { testFaceset } from '../src/testing.js'
import { temporaryFolder } from './synthetic.js'

describe('a faceset on disk', () => {
  const tests = testFaceset(async (faces, images) => {
    const folder = await temporaryFolder()
    const writer = await createFaceset(folder, faces[0])
    await Promise.all(faces.map((face, i) => writer.add(face, images[i])))
    await writer.close()
    return openFaceset(folder)
  })
  for (const { name, run } of tests) it(name, run)
})

describe('a faceset in memory', () => {
  for (const { name, run } of testFaceset(memoryFaceset)) it(name, run)
})
