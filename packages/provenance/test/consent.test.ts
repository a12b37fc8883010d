import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { consentEnded, consentHash, consentRecord, consentText, parseConsent } from '../src/index.js'

const SAID = { who: ' Ada Byron ', scope: 'Film X, scenes 12 to 14', until: '2027-12-31', recorded: '2026-11-22' }

describe('consentRecord', () => {
  it('keeps what was said, as JSON that people can read, and hashes those bytes', () => {
    const record = consentRecord(SAID)
    expect(record).toEqual({ format: 1, ...SAID, who: 'Ada Byron' })
    expect(parseConsent(consentText(record), 'consent.json')).toEqual(record)
    expect(consentHash(record)).toBe(createHash('sha256').update(consentText(record)).digest('hex'))
  })

  it('has no end where none was said, and ends after its last day', () => {
    const { until: _, ...open } = SAID
    expect(consentEnded(consentRecord(open), new Date('2999-01-01'))).toBe(false)
    expect(consentEnded(consentRecord(SAID), new Date('2027-12-31T12:00:00Z'))).toBe(false)
    expect(consentEnded(consentRecord(SAID), new Date('2028-01-01T00:00:00Z'))).toBe(true)
  })

  it('refuses a record of nobody, of nothing, and one whose day is none', () => {
    expect(() => consentRecord({ ...SAID, who: '' })).toThrow(
      'Expected a text for `who`, but got "". Say whose faces are used, and what they agreed to.',
    )
    expect(() => consentRecord({ who: 'Ada' })).toThrow('Expected a text for `scope`, but got nothing.')
    expect(() => consentRecord({ ...SAID, until: 'spring' })).toThrow(
      'Expected a day such as 2027-12-31 for `until`, but got "spring". Leave `until` out where there is no end.',
    )
    expect(() => parseConsent('{', 'a.json')).toThrow(
      'Expected a consent record, { "who": …, "scope": …, "until": … }, in `a.json`, but got no JSON. Mend the file.',
    )
    expect(() => parseConsent('[]', 'a.json')).toThrow('Expected an object for `a.json`, but got []. Mend the file.')
  })
})
