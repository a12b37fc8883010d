import { resolveOptions } from '@dfl/core'
import { FILTER_OPTIONS } from '@dfl/faceset'
import { parseRecipe } from '@dfl/trainer'
import { describe, expect, it } from 'vitest'
import { inFlags, parseArguments } from '../src/arguments.js'
import {
  checkpointGroup,
  extractGroups,
  mergeGroups,
  modelGroup,
  samplesGroup,
  settingsGroup,
  trainGroup,
} from '../src/commands/flag-groups.js'
import { mergeCommand } from '../src/commands/stage-commands.js'
import {
  choiceFlag,
  countFlag,
  durationFlag,
  type FlagGroup,
  kebab,
  parseDuration,
  switchFlag,
  tableFlags,
  textFlag,
} from '../src/flags.js'

const groups: FlagGroup[] = [
  {
    key: 'main',
    title: 'Options',
    flags: [
      textFlag('input', 'A clip.', { placeholder: 'clip', required: true }),
      choiceFlag('side', 'Whose.', { choices: ['src', 'dst'] }),
      durationFlag('time', 'How long.'),
      countFlag('iterations', 'How many.'),
      switchFlag('again', 'Once more.'),
      textFlag('src', 'Clips.', { repeats: true }),
    ],
  },
  {
    key: 'merge',
    title: 'Merge',
    flags: tableFlags(
      {
        erode: { type: 'number', default: 0, min: -100, max: 100, unit: 'px', description: 'Smaller.' },
        pixelNorm: { type: 'boolean', default: true, description: 'Normalise.' },
        preset: { type: 'string', default: 'fast', description: 'Speed.' },
      },
      { rename: { preset: 'encoder-preset' } },
    ),
  },
]
const parse = (line: string) => parseArguments(line.split(' '), groups)

describe('inFlags', () => {
  it('calls options of packages by their flags, and leaves all other names alone', () => {
    const told = 'Expected `pixelNorm` in `input`, but got `faceType`.'
    expect(inFlags(told, groups)).toBe('Expected `--pixel-norm` in `input`, but got `faceType`.')
  })

  it('calls every option of every command by its flag in what the tables say of wrong values', () => {
    const commands: Record<string, readonly FlagGroup[]> = {
      extract: extractGroups(),
      train: [trainGroup, checkpointGroup, samplesGroup, settingsGroup, modelGroup],
      merge: mergeGroups,
      filter: [{ key: 'filter', title: '', flags: tableFlags(FILTER_OPTIONS) }],
    }
    for (const [command, groups] of Object.entries(commands)) {
      for (const { name, option, spec } of groups.flatMap(({ flags }) => flags)) {
        if (spec.type === 'duration') continue
        const wrong = { number: 'much', boolean: 'perhaps', string: 5, choice: 'none of them' }[spec.type]
        const refused = () => resolveOptions({ [option]: spec }, { [option]: wrong } as never)
        let told = ''
        try {
          refused()
        } catch (error) {
          told = inFlags(error, groups)
        }
        expect([command, told]).toEqual([command, expect.stringContaining(` for \`--${name}\`, but got `)])
      }
    }
  })

  it('knows what packages call a flag otherwise', () => {
    const merge = mergeCommand.groups
    const told = (name: string) => inFlags(`Expected a frame below 48 for \`${name}\`, but got 99.`, merge)
    expect(told('only')).toContain('for `--frames`,')
    expect(told('index')).toContain('for `--preview`,')
    expect(told('start')).toContain('for `--preview`,')
  })

  it('leaves the keys of a file as they are', () => {
    const recipe = { name: 'film', assumes: 'all', phases: [{ name: 'learn', until: 1, learningRate: [2, 'a'] }] }
    const told = (given: unknown) => {
      try {
        parseRecipe(given, 'film.json')
      } catch (error) {
        return inFlags(error, [trainGroup, settingsGroup])
      }
      return ''
    }
    expect(told(recipe)).toBe(
      'Expected a recipe in `film.json`, but phase 1 (learn): `learningRate` must be two numbers, at its beginning and its end. Correct it.',
    )
    const early = { ...recipe, phases: [{ name: 'learn', until: 0.5, learningRate: [1e-4, 1e-4] }] }
    expect(told(early)).toBe(
      'Expected phases that end one after the other, the last at 1, for the recipe `film`, but got ends at 0.5. Set each `until` to a share of the run. Change this in `film.json`.',
    )
  })
})

describe('parseArguments', () => {
  it('takes several values of flags that have them, in a row or each after the flag', () => {
    expect(parse('--input a --src b c --again --src d').main).toEqual({ input: 'a', src: ['b', 'c', 'd'], again: true })
    expect(parse('--input a --src=b').main).toEqual({ input: 'a', src: ['b'] })
    expect(() => parse('--input a c')).toThrow("Expected an option that begins with --, but got 'c'.")
    expect(() => parse('--input a --src')).toThrow('Expected a value for `--src`, but got nothing.')
  })

  it('gives what was given, by group and option, and nothing else', () => {
    const given = parse('--input a.mp4 --side=dst --time 1h30m --erode -5 --encoder-preset slow --again')
    expect(given).toEqual({
      main: { input: 'a.mp4', side: 'dst', time: 5400, again: true },
      merge: { erode: -5, preset: 'slow' },
    })
  })

  it('takes --no- for what is on by default', () => {
    expect(parse('--input a --no-pixel-norm').merge).toEqual({ pixelNorm: false })
    expect(parse('--input a --pixel-norm=false').merge).toEqual({ pixelNorm: false })
  })

  it('names everything that is wrong at once, with what was probably meant', () => {
    const problems = () => parse('--erdoe 5 --side left --time soon --iterations 0 --erode 101 b.mp4')
    expect(problems).toThrow(
      [
        'There is no option --erdoe. Did you mean --erode?',
        "Expected one of src, dst for `--side`, but got 'left'.",
        "Expected a time such as 90s, 10m or 1h30m for `--time`, but got 'soon'.",
        'Expected a whole number of at least 1 for `--iterations`, but got 0.',
        'Expected a number between -100 and 100 px for `--erode`, but got 101.',
        "Expected an option that begins with --, but got 'b.mp4'.",
        'Expected --input <clip>, but it was not given. A clip.',
      ].join('\n'),
    )
  })

  it('refuses an option without its value, and one that comes twice', () => {
    expect(() => parse('--input --again')).toThrow('Expected a value for `--input`, but got nothing.')
    expect(() => parse('--input a --input b')).toThrow('Expected --input once, but got it twice.')
  })
})

describe('durations and names', () => {
  it('reads 90s, 10m, 1h30m and plain seconds', () => {
    expect(['90s', '10m', '1h30m', '45', '1.5h', '2min'].map(parseDuration)).toEqual([90, 600, 5400, 45, 5400, 120])
  })

  it('reads nothing from other texts', () => {
    expect(['', 'soon', '10x', '-5s', '0s', '5m h'].map(parseDuration)).toEqual(new Array(6).fill(undefined))
  })

  it('writes options in kebab-case', () => {
    expect(['faceType', 'dMaskDims', 'everyNth', 'crf'].map(kebab)).toEqual([
      'face-type',
      'd-mask-dims',
      'every-nth',
      'crf',
    ])
  })
})
