import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../src/index.js'
import { listenToKeys } from '../src/keys.js'
import { dfl, scratchFolder, TINY, writeFaces } from './support.js'

describe('a config', () => {
  it('is read from the current folder or a named file, and from nowhere else', async () => {
    await using scratch = await scratchFolder()
    expect(await loadConfig(undefined, scratch.at())).toMatchObject({ architectures: [], recipes: [] })
    await writeFile(scratch.at('dfl.config.mjs'), 'export default { people: { carol: "faces" } }')
    expect(await loadConfig(undefined, scratch.at())).toMatchObject({
      path: scratch.at('dfl.config.mjs'),
      people: { carol: scratch.at('faces') },
    })
    expect((await loadConfig(undefined, scratch.at('below'))).path).toBeUndefined()
    await expect(loadConfig('no.mjs', scratch.at())).rejects.toThrow(
      'Expected a file for `--config`, but there is none at',
    )
  })

  it('is refused with all that is wrong with it', async () => {
    await using scratch = await scratchFolder()
    await writeFile(scratch.at('a.mjs'), 'export default { losses: [{ weight: 1 }], models: [] }')
    await expect(loadConfig(scratch.at('a.mjs'))).rejects.toThrow(
      'but there is no `models`; `losses[0]` needs a name and a function `of`. Known are architectures, losses,',
    )
    await writeFile(scratch.at('b.mjs'), 'throw new Error("broken")')
    await expect(loadConfig(scratch.at('b.mjs'))).rejects.toThrow('to run, but it failed: broken. Correct it.')
    await writeFile(scratch.at('c.ts'), 'export default {}')
    if (!(process.features as { typescript?: unknown }).typescript)
      await expect(loadConfig(scratch.at('c.ts'))).rejects.toThrow(
        'Expected a Node that reads TypeScript (22.18 or later)',
      )
  })
})

describe('a recipe file', () => {
  it('is followed to its end, told with what it assumes, and stays that of the model', async () => {
    await using scratch = await scratchFolder()
    for (const side of ['src', 'dst']) await writeFaces(scratch.at(`w/${side}/aligned`))
    const phase = (name: string) => ({ name, until: { iterations: 1 }, learningRate: [1e-4, 1e-4], clipgrad: 1 })
    const recipe = { name: 'short', assumes: 'Nothing at all.', phases: [phase('one'), phase('two')] }
    await writeFile(scratch.at('r.json'), JSON.stringify(recipe))
    const train = ['train', '--workspace', scratch.at('w'), ...TINY]
    const { code, stderr, stdout } = await dfl(...train, '--recipe', scratch.at('r.json'))
    expect({ code, stdout: stdout.includes('2 iterations') }).toEqual({ code: 0, stdout: true })
    expect(stderr).toContain('recipe short: Nothing at all.')
    expect(stderr).toContain('phase two begins, after 1 iterations')
    const info = await dfl('model', 'info', '--workspace', scratch.at('w'))
    expect(info.stdout).toContain('from 1 on  short, two: src 6 faces, dst 6 faces, batch 2')
    const back = await dfl('model', 'restore', '--workspace', scratch.at('w'), '--checkpoint', '0')
    expect(back.stdout).toContain('iteration 0; moved aside: 2')
  })
})

describe('keys', () => {
  it('give Ctrl-C to whoever listens for SIGINT, without a signal: Windows would end the process', () => {
    let listener: ((data: string) => void) | undefined
    const on = (_: 'data', given: (data: string) => void) => {
      listener = given
    }
    let interrupts = 0
    const interrupted = () => interrupts++
    process.once('SIGINT', interrupted)
    using _ = listenToKeys({ isTTY: true, setRawMode() {}, resume() {}, pause() {}, on, off() {} }, {})
    listener?.('\x03')
    expect(interrupts).toBe(1)
  })

  it('call their actions on a terminal, pass on Ctrl-C, and leave the terminal as it was', () => {
    const modes: boolean[] = []
    let listener: ((data: string) => void) | undefined
    const terminal = {
      isTTY: true,
      setRawMode: (on: boolean) => modes.push(on),
      resume() {},
      pause() {},
      on: (_: 'data', given: (data: string) => void) => {
        listener = given
      },
      off: () => {
        listener = undefined
      },
    }
    const pressed: string[] = []
    const keys = listenToKeys(terminal, { s: () => pressed.push('s') }, () => pressed.push('interrupt'))
    listener?.('xs\x03')
    keys[Symbol.dispose]()
    expect({ pressed, modes, listener }).toEqual({
      pressed: ['s', 'interrupt'],
      modes: [true, false],
      listener: undefined,
    })
    expect(listenToKeys({ ...terminal, isTTY: false }, {}).active).toBe(false)
  })
})
