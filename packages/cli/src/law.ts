/** Countries of the EU and the EEA, in which the AI Act holds. */
const AI_ACT = 'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK'.split(' ')

const AI_ACT_TEXT =
  'the EU AI Act, Art. 50, in force since 2 August 2026: who makes such systems must mark what comes out of them in a machine-readable way, and who publishes a deepfake must say that it is one, in a form that does not spoil it for works that are evidently art, satire or fiction'

/** What else is known, by country. */
const OTHERS: Readonly<Record<string, string>> = {
  CN: 'the Measures for Labelling AI-Generated Synthetic Content, in force since 1 September 2025, ask for a visible label and one in the metadata',
  KR: 'the AI Basic Act, in force since 22 January 2026, asks that deepfakes are labelled',
  US: 'there is no federal rule for all; several states have their own, for politics, intimate pictures and replicas of performers',
  GB: 'there is no general duty to label; intimate deepfakes made without consent are a crime',
}

/**
 * What the law of the user's country may ask of a file that does not say that it is synthetic: sentences for people.
 *
 * @param locale The country is taken from it, as the system says: 'de-DE'.
 */
export function lawOf(locale = Intl.DateTimeFormat().resolvedOptions().locale): string {
  const country = countryOf(locale)
  const name = country && new Intl.DisplayNames('en', { type: 'region' }).of(country)
  const own =
    country === undefined
      ? undefined
      : AI_ACT.includes(country)
        ? `In ${name} this is ${AI_ACT_TEXT}.`
        : OTHERS[country] && `In ${name}: ${OTHERS[country]}.`
  const elsewhere =
    country && AI_ACT.includes(country) ? '' : ` Where the result is seen in the EU, it is ${AI_ACT_TEXT}.`
  const where = name
    ? `The law may ask for a mark. ${own ?? `What holds in ${name} is not known here.`}`
    : 'The law may ask for a mark.'
  return `${where}${elsewhere} This is no legal advice.`
}

function countryOf(locale: string): string | undefined {
  try {
    return new Intl.Locale(locale).region
  } catch {
    return undefined
  }
}
