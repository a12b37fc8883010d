import { X509Certificate } from 'node:crypto'
import { type C2pa, loadC2pa, type Manifest } from './c2pa.js'
import { fingerprintOf } from './identity.js'
import type { Origin } from './manifest.js'
import { SELF_MADE } from './self-made.js'

/** Who signed a manifest, as the certificate has it. */
export interface SignedBy {
  /** Name and organisation of the certificate. */
  name: string
  organisation: string
  /** The organisation that vouches for it. */
  issuer: string
  /** Whether the certificate says of itself that it was made by `selfMadeIdentity`. */
  selfMade: boolean
  /** SHA-256 of the certificate. */
  fingerprint: string
  /** Days from which and until which the certificate holds: '2026-11-22'. */
  validFrom: string
  validUntil: string
}

/** What a manifest says, and what is wrong with it whatever the file is. */
export interface ReadManifest {
  /** Reasons why it is not what its signer signed; none in a sound one. */
  faults: string[]
  /** What should be known of a sound one: a certificate that ran out. */
  notes: string[]
  tool: string
  actions: string[]
  digitalSourceType?: string
  origin: Partial<Omit<Origin, 'tool'>>
  signedBy?: SignedBy
  /** By which hash it is bound to its file; nothing where by none that is known here. */
  binding?:
    | { kind: 'boxes'; sha256: Buffer }
    | { kind: 'ranges'; sha256: Buffer; gaps: { start: number; length: number }[] }
}

/** The library's codes that need words. */
const IN_WORDS: Readonly<Record<string, string>> = {
  'signingCredential.invalid':
    'the certificate is none for signing media (X.509 v3, signed by another than itself, key usage digitalSignature, extended key usage emailProtection or documentSigning)',
  'claimSignature.mismatch': 'the signature is not one of its certificate over what it says',
  'assertion.hashedURI.mismatch': 'a part of it was changed after it was signed',
}

/** The exclusions of `hashBoxes`. */
const USUAL_EXCLUSIONS = ['/uuid', '/ftyp', '/mfra']

/** What the active manifest of a store says. Checks its signature and that none of its parts was changed. */
export async function readManifest(store: Buffer): Promise<ReadManifest> {
  const c2pa = await loadC2pa()
  const nothing = { notes: [], tool: '', actions: [], origin: {} }
  try {
    const manifests = c2pa.ManifestStore.read(c2pa.SuperBox.fromBuffer(new Uint8Array(store)))
    const manifest = manifests.getActiveManifest()
    if (!manifest) return { ...nothing, faults: ['it holds no manifest'] }
    return { ...statementsOf(c2pa, manifest), ...(await checked(c2pa, manifest)), ...signatureOf(manifest) }
  } catch (error) {
    return { ...nothing, faults: [`it cannot be read (${error instanceof Error ? error.message : String(error)})`] }
  }
}

/** The library's checks of all but the file itself, which is hashed in blocks elsewhere. */
async function checked(c2pa: C2pa, manifest: Manifest): Promise<Pick<ReadManifest, 'faults' | 'notes' | 'binding'>> {
  const bindings = manifest.assertions?.getHardBindings() ?? []
  for (const assertion of bindings) assertion.validateAgainstAsset = async () => new c2pa.ValidationResult()
  const unused = {
    getDataLength: () => 0,
    getDataRange: async () => new Uint8Array(),
    getManifestJUMBF: () => undefined,
  }
  const { statusEntries } = await manifest.validate({
    ...unused,
    mimeType: '',
    dumpInfo: () => '',
    ensureManifestSpace: async () => {},
    getHashExclusionRange: () => ({ start: 0, length: 0 }),
    writeManifestJUMBF: async () => {},
  })
  const failures = statusEntries.filter(({ success }) => success === false)
  const expired = failures.filter(({ code }) => code === c2pa.ValidationStatusCode.SigningCredentialExpired)
  const faults = failures
    .filter((one) => !expired.includes(one))
    .map(({ code, explanation }) => IN_WORDS[code] ?? explanation ?? code)
  const notes =
    expired.length > 0 ? ['the certificate is outside its time, and no time stamp says when it was signed'] : []
  return { faults: [...new Set([...faults, ...chainFaults(manifest)])], notes, binding: bindingOf(c2pa, manifest) }
}

