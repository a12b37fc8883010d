/**
 * IPTC's term for footage in which a trained model replaced a part.
 *
 * Source: https://cv.iptc.org/newscodes/digitalsourcetype/
 */
export const DIGITAL_SOURCE_TYPE = 'http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia'

/** The same for people. */
export const SYNTHETIC_SENTENCE = 'Synthetic media: faces were replaced by a trained model (dfl).'

/** What a container says of a merged video, by libav's names; containers keep those that they know. */
export const SYNTHETIC_METADATA: Readonly<Record<string, string>> = {
  comment: `${SYNTHETIC_SENTENCE} Digital source type: ${DIGITAL_SOURCE_TYPE}`,
  DIGITAL_SOURCE_TYPE,
}
