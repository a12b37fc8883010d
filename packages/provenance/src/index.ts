export {
  type ConsentRecord,
  consentEnded,
  consentHash,
  consentRecord,
  consentText,
  parseConsent,
} from './consent.js'
export { hashClip, hashFile } from './hash.js'
export type { Identity } from './identity.js'
export { markImage, xmpOfImage } from './image-xmp.js'
export type { Origin } from './manifest.js'
export { mediaTypeOf } from './media-type.js'
export { readIdentity } from './read-identity.js'
export type { SignedBy } from './read-manifest.js'
export { type Provenance, readProvenance, type Verdict } from './read-provenance.js'
export { type Seal, sealFile, sealFolder } from './seal.js'
export { selfMadeIdentity } from './self-made.js'
export { DIGITAL_SOURCE_TYPE, SYNTHETIC_METADATA } from './synthetic.js'
export { sourceTypeOfXmp, syntheticXmp } from './xmp.js'