function bindingOf(c2pa: C2pa, manifest: Manifest): ReadManifest['binding'] {
  const [binding] = manifest.assertions?.getHardBindings() ?? []
  const known = (one: { algorithm?: string; hash?: Uint8Array }) => one.algorithm === 'SHA-256' && one.hash
  if (binding instanceof c2pa.BMFFHashAssertion && known(binding)) {
    const usual = binding.exclusions.every(({ xpath, subset }) => USUAL_EXCLUSIONS.includes(xpath) && !subset)
    return usual && !binding.merkle ? { kind: 'boxes', sha256: Buffer.from(binding.hash!) } : undefined
  }
  if (binding instanceof c2pa.DataHashAssertion && known(binding))
    return { kind: 'ranges', sha256: Buffer.from(binding.hash!), gaps: binding.exclusions }
  return undefined
}

function statementsOf(
  c2pa: C2pa,
  manifest: Manifest,
): Pick<ReadManifest, 'tool' | 'actions' | 'digitalSourceType' | 'origin'> {
  const actions = (manifest.assertions?.getActionAssertions() ?? []).flatMap((one) => one.actions)
  const parent = manifest.assertions?.getIngredientsByRelationship(c2pa.RelationshipType.ParentOf)[0]
  const parameter = <Key extends 'model' | 'consent'>(name: Key) =>
    actions.map(({ parameters }) => parameters?.[`dfl.${name}`] as Origin[Key]).find((one) => one !== undefined)
  const { claimGeneratorName = '', claimGeneratorVersion = '' } = manifest.claim ?? {}
  const [model, consent] = [parameter('model'), parameter('consent')]
  const digitalSourceType = actions.map((one) => one.digitalSourceType).find((one) => one !== undefined)
  const dst = parent && {
    name: parent.title ?? '',
    format: parent.format ?? '',
    sha256: String(parent.metadata?.['dfl.sha256'] ?? ''),
  }
  return {
    tool: `${claimGeneratorName} ${claimGeneratorVersion}`.trim(),
    actions: actions.map(({ action }) => action),
    ...(digitalSourceType ? { digitalSourceType } : {}),
    origin: { ...(dst ? { dst } : {}), ...(model ? { model } : {}), ...(consent ? { consent } : {}) },
  }
}

function signatureOf(manifest: Manifest): Pick<ReadManifest, 'signedBy'> {
  const [certificate] = certificatesOf(manifest)
  if (!certificate) return {}
  const organisation = field(certificate.subject, 'O')
  return {
    signedBy: {
      name: field(certificate.subject, 'CN'),
      organisation,
      issuer: field(certificate.issuer, 'O') || field(certificate.issuer, 'CN'),
      selfMade: organisation === SELF_MADE,
      fingerprint: fingerprintOf(certificate),
      validFrom: day(certificate.validFrom),
      validUntil: day(certificate.validTo),
    },
  }
}

/** Each certificate must be signed by the next one. The library does not look. */
function chainFaults(manifest: Manifest): string[] {
  const chain = certificatesOf(manifest)
  const sound = chain.every((one, i) => i + 1 >= chain.length || one.verify(chain[i + 1]!.publicKey))
  return sound ? [] : ['its certificates do not vouch for each other']
}

function certificatesOf({ signature }: Manifest): X509Certificate[] {
  const { certificate, chainCertificates = [] } = signature?.signatureData ?? {}
  return certificate
    ? [certificate, ...chainCertificates].map(({ rawData }) => new X509Certificate(Buffer.from(rawData)))
    : []
}

const field = (name: string, key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(name)?.[1] ?? ''

const day = (text: string) => new Date(text).toISOString().slice(0, 10)
