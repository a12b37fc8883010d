import { readFile } from 'node:fs/promises'
import { DflError } from '@dfl/core'
import { type Identity, identityOf, pemBlocks } from './identity.js'
import { signedManifest } from './manifest.js'
import { readManifest } from './read-manifest.js'

/**
 * The identity in two PEM files.
 *
 * @param files `certificate`: the signer's certificate, followed by those that vouch for it; `key`: its private key, not
 * locked by a password. Both may be one file.
 * @throws DflError `NO_SUCH_FILE`; `BAD_OPTION` where they do not fit each other, or C2PA does not take them.
 */
export async function readIdentity(files: { certificate: string; key: string }): Promise<Identity> {
  const certificates = pemBlocks(await read(files.certificate, 'certificate'), 'CERTIFICATE')
  if (certificates.length === 0)
    throw new DflError(
      'BAD_OPTION',
      `Expected a certificate in PEM form for \`certificate\`, but got none in \`${files.certificate}\`. It begins with -----BEGIN CERTIFICATE-----.`,
    )
  const identity = identityOf(certificates, await read(files.key, 'key'), { name: files.key, selfMade: false })
  const [fault] = await faultsOf(identity)
  if (fault)
    throw new DflError(
      'BAD_OPTION',
      `Expected a certificate that C2PA takes for \`certificate\`, but got one in \`${files.certificate}\` that it refuses: ${fault}. Ask for another, or use a self-made one.`,
    )
  return identity
}

/** What readers will say against this identity, by a manifest that is signed for a try. */
async function faultsOf(identity: Identity): Promise<string[]> {
  const nobody = { name: '', format: '', sha256: '' }
  const origin = {
    tool: { name: 'try', version: '' },
    dst: nobody,
    model: { architecture: '', iterations: 0, sha256: '' },
  }
  const bound = { title: 'try', format: 'video/mp4', binding: 'whole', sha256: Buffer.alloc(32) } as const
  const { faults, notes } = await readManifest(await signedManifest(origin, bound, identity))
  return [...faults, ...notes]
}

async function read(path: string, name: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected a PEM file for \`${name}\`, but there is nothing at \`${path}\`. Check the path.`,
      {
        data: { path },
        cause,
      },
    )
  })
}
