import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { consentHash, consentRecord, hashClip, readProvenance, sealFile, selfMadeIdentity } from '@dfl/provenance'

const examples = join(import.meta.dirname, '..')
const dst = join(examples, 'footage/pair1-dst.mp4')
const result = join(examples, 'out/sealed.mp4')
await mkdir(join(examples, 'out'), { recursive: true })
await copyFile(join(examples, 'footage/pair1-truth.mp4'), result)

// [1]
const consent = consentRecord({ who: 'nobody: the heads are rendered', scope: 'this example' })
const origin = {
  tool: { name: 'example', version: '1.0.0' },
  dst: { name: 'pair1-dst.mp4', format: 'video/mp4', sha256: await hashClip(dst) },
  model: { architecture: 'none', iterations: 0, sha256: await hashClip(import.meta.filename) },
  consent: { sha256: consentHash(consent) },
}

// [2]
const identity = await selfMadeIdentity(join(examples, 'out/identity'))
await sealFile(result, { origin, identity })

const { verdict, digitalSourceType, actions, signedBy } = await readProvenance(result)
console.log(`${verdict}: ${digitalSourceType}`)
console.log(`${actions?.join(', ')}, signed by ${signedBy?.organisation}`)

// [3]
const bytes = await readFile(result)
bytes[300_000]! ^= 1
await writeFile(result, bytes)
console.log(`one bit later: ${(await readProvenance(result)).verdict}`)

// [1] What the manifest will say. The consent record stays with you; its hash shows later that it was this one.
// [2] Made when first asked for. Without a folder it is kept among the user's own data; `readIdentity` takes a certificate that
//     was bought, with its key.
// [3] The manifest holds the hash of everything in the file but itself.
