import { ARCHITECTURES } from '@dfl/cli'
import { type OptionsOf, type OptionTable, resolveOptions } from '@dfl/core'
import { SAMPLER_OPTIONS } from '@dfl/faceset'
import { settingOptions } from '@dfl/trainer'
import { describe, expect, it } from 'vitest'
import { OPTION_CASES, optionNames, withCommon } from '../src/option-cases.js'

/** What a case is about: 'samples/randomWarp' for 'samples/randomWarp: sharper'. */
const subject = (name: string) => name.split(':')[0]!

describe('the study of options', () => {
  it('has every architecture, loss, optimiser, face type and option of the tables', () => {
    const studied = new Set(OPTION_CASES.map(({ name }) => subject(name)))
    expect(optionNames().filter((name) => !studied.has(name))).toEqual([])
  })

  it('knows them from the tables', () => {
    const known = optionNames()
    for (const name of ['architecture/amp', 'saehd/archi=df', 'xseg/baseDims', 'face-type/head', 'loss/dssim_fine'])
      expect(known).toContain(name)
    for (const name of ['settings/ganPower', 'samples/matchColors=sot', 'optimiser/rmsprop'])
      expect(known).toContain(name)
    expect(new Set(known).size).toBe(known.length)
  })

  it('studies nothing that is not there, besides how a run is trained', () => {
    const known = new Set(optionNames())
    const others = OPTION_CASES.map(({ name }) => subject(name)).filter((name) => !known.has(name))
    expect(others.filter((name) => !name.startsWith('training/'))).toEqual([])
    expect(new Set(OPTION_CASES.map(({ name }) => name)).size).toBe(OPTION_CASES.length)
  })

  it('compares runs that differ in what a case is about, with values that the tables take', () => {
    for (const one of OPTION_CASES) {
      const setups = [withCommon(one.without), withCommon(one.with)]
      for (const { architecture, options, samples, settings } of setups) {
        const { options: table } = ARCHITECTURES.find(({ name }) => name === architecture)!
        resolveOptions(table, options as OptionsOf<OptionTable>)
        resolveOptions(SAMPLER_OPTIONS, samples)
        resolveOptions(settingOptions, settings)
      }
      // Where two numbers are named, they are two numbers of one run.
      const [without, withIt] = setups.map((setup) => JSON.stringify(setup))
      expect(withIt !== without, one.name).toBe(typeof one.measure === 'string')
      const [table, option] = subject(one.name).split(/[/=]/) as [string, string]
      if (['settings', 'samples'].includes(table)) expect(JSON.stringify(setups), one.name).toContain(`"${option}":`)
    }
  })
})
