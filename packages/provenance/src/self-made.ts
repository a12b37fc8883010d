import { randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import { link, open, readFile, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { DflError } from '@dfl/core'
import { makeFolder } from '@dfl/core/files'
import { loadC2pa } from './c2pa.js'
import { type Identity, identityOf, pemBlocks } from './identity.js'

/** The organisation that a self-made certificate names: whoever reads it should see at once what it is worth. */
export const SELF_MADE = 'Self-made by dfl (identity not checked)'

const NAME = 'self-made.pem'
const YEARS = 20
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** Where a user's own data of this program lies, by the custom of the system. */
function dataFolder(): string {
  const { XDG_DATA_HOME, LOCALAPPDATA } = process.env
  if (process.platform === 'win32') return join(LOCALAPPDATA || join(homedir(), 'AppData', 'Local'), 'dfl')
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'dfl')
  return join(XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'dfl')
}

/**
 * The identity of this user on this computer; made, and kept in `folder`, when first asked for.
 *
 * It proves that two files were signed here, and that neither was changed since. Who that is, it does not say: names of
 * the user or the computer are not in it. The file can be read by its owner only.
 *
 * @throws DflError `CORRUPT_FILE` when the file is damaged.
 */
export async function selfMadeIdentity(folder = dataFolder()): Promise<Identity> {
  const path = join(folder, NAME)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return undefined
  })
  if (text !== undefined) return identityIn(text, path)
  await makeFolder(folder)
  const temporary = join(folder, `.${NAME}.${randomBytes(4).toString('hex')}.tmp`)
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(await makeIdentity())
    await file.sync()
  } finally {
    await file.close()
  }
  // Where two programs make one at the same time, the first wins for both.
  await link(temporary, path)
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    .finally(() => rm(temporary, { force: true }))
  return identityIn(await readFile(path, 'utf8'), path)
}

function identityIn(text: string, path: string): Identity {
  const certificates = pemBlocks(text, 'CERTIFICATE')
  try {
    const identity = identityOf(certificates, text, { name: path, selfMade: true })
    if (new Date(new X509Certificate(certificates[0]!).validTo) > new Date()) return identity
    throw new Error('expired')
  } catch (cause) {
    throw new DflError(
      'CORRUPT_FILE',
      `Expected the self-made certificate in \`${path}\`, but it is damaged or too old. Delete it: a new one is made.`,
      { data: { path }, cause },
    )
  }
}

/**
 * A key and two certificates as PEM: C2PA refuses a certificate that signed itself, so an authority is made for it, whose
 * own key is forgotten at once.
 *
 * Source: C2PA Technical Specification 2.1, 14.5 (X.509 certificates); RFC 5280
 */
async function makeIdentity(): Promise<string> {
  const { x509 } = await loadC2pa()
  const { BasicConstraintsExtension, KeyUsagesExtension, KeyUsageFlags } = x509
  const makeKeys = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const [authority, own] = [await makeKeys(), await makeKeys()]
  const notBefore = new Date(Date.now() - 60_000)
  const notAfter = new Date(notBefore)
  notAfter.setFullYear(notAfter.getFullYear() + YEARS)
  const mark = randomBytes(4).toString('hex')
  const common = { notBefore, notAfter, signingAlgorithm: ALGORITHM }
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...common,
    serialNumber: serialNumber(),
    name: `O="${SELF_MADE}", CN=authority ${mark}`,
    keys: authority,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authority.publicKey),
    ],
  })
  const certificate = await x509.X509CertificateGenerator.create({
    ...common,
    serialNumber: serialNumber(),
    subject: `O="${SELF_MADE}", CN=computer ${mark}`,
    issuer: root.subject,
    signingKey: authority.privateKey,
    publicKey: own.publicKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.emailProtection]),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(own.publicKey),
    ],
  })
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', own.privateKey)).toString('base64')
  const keyText = `-----BEGIN PRIVATE KEY-----\n${key.match(/.{1,64}/g)!.join('\n')}\n-----END PRIVATE KEY-----`
  return `${[certificate.toString('pem'), root.toString('pem'), keyText].join('\n')}\n`
}

/** Sixteen random bytes that make a positive number. */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0]! = (bytes[0]! & 0x7f) | 0x40
  return bytes.toString('hex')
}
