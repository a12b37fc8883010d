import { constants, createHash, createPrivateKey, type KeyObject, sign, X509Certificate } from 'node:crypto'
import { DflError } from '@dfl/core'
import { loadC2pa, type Signer } from './c2pa.js'

/** A certificate and its key: who signs. */
export interface Identity {
  /** PEM, the signer's own first, then those that vouch for it. */
  readonly certificates: readonly string[]
  readonly key: KeyObject
  /** Whether it was made by `selfMadeIdentity`, and so tells who holds the key but not who that is. */
  readonly selfMade: boolean
}

/** How C2PA calls the algorithm of a key. Source: RFC 9053, 2.1; RFC 8230, 2 */
const ALGORITHMS = [
  { cose: -7, is: ecKey('prime256v1'), hash: 'sha256' },
  { cose: -35, is: ecKey('secp384r1'), hash: 'sha384' },
  { cose: -36, is: ecKey('secp521r1'), hash: 'sha512' },
  { cose: -37, is: (key: KeyObject) => /^rsa/.test(key.asymmetricKeyType ?? ''), hash: 'sha256' },
  { cose: -8, is: (key: KeyObject) => key.asymmetricKeyType === 'ed25519', hash: undefined },
]

/** The identity of PEM texts. `name` is what messages call the key. */
export function identityOf(
  certificates: readonly string[],
  keyText: string,
  { name, selfMade }: { name: string; selfMade: boolean },
): Identity {
  const refused = (what: string, advice: string, cause?: unknown) =>
    new DflError(
      'BAD_OPTION',
      `Expected the certificate's private key for \`key\`, but got ${what} in \`${name}\`. ${advice}`,
      {
        cause,
      },
    )
  let key: KeyObject
  try {
    key = createPrivateKey(pemBlocks(keyText, '(?:\\w+ )*PRIVATE KEY')[0] ?? keyText)
  } catch (cause) {
    throw refused('nothing that can be read', 'It must be in PEM form and without a password.', cause)
  }
  if (!new X509Certificate(certificates[0]!).checkPrivateKey(key))
    throw refused('the key of another certificate', 'Give the two that belong together.')
  if (!ALGORITHMS.some(({ is }) => is(key)))
    throw refused(
      `a key of type ${key.asymmetricKeyType}`,
      'C2PA takes P-256, P-384, P-521, RSA of 2048 bits or more, and Ed25519.',
    )
  return { certificates, key, selfMade }
}

/** An identity as the manifest library takes it. */
export async function signerOf({ certificates, key }: Identity): Promise<Signer> {
  const { x509 } = await loadC2pa()
  const [certificate, ...chainCertificates] = certificates.map((pem) => new x509.X509Certificate(pem))
  const { cose, hash } = ALGORITHMS.find(({ is }) => is(key))!
  const padding = /^rsa/.test(key.asymmetricKeyType!)
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {}
  return {
    algorithm: cose,
    certificate: certificate!,
    chainCertificates,
    // COSE wants the two numbers of an elliptic signature side by side, not in ASN.1.
    sign: async (payload) => new Uint8Array(sign(hash, payload, { key, dsaEncoding: 'ieee-p1363', ...padding })),
  }
}

/** SHA-256 of a certificate, by which two are told apart: 64 hexadecimal digits. */
export const fingerprintOf = (certificate: X509Certificate): string =>
  createHash('sha256').update(certificate.raw).digest('hex')

/** The blocks of a PEM text under this heading. */
export const pemBlocks = (text: string, heading: string): string[] => [
  ...(text.match(new RegExp(`-----BEGIN ${heading}-----[^-]+-----END ${heading}-----`, 'g')) ?? []),
]

function ecKey(curve: string) {
  return (key: KeyObject) => key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === curve
}
