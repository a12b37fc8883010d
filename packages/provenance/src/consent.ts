import { DflError, isDflError } from '@dfl/core'
import { hashBytes } from './hash.js'

/** Who agreed to what, and for how long. */
export interface ConsentRecord {
  format: 1
  /** The people whose faces are used, or who speaks for them. */
  who: string
  /** What they agreed to: the production, the scenes, a contract's number. */
  scope: string
  /** The last day on which it holds, '2027-12-31'; nothing where it has no end. */
  until?: string
  /** The day on which it was written down here. */
  recorded: string
}

const DAY = /^\d{4}-\d\d-\d\d$/

/** A consent record of what people said; `recorded` is today if not given. @throws DflError `BAD_OPTION`. */
export function consentRecord(said: Partial<Record<keyof ConsentRecord, unknown>>): ConsentRecord {
  const recorded = (said.recorded as string | undefined) ?? new Date().toISOString().slice(0, 10)
  for (const key of ['who', 'scope'] as const)
    if (typeof said[key] !== 'string' || said[key].trim() === '')
      throw refused(key, 'a text', said[key], 'Say whose faces are used, and what they agreed to.')
  for (const [key, value] of Object.entries({ until: said.until, recorded }))
    if (value !== undefined && value !== '' && !isDay(value))
      throw refused(key, 'a day such as 2027-12-31', value, 'Leave `until` out where there is no end.')
  const { who, scope, until } = said as Record<string, string>
  return { format: 1, who: who!.trim(), scope: scope!.trim(), ...(until ? { until } : {}), recorded }
}

/**
 * The record in a JSON text.
 *
 * @param name What messages call it: a path.
 * @throws DflError `BAD_OPTION` for anything that is no consent record.
 */
export function parseConsent(text: string, name: string): ConsentRecord {
  let said: unknown
  try {
    said = JSON.parse(text)
  } catch (cause) {
    throw new DflError(
      'BAD_OPTION',
      `Expected a consent record, { "who": …, "scope": …, "until": … }, in \`${name}\`, but got no JSON. Mend the file.`,
      { cause },
    )
  }
  if (typeof said !== 'object' || said === null || Array.isArray(said))
    throw refused(name, 'an object', said, 'Mend the file.')
  try {
    return consentRecord(said)
  } catch (error) {
    if (!isDflError(error)) throw error
    const data = { ...error.data, file: name }
    throw new DflError(error.code, `${error.message} Mend \`${name}\`.`, { data, cause: error })
  }
}

/** The record as it is kept: JSON that people can read. Its hash is that of these bytes. */
export const consentText = (record: ConsentRecord): string => `${JSON.stringify(record, null, 2)}\n`

/** The SHA-256 by which a manifest names a record. */
export const consentHash = (record: ConsentRecord): string => hashBytes(consentText(record))

/** Whether a record's last day is over. */
export const consentEnded = ({ until }: ConsentRecord, now = new Date()): boolean =>
  until !== undefined && until < now.toISOString().slice(0, 10)

const isDay = (value: unknown) => typeof value === 'string' && DAY.test(value) && !Number.isNaN(Date.parse(value))

const refused = (name: string, what: string, got: unknown, advice: string) =>
  new DflError(
    'BAD_OPTION',
    `Expected ${what} for \`${name}\`, but got ${JSON.stringify(got) ?? 'nothing'}. ${advice}`,
    {
      data: { [name]: got },
    },
  )
