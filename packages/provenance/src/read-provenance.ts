import { type FileHandle, open, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { DflError } from '@dfl/core'
import { C2PA_BOX, isBoxFile, readBox, XMP_BOX } from './boxes.js'
import { loadC2pa } from './c2pa.js'
import { filesIn, hashBoxes, hashFile, hashWithout } from './hash.js'
import { isImage, xmpOfImage } from './image-xmp.js'
import { isJpeg } from './jpeg-xmp.js'
import { besideOf } from './media-type.js'
import { isPng } from './png-xmp.js'
import { type ReadManifest, readManifest } from './read-manifest.js'
import { sourceTypeOfVideo } from './video-metadata.js'
import { sourceTypeOfXmp } from './xmp.js'

/**
 * What a file turns out to be. `intact`: signed, and every byte as it was then. `changed`: signed, and edited since.
 * `unproven`: there is a manifest, but it is damaged, forged, or bound in a way that is not known here. `marked`: nothing is
 * signed, but metadata names a source type. `silent`: it says nothing.
 */
export type Verdict = 'intact' | 'changed' | 'unproven' | 'marked' | 'silent'

/** What a file says of itself, and whether that holds. */
export interface Provenance extends Partial<Omit<ReadManifest, 'binding' | 'faults' | 'notes'>> {
  /** Of the file; of one that is sealed under a passing name, the path that it gets. */
  path: string
  verdict: Verdict
  /** Sentences about what is wrong, or should be known. */
  remarks: string[]
  /** Where the manifest is: in the file itself, or in the file named. */
  manifest?: 'inside' | (string & {})
  /** IPTC's term, by the manifest, else by XMP, else by a comment of a video. */
  digitalSourceType?: string
  /** The source type that XMP names, where the file has XMP. */
  xmp?: string
  /** Of a folder: files that were changed, are gone, or were added since it was signed. */
  changedFiles?: string[]
}

/** The list of hashes by which a folder is signed, as sha256sum writes and checks it. */
export const FOLDER_LIST = 'frames.sha256'

const COMMENT_ONLY = 'A comment in its metadata says so, as where streams were copied into another file.'

const CHANGED = 'The file is not the one that was signed: it was changed since.'

/** The largest image that is read as a whole to find its manifest. */
const MOST_IMAGE_BYTES = 2 ** 31 - 1

/**
 * What a file, or a folder that `sealFolder` signed, says about where it comes from. Reads videos in blocks, so any size
 * will do.
 *
 * Whether the signer can be trusted is for people to decide: certificates are checked against each other and the manifest,
 * not against a list of authorities.
 *
 * @param options `name`: the path after which files beside it are named, where it is not `path` itself.
 * @throws DflError `NO_SUCH_FILE`.
 */
export async function readProvenance(path: string, { name = path }: { name?: string } = {}): Promise<Provenance> {
  const found = await stat(path).catch((cause) => {
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected a file for \`path\`, but there is nothing at \`${path}\`. Check the path.`,
      { data: { path }, cause },
    )
  })
  if (found.isDirectory()) return readFolder(path)
  const file = await open(path)
  try {
    const head = Buffer.alloc(16)
    await file.read(head, 0, 16, 0)
    const { store, gap, xmp } = await contentOf(file, head, found.size)
    const packet = xmp ?? (await readIfThere(besideOf(name, '.xmp')))?.toString('utf8')
    const named = packet === undefined ? undefined : sourceTypeOfXmp(packet)
    const own = { path: name, ...(named === undefined ? {} : { xmp: named, digitalSourceType: named }) }
    if (store) return { ...own, ...(await judge(file, store, gap)), manifest: 'inside' }
    const beside = besideOf(name, '.c2pa')
    const outside = await readIfThere(beside)
    if (outside) return { ...own, ...(await judge(file, outside)), manifest: beside }
    if (named !== undefined) return { ...own, verdict: 'marked', remarks: [], ...(await inList(path)) }
    const digitalSourceType = await sourceTypeOfVideo(file, head)
    if (digitalSourceType) return { ...own, digitalSourceType, verdict: 'marked', remarks: [COMMENT_ONLY] }
    return { ...own, verdict: 'silent', remarks: [], ...(await inList(path)) }
  } finally {
    await file.close()
  }
}

interface Content {
  store?: Buffer
  xmp?: string
  /** Of an image: the stretch that holds the manifest, the only one that its hash may leave out. */
  gap?: { start: number; length: number }
}

