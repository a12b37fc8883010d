import { createHash, generateKeyPairSync } from 'node:crypto'
import { copyFile, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import {
  DIGITAL_SOURCE_TYPE,
  hashFile,
  readIdentity,
  readProvenance,
  SYNTHETIC_METADATA,
  sealFile,
  sealFolder,
  selfMadeIdentity,
} from '../src/index.js'
import { CLIP, ORIGIN, png, scratchFolder, sealIn, tiff } from './support.js'

/** A certificate as web servers get it, signed by itself; made with openssl req -x509, used nowhere. */
const SERVER = `-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIUOUMjU4IxpyBKtjcUDHISNvGXY8UwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGc2VydmVyMCAXDTI2MTEyMjIyMDUzNloYDzIxMjYxMDI5MjIw
NTM2WjARMQ8wDQYDVQQDDAZzZXJ2ZXIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AAR3BMXxFGO3E/++GvhzwfWys8g4EKjQeD57Tt5jpS2EG8PY4D3Tq7SlQnVMJR6E
qCuA39yc19ZgLm8mgfwQT5O8o1MwUTAdBgNVHQ4EFgQUr4pXExMRroXl72I14Ql7
3vXYutYwHwYDVR0jBBgwFoAUr4pXExMRroXl72I14Ql73vXYutYwDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEA7sfU4gK7UIBIeJr3+M9OH1i6VYjH
Cdm0zv21vG+FrMYCIB48cxGdgz7OtexSVtiFxsgYas8HOjt1de5iM97GHiCP
-----END CERTIFICATE-----
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgiKUSH1NhZM6rJY79
q7me4Fd9tp9FBgniI4IWTWsRlnWhRANCAAR3BMXxFGO3E/++GvhzwfWys8g4EKjQ
eD57Tt5jpS2EG8PY4D3Tq7SlQnVMJR6EqCuA39yc19ZgLm8mgfwQT5O8
-----END PRIVATE KEY-----`

const CHANGED = 'The file is not the one that was signed: it was changed since.'

/** The top-level boxes of an MP4 file, read here anew. */
function boxes(file: Buffer) {
  const found: { type: string; start: number; end: number }[] = []
  for (let start = 0; start < file.length; ) {
    const end = start + file.readUInt32BE(start)
    found.push({ type: file.toString('latin1', start + 4, start + 8), start, end })
    start = end
  }
  return found
}

/** Labels and contents of the innermost boxes of a JUMBF store. Source: ISO 19566-5 */
function* jumbf(bytes: Buffer, path = ''): Generator<[path: string, content: Buffer]> {
  let label = path
  for (let at = 0; at < bytes.length; ) {
    const end = at + bytes.readUInt32BE(at)
    const type = bytes.toString('latin1', at + 4, at + 8)
    const content = bytes.subarray(at + 8, end)
    if (type === 'jumd') label = `${path}/${content.toString('latin1', 17, content.indexOf(0, 17))}`
    else if (type === 'jumb') yield* jumbf(content, label)
    else yield [label, content]
    at = end
  }
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[at]! ^= 1
  await writeFile(path, bytes)
}

describe('sealFile', () => {
  it('puts a manifest into an MP4 file that a few lines of other code find, with the hash that they count', async () => {
    await using scratch = await scratchFolder()
    const path = scratch.at('c.mp4')
    await copyFile(CLIP, path)
    expect(await sealFile(path, await sealIn(scratch.at()))).toMatchObject({ verdict: 'intact', manifest: 'inside' })

    const file = await readFile(path)
    const original = await readFile(CLIP)
    expect(file.subarray(0, original.length).equals(original)).toBe(true)
    const all = boxes(file)
    const own = all.at(-1)!
    expect(file.toString('hex', own.start + 8, own.start + 24)).toBe('d8fec3d61b0e483c92975828877ec481')
    const parts = new Map(
      [...jumbf(file.subarray(own.start + 24 + 21, own.end))].map(([name, content]) => [
        name.split('/').at(-1),
        content,
      ]),
    )
    const actions = parts.get('c2pa.actions.v2')!.toString('latin1')
    for (const text of ['c2pa.opened', 'c2pa.edited', DIGITAL_SOURCE_TYPE, ORIGIN.model.sha256, ORIGIN.consent!.sha256])
      expect(actions).toContain(text)
    expect(parts.get('c2pa.ingredient.v3')!.toString('latin1')).toContain(ORIGIN.dst.sha256)

    const hash = createHash('sha256')
    for (const { type, start, end } of all.slice(0, -1)) {
      if (type === 'ftyp') continue
      const place = Buffer.alloc(8)
      place.writeBigUInt64BE(BigInt(start))
      hash.update(place).update(file.subarray(start, end))
    }
    expect(parts.get('c2pa.hash.bmff.v3')!.includes(hash.digest())).toBe(true)
  })

  it('reads back what was said, and by whom', async () => {
    await using scratch = await scratchFolder()
    await copyFile(CLIP, scratch.at('c.mov'))
    await sealFile(scratch.at('c.mov'), await sealIn(scratch.at()))
    const { tool, ...origin } = ORIGIN
    expect(await readProvenance(scratch.at('c.mov'))).toMatchObject({
      verdict: 'intact',
      remarks: [],
      digitalSourceType: DIGITAL_SOURCE_TYPE,
      xmp: DIGITAL_SOURCE_TYPE,
      tool: `${tool.name} ${tool.version}`,
      actions: ['c2pa.opened', 'c2pa.edited'],
      origin,
      signedBy: { selfMade: true, organisation: 'Self-made by dfl (identity not checked)' },
    })
  })

  it.each(['mp4', 'png'])('tells an edited %s from the original by one bit', async (ending) => {
    await using scratch = await scratchFolder()
    const path = scratch.at(`c.${ending}`)
    await writeFile(path, ending === 'mp4' ? await readFile(CLIP) : png())
    await sealFile(path, await sealIn(scratch.at()))
    const pictures = (await readFile(path)).indexOf(ending === 'mp4' ? 'mdat' : 'IDAT') + 9
    await flip(path, pictures)
    expect(await readProvenance(path)).toMatchObject({ verdict: 'changed', remarks: [CHANGED] })
    await flip(path, pictures)
    expect(await readProvenance(path)).toMatchObject({ verdict: 'intact' })
  })

  it('notices what is added at the end, and a manifest that was changed itself', async () => {
    await using scratch = await scratchFolder()
    const path = scratch.at('c.mp4')
    await copyFile(CLIP, path)
    await sealFile(path, await sealIn(scratch.at()))
    const sealed = await readFile(path)
    await writeFile(path, Buffer.concat([sealed, Buffer.from('0000000866726565', 'hex')]))
    expect(await readProvenance(path)).toMatchObject({ verdict: 'changed' })
    await writeFile(path, sealed)
    await flip(path, sealed.indexOf(ORIGIN.model.sha256))
    const forged = await readProvenance(path)
    expect(forged.verdict).toBe('unproven')
    expect(forged.remarks).toContain('The manifest does not hold: a part of it was changed after it was signed.')
  })

  it('seals a file again without leaving the old seal in it', async () => {
    await using scratch = await scratchFolder()
    const path = scratch.at('c.mp4')
    await copyFile(CLIP, path)
    const seal = await sealIn(scratch.at())
    await sealFile(path, seal)
    const { length } = boxes(await readFile(path))
    await sealFile(path, seal)
    expect(boxes(await readFile(path))).toHaveLength(length)
  })

  it('lays manifest and XMP beside a file that cannot hold them, under its coming name', async () => {
    await using scratch = await scratchFolder()
    await writeFile(scratch.at('c.mkv.partial.mkv'), Buffer.alloc(100_000, 7))
    const name = scratch.at('c.mkv')
    const read = await sealFile(scratch.at('c.mkv.partial.mkv'), await sealIn(scratch.at('own')), { name })
    expect(read.path).toBe(name)
    expect((await readdir(scratch.at())).sort()).toEqual(['c.c2pa', 'c.mkv.partial.mkv', 'c.xmp', 'own'])
    await copyFile(scratch.at('c.mkv.partial.mkv'), scratch.at('c.mkv'))
    expect(await readProvenance(scratch.at('c.mkv'))).toMatchObject({
      verdict: 'intact',
      manifest: scratch.at('c.c2pa'),
    })
    await flip(scratch.at('c.mkv'), 99_999)
    expect(await readProvenance(scratch.at('c.mkv'))).toMatchObject({ verdict: 'changed' })
    await rm(scratch.at('c.c2pa'))
    expect(await readProvenance(scratch.at('c.mkv'))).toMatchObject({ verdict: 'marked', xmp: DIGITAL_SOURCE_TYPE })
  })
})

describe('sealFolder', () => {
  it('marks every image, and signs the list of their hashes', async () => {
    await using scratch = await scratchFolder()
    const folder = scratch.at('frames')
    await mkdir(folder)
    await writeFile(`${folder}/000000.png`, png())
    await writeFile(`${folder}/000001.tiff`, tiff())
    await writeFile(`${folder}/timestamps.json`, '{}')
    const seal = await sealIn(scratch.at('own'))
    expect(await sealFolder(folder, seal)).toMatchObject({ verdict: 'intact', path: folder })
    const list = await readFile(`${folder}/frames.sha256`, 'utf8')
    expect(list.split('\n')[1]).toBe(`${await hashFile(`${folder}/000001.tiff`)}  000001.tiff`)
    for (const name of ['000000.png', '000001.tiff'])
      expect(await readProvenance(`${folder}/${name}`)).toMatchObject({ verdict: 'intact', xmp: DIGITAL_SOURCE_TYPE })

    await flip(`${folder}/000001.tiff`, (await stat(`${folder}/000001.tiff`)).size - 1)
    await writeFile(`${folder}/new.txt`, 'x')
    expect(await readProvenance(folder)).toMatchObject({ verdict: 'changed', changedFiles: ['000001.tiff', 'new.txt'] })
    expect(await readProvenance(`${folder}/000001.tiff`)).toMatchObject({ verdict: 'changed', remarks: [CHANGED] })
    expect(await readProvenance(`${folder}/000000.png`)).toMatchObject({ verdict: 'intact' })
    expect(await sealFolder(folder, seal)).toMatchObject({ verdict: 'intact' })
  })
})

describe('readProvenance', () => {
  it('says of a file without marks that it says nothing, and of none that there is none', async () => {
    expect(await readProvenance(CLIP)).toMatchObject({ verdict: 'silent', remarks: [] })
    await expect(readProvenance('nowhere.mp4')).rejects.toThrow(
      'Expected a file for `path`, but there is nothing at `nowhere.mp4`. Check the path.',
    )
  })
})

describe('comments of videos', () => {
  const comment = Buffer.from(`a${SYNTHETIC_METADATA.comment}g\0`)
  const box = (type: string, content: Buffer) => {
    const head = Buffer.alloc(8)
    head.writeUInt32BE(8 + content.length)
    head.write(type, 4, 'latin1')
    return Buffer.concat([head, content])
  }
  const padding = Buffer.alloc(3 * 2 ** 20, 7)
  const ftyp = box('ftyp', Buffer.from('isom'))
  const ebml = Buffer.from('1a45dfa3', 'hex')

  it.each([
    ['MP4, its index in front', [ftyp, box('moov', Buffer.concat([padding, comment])), box('mdat', padding)]],
    ['MP4, its index behind', [ftyp, box('mdat', padding), box('moov', comment)]],
    ['MKV, tags in front', [ebml, comment, padding]],
    ['MKV, tags behind', [ebml, padding, comment]],
  ])('are what is left to say where its streams were copied: %s', async (_, parts) => {
    await using folder = await scratchFolder()
    await writeFile(folder.at('copy'), Buffer.concat(parts))
    expect(await readProvenance(folder.at('copy'))).toEqual({
      path: folder.at('copy'),
      verdict: 'marked',
      digitalSourceType: DIGITAL_SOURCE_TYPE,
      remarks: ['A comment in its metadata says so, as where streams were copied into another file.'],
    })
  })

  it('are not looked for in the pictures', async () => {
    await using folder = await scratchFolder()
    await writeFile(folder.at('clip'), Buffer.concat([ftyp, box('mdat', comment), box('moov', padding)]))
    expect((await readProvenance(folder.at('clip'))).verdict).toBe('silent')
  })
})

describe('boxes made to harm', () => {
  const C2PA = 'd8fec3d61b0e483c92975828877ec481'
  /** A file that begins as MP4 files do, with a box of C2PA that claims to have so many bytes. */
  const claiming = (bytes: number, { long = false } = {}) => {
    const box = Buffer.alloc(40)
    box.writeUInt32BE(long ? 1 : bytes, 0)
    box.write('uuid', 4, 'latin1')
    if (long) box.writeBigUInt64BE(BigInt(bytes), 8)
    box.write(C2PA, long ? 16 : 8, 'hex')
    return Buffer.concat([Buffer.from('\0\0\0\x10ftypisom\0\0\0\0', 'latin1'), box])
  }

  it('are refused where they are shorter than their own head, or larger than any manifest', async () => {
    await using scratch = await scratchFolder()
    const damaged = 'Expected a whole MP4 or MOV file, but got one that is cut off or damaged.'
    await writeFile(scratch.at('short.mp4'), claiming(16))
    await expect(readProvenance(scratch.at('short.mp4'))).rejects.toThrow(damaged)
    await writeFile(scratch.at('large.mp4'), claiming(2 ** 33, { long: true }))
    await truncate(scratch.at('large.mp4'), 16 + 2 ** 33) // Sparse: takes no room.
    await expect(readProvenance(scratch.at('large.mp4'))).rejects.toThrow(damaged)
  })

  it('hold their content behind a long head, too', async () => {
    await using scratch = await scratchFolder()
    await writeFile(scratch.at('long.mp4'), claiming(40, { long: true }))
    expect(await readProvenance(scratch.at('long.mp4'))).toMatchObject({ verdict: 'unproven' })
  })
})

describe('identities', () => {
  it('makes one for this user once, which only its owner can read', async () => {
    await using scratch = await scratchFolder()
    const [first, second] = await Promise.all([selfMadeIdentity(scratch.at()), selfMadeIdentity(scratch.at())])
    expect(second.certificates).toEqual(first.certificates)
    expect(await readdir(scratch.at())).toEqual(['self-made.pem'])
    if (process.platform !== 'win32') expect((await stat(scratch.at('self-made.pem'))).mode & 0o077).toBe(0)
    await writeFile(scratch.at('self-made.pem'), 'x')
    await expect(selfMadeIdentity(scratch.at())).rejects.toThrow(
      'but it is damaged or too old. Delete it: a new one is made.',
    )
  })

  it("signs with a user's own certificate and key", async () => {
    await using scratch = await scratchFolder()
    await selfMadeIdentity(scratch.at())
    const file = scratch.at('self-made.pem')
    const identity = await readIdentity({ certificate: file, key: file })
    await writeFile(scratch.at('c.png'), png())
    expect(await sealFile(scratch.at('c.png'), { origin: ORIGIN, identity })).toMatchObject({ verdict: 'intact' })
  })

  it('refuses before the work a certificate that is none for signing media', async () => {
    await using scratch = await scratchFolder()
    await writeFile(scratch.at('server.pem'), SERVER)
    const both = { certificate: scratch.at('server.pem'), key: scratch.at('server.pem') }
    await expect(readIdentity(both)).rejects.toThrow(
      `Expected a certificate that C2PA takes for \`certificate\`, but got one in \`${both.certificate}\` that it refuses: the certificate is none for signing media (X.509 v3, signed by another than itself,`,
    )
  })

  it('refuses a key that is not the one of the certificate, and files that hold neither', async () => {
    await using scratch = await scratchFolder()
    await selfMadeIdentity(scratch.at())
    const certificate = scratch.at('self-made.pem')
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    await writeFile(scratch.at('key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
    await writeFile(scratch.at('text.pem'), 'no PEM')
    await expect(readIdentity({ certificate, key: scratch.at('key.pem') })).rejects.toThrow(
      `Expected the certificate's private key for \`key\`, but got the key of another certificate in \`${scratch.at('key.pem')}\`. Give the two that belong together.`,
    )
    await expect(readIdentity({ certificate, key: scratch.at('text.pem') })).rejects.toThrow(
      'It must be in PEM form and without a password.',
    )
    await expect(readIdentity({ certificate: scratch.at('text.pem'), key: certificate })).rejects.toThrow(
      'Expected a certificate in PEM form for `certificate`, but got none',
    )
    await expect(readIdentity({ certificate, key: scratch.at('none.pem') })).rejects.toThrow(
      `Expected a PEM file for \`key\`, but there is nothing at \`${scratch.at('none.pem')}\`. Check the path.`,
    )
  })
})
