import { readFile } from 'node:fs/promises'
import { brotliDecompressSync } from 'node:zlib'
import { DflError } from '@dfl/core'
import { type Expression, type HeadModel, headModel } from './head-model.js'

/** The variable of the environment that says where a pack of heads is. */
export const PACK_VARIABLE = 'DFL_ICT_PACK'

interface Header {
  /** cm per step of the stored integers. */
  Q: number
  /** Vertices, triangles, people. */
  nv: number
  nt: number
  ids: number
  /** Names of expressions and how many vertices each moves. */
  expr: readonly (readonly [name: string, vertices: number])[]
  lmk: readonly number[]
  uv?: boolean
}

/**
 * The heads in a pack: people and expressions of ICT-FaceKit, trimmed and quantised.
 *
 * @param path A `.bin`, or a `.br` of it; `DFL_ICT_PACK` of the environment if not given.
 * @throws DflError `NO_SUCH_FILE` when there is no pack, `CORRUPT_FILE` when it is something else.
 * Source: Li et al. 2020, ICT-FaceKit, https://github.com/ICT-VGL/ICT-FaceKit (MIT)
 */
export async function loadHeadPack(path = process.env[PACK_VARIABLE]): Promise<HeadModel> {
  const bytes = await readFile(path ?? '').catch((cause) => {
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected a pack of heads for \`path\`, but got ${path === undefined ? 'none' : `\`${path}\``}. Set ${PACK_VARIABLE} to the path of a trimmed ICT-FaceKit pack, such as ict12.bin.br.`,
      { data: { path }, cause },
    )
  })
  try {
    return readHeadPack(path!.endsWith('.br') ? brotliDecompressSync(bytes) : bytes)
  } catch (cause) {
    throw new DflError(
      'CORRUPT_FILE',
      `Expected a pack of heads in \`${path}\`, but got something else. Make the pack again.`,
      { data: { path }, cause },
    )
  }
}

/** The heads in the bytes of a pack: a header of JSON, then vertices, people, triangles and expressions. */
export function readHeadPack(bytes: Uint8Array): HeadModel {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headerLength = view.getUint32(0, true)
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + headerLength))) as Header
  let at = 4 + headerLength
  const take = (length: number) => {
    if (at + length > bytes.length) throw new RangeError('The pack ends early.')
    // Copied, because a header of any length leaves what follows at odd places.
    const start = bytes.byteOffset + at
    at += length
    return bytes.buffer.slice(start, start + length) as ArrayBuffer
  }
  const lengths = (count: number) => Float32Array.from(new Int16Array(take(2 * count)), (step) => step * header.Q)
  const rest = lengths(3 * header.nv)
  const identities = Array.from({ length: header.ids }, () => {
    const shape = lengths(3 * header.nv)
    for (let i = 0; i < shape.length; i++) shape[i] += rest[i]
    return shape
  })
  const triangles = new Uint16Array(take(6 * header.nt))
  const materials = new Uint8Array(take(header.nt))
  if (header.uv) take(12 * header.nt)
  const expressions: Record<string, Expression> = {}
  for (const [name, count] of header.expr)
    expressions[name] = { vertices: new Uint16Array(take(2 * count)), offsets: lengths(3 * count) }
  return headModel({ rest, identities, triangles, materials, expressions, landmarks: header.lmk })
}
