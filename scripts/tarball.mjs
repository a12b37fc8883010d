import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** The files of an npm tarball: path inside the package → contents. */
export function readTarball(tgz) {
  const tar = gunzipSync(tgz)
  const files = new Map()
  let longName
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const field = (from, length) => tar.toString('utf8', at + from, at + from + length).split('\0')[0]
    const size = Number.parseInt(field(124, 12), 8)
    const contents = tar.subarray(at + 512, at + 512 + size)
    const kind = field(156, 1)
    // A pax header ('x') gives the long name of the entry after it.
    if (kind === 'x') longName = contents.toString('utf8').match(/\d+ path=(.*)\n/)?.[1]
    else {
      const name = longName ?? [field(345, 155), field(0, 100)].filter(Boolean).join('/')
      if (kind === '0' || kind === '') files.set(name.replace(/^package\//, ''), contents)
      longName = undefined
    }
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}

/** Writes such files into a folder. */
export function writeFiles(files, dir) {
  for (const [path, contents] of files) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), contents)
  }
}