async function contentOf(file: FileHandle, head: Buffer, size: number): Promise<Content> {
  if (isBoxFile(head)) {
    const [store, xmp] = [await readBox(file, C2PA_BOX), await readBox(file, XMP_BOX)]
    // Version and flags, the purpose 'manifest' with its end, and the place of a Merkle box.
    return { store: store?.subarray(4 + 9 + 8), xmp: xmp?.toString('utf8') }
  }
  if (size > MOST_IMAGE_BYTES || !isImage(head)) return {}
  const bytes = Buffer.alloc(size)
  await file.read(bytes, 0, size, 0)
  const xmp = xmpOfImage(bytes)
  if (!isPng(head) && !isJpeg(head)) return { xmp }
  const c2pa = await loadC2pa()
  const asset = isPng(head) ? new c2pa.PNG(bytes) : new c2pa.JPEG(bytes)
  const store = asset.getManifestJUMBF()
  return store ? { store: Buffer.from(store), xmp, gap: asset.getHashExclusionRange() } : { xmp }
}

type Judged = Omit<Provenance, 'path' | 'manifest' | 'xmp'>

/** Whether a manifest is sound, and the file the one that it was made for. */
async function judge(file: FileHandle, store: Buffer, gap?: Content['gap']): Promise<Judged> {
  const { binding, faults, notes, ...said } = await readManifest(store)
  const judged = (verdict: Verdict, ...remarks: string[]) => ({ ...said, verdict, remarks: [...remarks, ...notes] })
  if (faults.length > 0) return judged('unproven', ...faults.map((fault) => `The manifest does not hold: ${fault}.`))
  const fits = binding?.kind === 'ranges' ? binding.gaps.every((one) => same(one, gap)) : binding !== undefined
  if (!binding || !fits) return judged('unproven', 'The manifest is bound to the file in a way that is not known here.')
  const now = binding.kind === 'boxes' ? await hashBoxes(file) : await hashWithout(file, binding.gaps)
  if (now.equals(binding.sha256)) return judged('intact')
  return judged('changed', CHANGED)
}

const same = (a: { start: number; length: number }, b: Content['gap']) => a.start === b?.start && a.length === b.length

/** What the signed list of a folder says of a file in it; nothing where there is none, or the file is not in it. */
async function inList(path: string): Promise<Partial<Omit<Provenance, 'path'>>> {
  const list = join(dirname(path), FOLDER_LIST)
  const wanted =
    basename(path) === FOLDER_LIST ? undefined : parseList((await readIfThere(list)) ?? '').get(basename(path))
  if (!wanted) return {}
  const { path: _, ...signed } = await readProvenance(list)
  if (signed.verdict !== 'intact' || (await hashFile(path)) === wanted) return signed
  return { ...signed, verdict: 'changed', remarks: [CHANGED] }
}

async function readFolder(folder: string): Promise<Provenance> {
  const text = await readIfThere(join(folder, FOLDER_LIST))
  if (text === undefined)
    return { path: folder, verdict: 'silent', remarks: [`There is no ${FOLDER_LIST} in the folder.`] }
  const signed = { ...(await readProvenance(join(folder, FOLDER_LIST))), path: folder }
  if (signed.verdict !== 'intact') return signed
  const list = parseList(text)
  const there = (await filesIn(folder)).filter((name) => !isOwn(name))
  const changedFiles = there.filter((name) => !list.has(name))
  for (const [name, sha256] of list)
    if (!there.includes(name) || (await hashFile(join(folder, name))) !== sha256) changedFiles.push(name)
  if (changedFiles.length === 0) return signed
  const { length } = changedFiles
  const what = length === 1 ? '1 file was changed, is gone or was' : `${length} files were changed, are gone or were`
  const remarks = [`${what} added since the folder was signed.`]
  return { ...signed, verdict: 'changed', remarks, changedFiles: changedFiles.sort() }
}

/** Whether a file of a folder is the list or the manifest itself. */
export const isOwn = (name: string) => name === FOLDER_LIST || name === besideOf(FOLDER_LIST, '.c2pa')

const parseList = (text: Buffer | string) =>
  new Map(
    [...text.toString().matchAll(/^([0-9a-f]{64}) [ *](.+)$/gm)].map(([, sha256, name]) => [name!, sha256!] as const),
  )

const readIfThere = (path: string): Promise<Buffer | undefined> =>
  readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
    return undefined
  })
