import { open, readFile, rm } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { DflError } from '@dfl/core'
import { writeFileAtomic } from '@dfl/core/files'
import { appendBox, C2PA_BOX, dropLastBoxes, isBoxFile, XMP_BOX } from './boxes.js'
import { filesIn, hashBoxes, hashBytes, hashFile } from './hash.js'
import type { Identity } from './identity.js'
import { isImage, markImage, xmpOfImage } from './image-xmp.js'
import { imageWithManifest, type Origin, signedManifest } from './manifest.js'
import { besideOf, mediaTypeOf } from './media-type.js'
import { FOLDER_LIST, isOwn, type Provenance, readProvenance } from './read-provenance.js'
import { DIGITAL_SOURCE_TYPE } from './synthetic.js'
import { sourceTypeOfXmp, syntheticXmp } from './xmp.js'

/** What a seal says, and who says it. */
export interface Seal {
  origin: Origin
  identity: Identity
}

/**
 * Makes a finished file say that it is synthetic, how it was made and who says so; reads it back, and tells what it read.
 *
 * MP4, MOV, PNG and JPEG files get XMP and a signed C2PA manifest inside. Beside every other file lie its manifest
 * (`c.mkv` → `c.c2pa`), bound to all of its bytes, and its XMP (`c.xmp`). In MP4 and MOV both stand at the end of the file,
 * so nothing has to move for them whatever its size. Seal last: programs that write the file anew drop the manifest.
 *
 * @param path Where the file is now: best under a passing name that it loses once it is sealed.
 * @param options `name`: the path that it will get, after which files beside it are named; `path` itself if not given.
 * @throws DflError `BAD_STATE` where what was written does not read back as it should; the file is then as good as unmarked.
 */
export async function sealFile(path: string, seal: Seal, { name = path }: { name?: string } = {}): Promise<Provenance> {
  const bound = { title: basename(name), format: mediaTypeOf(name) }
  const beside = [besideOf(name, '.c2pa'), besideOf(name, '.xmp')] as const
  const kind = await kindOf(path)
  if (kind === 'boxes') await sealBoxes(path, seal, bound)
  else if (kind === 'image') await sealImage(path, seal, bound)
  else {
    const sha256 = Buffer.from(await hashFile(path), 'hex')
    const manifest = await signedManifest(seal.origin, { ...bound, binding: 'whole', sha256 }, seal.identity)
    await writeFileAtomic(beside[0], manifest)
    if (bound.format !== mediaTypeOf(FOLDER_LIST)) await writeFileAtomic(beside[1], syntheticXmp())
  }
  try {
    return expectIntact(await readProvenance(path, { name }))
  } catch (error) {
    if (kind === 'other') for (const file of beside) await rm(file, { force: true })
    throw error
  }
}

/**
 * Makes a folder say that it is synthetic, and reads it back: XMP goes into every image that has none of this kind yet,
 * `frames.sha256` lists the hash of every file, as sha256sum writes and checks it, and `frames.c2pa` is the signed manifest
 * of that list.
 *
 * @throws DflError `BAD_STATE` as `sealFile` does.
 */
export async function sealFolder(folder: string, seal: Seal): Promise<Provenance> {
  const names = (await filesIn(folder)).filter((name) => !isOwn(name))
  let list = ''
  for (const name of names) list += `${await markAndHash(join(folder, name))}  ${name}\n`
  await writeFileAtomic(join(folder, FOLDER_LIST), list)
  await sealFile(join(folder, FOLDER_LIST), seal)
  return expectIntact(await readProvenance(folder))
}

/** Puts XMP into a file if it is an image without; gives its SHA-256. */
async function markAndHash(path: string): Promise<string> {
  const file = await open(path)
  const head = Buffer.alloc(16)
  await file.read(head, 0, 16, 0).finally(() => file.close())
  if (!isImage(head)) return hashFile(path)
  const bytes = await readFile(path)
  if (sourceTypeOfXmp(xmpOfImage(bytes) ?? '') === DIGITAL_SOURCE_TYPE) return hashBytes(bytes)
  const marked = markImage(bytes)
  await writeFileAtomic(path, marked)
  return hashBytes(marked)
}

async function sealBoxes(
  path: string,
  { origin, identity }: Seal,
  bound: { title: string; format: string },
): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await dropLastBoxes(file, [C2PA_BOX, XMP_BOX])
    await appendBox(file, XMP_BOX, Buffer.from(syntheticXmp()))
    const manifest = await signedManifest(
      origin,
      { ...bound, binding: 'boxes', sha256: await hashBoxes(file) },
      identity,
    )
    await appendBox(
      file,
      C2PA_BOX,
      Buffer.concat([Buffer.from('\0\0\0\0manifest\0\0\0\0\0\0\0\0\0', 'latin1'), manifest]),
    )
    await file.sync()
  } finally {
    await file.close()
  }
}

async function sealImage(
  path: string,
  { origin, identity }: Seal,
  bound: { title: string; format: string },
): Promise<void> {
  const image = await imageWithManifest(markImage(await readFile(path)), origin, bound, identity)
  await writeFileAtomic(path, image)
}

async function kindOf(path: string): Promise<'boxes' | 'image' | 'other'> {
  if (['.png', '.jpg', '.jpeg'].includes(extname(path).toLowerCase())) return 'image'
  const file = await open(path)
  try {
    const head = Buffer.alloc(16)
    await file.read(head, 0, 16, 0)
    return isBoxFile(head) ? 'boxes' : 'other'
  } finally {
    await file.close()
  }
}

function expectIntact(read: Provenance): Provenance {
  if (read.verdict === 'intact' && read.digitalSourceType !== undefined) return read
  const why = read.remarks.join(' ') || `it reads as ${read.verdict}.`
  throw new DflError(
    'BAD_STATE',
    `Expected a seal that holds in \`${read.path}\`, but got another when it was read back: ${why} Sign with another certificate, or write another format.`,
    { data: { path: read.path, verdict: read.verdict } },
  )
}
