import { randomUUID } from 'node:crypto'
import { type C2pa, loadC2pa, type Manifest } from './c2pa.js'
import { type Identity, signerOf } from './identity.js'
import { DIGITAL_SOURCE_TYPE } from './synthetic.js'

/** What a manifest says of how a file was made. */
export interface Origin {
  tool: { name: string; version: string }
  /** The clip that was changed: its name, its media type such as 'video/mp4', and its SHA-256. */
  dst: { name: string; format: string; sha256: string }
  /** What painted the faces; SHA-256 of its weights' file. */
  model: { architecture: string; iterations: number; sha256: string }
  /** SHA-256 of the record of who consented to what; nothing where there is none. */
  consent?: { sha256: string }
}

/** The file that a manifest is about, and by which hash. */
export interface Bound {
  title: string
  /** Media type: 'video/mp4'. */
  format: string
  /** `boxes`: as `hashBoxes` counts an MP4 or MOV file; `whole`: every byte of the file, for a manifest beside it. */
  binding: 'boxes' | 'whole'
  sha256: Buffer
}

/** Room for what is filled in after the size of a manifest is settled. */
const SPARE_BYTES = 200

/** The bytes of a signed manifest store for a file that stays as it is. */
export async function signedManifest(origin: Origin, bound: Bound, identity: Identity): Promise<Buffer> {
  const c2pa = await loadC2pa()
  const { store, manifest, sign } = await draft(c2pa, origin, bound, identity)
  if (bound.binding === 'boxes') {
    const hash = c2pa.BMFFHashAssertion.createV3('jumbf manifest', 'SHA-256')
    hash.hash = new Uint8Array(bound.sha256)
    manifest.addAssertion(hash)
  } else {
    const hash = c2pa.DataHashAssertion.create('SHA-256', 0)
    hash.hash = new Uint8Array(bound.sha256)
    manifest.addAssertion(hash)
  }
  await sign()
  return Buffer.from(store.getBytes())
}

/**
 * A PNG or JPEG file with a signed manifest inside.
 *
 * @param bytes The whole file, with its other metadata: whatever changes later breaks the seal.
 */
export async function imageWithManifest(
  bytes: Buffer,
  origin: Origin,
  bound: Pick<Bound, 'title' | 'format'>,
  identity: Identity,
): Promise<Buffer> {
  const c2pa = await loadC2pa()
  const { store, manifest, sign } = await draft(c2pa, origin, bound, identity)
  const asset = bound.format === 'image/png' ? new c2pa.PNG(bytes) : new c2pa.JPEG(bytes)
  const hash = c2pa.DataHashAssertion.create('SHA-256')
  manifest.addAssertion(hash)
  await asset.ensureManifestSpace(store.measureSize())
  await hash.updateWithAsset(asset)
  await sign()
  await asset.writeManifestJUMBF(store.getBytes())
  return Buffer.from(await asset.getDataRange())
}

/** A manifest without its binding to a file: DST was opened, then edited with a trained model. */
async function draft(
  c2pa: C2pa,
  origin: Origin,
  { title, format }: Pick<Bound, 'title' | 'format'>,
  identity: Identity,
) {
  const { tool, dst, model, consent } = origin
  const signer = await signerOf(identity)
  const store = new c2pa.ManifestStore()
  const manifest: Manifest = store.createManifest({
    claimVersion: c2pa.ClaimVersion.V2,
    assetFormat: format,
    instanceID: `xmp:iid:${randomUUID()}`,
    defaultHashAlgorithm: 'SHA-256',
    signer,
  })
  const claim = manifest.claim!
  claim.claimGeneratorName = tool.name
  claim.claimGeneratorVersion = tool.version
  claim.title = title
  manifest.signature!.signatureData.paddingLength = SPARE_BYTES + identity.certificates.join('').length

  const parent = c2pa.IngredientAssertion.createV3(c2pa.RelationshipType.ParentOf)
  parent.title = dst.name
  parent.format = dst.format
  parent.instanceID = `xmp:iid:${randomUUID()}`
  parent.metadata = { 'dfl.sha256': dst.sha256 }
  manifest.addAssertion(parent)
  const actions = new c2pa.ActionAssertion()
  actions.actions = [
    { action: c2pa.ActionType.C2paOpened, parameters: { ingredients: [manifest.createAssertionReference(parent)] } },
    {
      action: c2pa.ActionType.C2paEdited,
      digitalSourceType: DIGITAL_SOURCE_TYPE as typeof c2pa.DigitalSourceType.CompositeWithTrainedAlgorithmicMedia,
      softwareAgent: tool,
      parameters: {
        description: 'Faces were replaced by a trained model.',
        'dfl.model': model,
        ...(consent ? { 'dfl.consent': consent } : {}),
      },
    },
  ]
  manifest.addAssertion(actions)
  return { store, manifest, sign: () => manifest.sign(signer) }
}
