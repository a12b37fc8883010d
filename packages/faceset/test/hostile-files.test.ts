import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDflError, Random } from '@dfl/core'
import { readPickle } from '@dfl/core/pickle'
import { describe, expect, it } from 'vitest'
import { readFaceswapHeader } from '../src/index.js'
import { fromDfl } from '../src/legacy/dfl-face.js'
import { readApp15 } from '../src/legacy/jpeg-segments.js'

const pickle = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))))
const reading = (bytes: Uint8Array) => () => readPickle(bytes, 'x.jpg')

describe('readPickle', () => {
  it('never uses what a pickle names', () => {
    expect(reading(pickle("cos\nsystem\n(S'touch /tmp/owned'\ntR."))).toThrow(
      "Expected plain data in the metadata of `x.jpg`, but got the name 'os.system', which is no data and is never used. " +
        'Take the file from where it came from again, or leave it out.',
    )
    expect(reading(pickle([0x80, 4, 0x8c, 8], 'builtins', [0x8c, 4], 'eval', [0x93], '.'))).toThrow("'builtins.eval'")
    expect(reading(pickle("(S'x'\nios\nsystem\n."))).toThrow('an instruction that is no data (0x69)')
    expect(reading(pickle('cnumpy\nndarray\n)R.'))).toThrow("'numpy.ndarray' with data it does not take")
    expect(reading(pickle('cnumpy.core.multiarray\n_reconstruct\n.'))).toThrow('in place of a value')
  })

  it('refuses bombs: shared lists that grow with each level, endless nesting, lists in themselves', () => {
    const level = (n: number) => `(${`g${n - 1}\n`.repeat(10)}lp${n}\n`
    const laughs = `(lp0\n0${Array.from({ length: 9 }, (_, i) => `${level(i + 1)}0`).join('')}g9\n.`
    expect(reading(pickle(laughs))).toThrow('more than 1000000 values')
    expect(reading(pickle(`${'('.repeat(5000)}${'l'.repeat(5000)}.`))).toThrow('nested more than 32 deep')
    expect(reading(pickle(']q\x00h\x00a.'))).toThrow('nested more than 32 deep')
    expect(reading(pickle('B\xff\xff\xff\xffx.'))).toThrow('a file that ends too early')
    expect(reading(pickle([0x8b, 0xff, 0xff, 0xff, 0x0f], '.'))).toThrow('a number of more than 64 bytes')
    expect(reading(pickle(`(${'N'.repeat(1_000_001)}l.`))).toThrow('more than 1000000 values')
  })

  it('reads what Python writes in every protocol', () => {
    // pickle.dumps({'a': [1, -2, 3.5, True, None, 'é'], 'b': (b'\x00\xff', 2**40, -2**40)}, protocol=p) of Python 3.11
    const written = [
      'KGRwMApWYQpwMQoobHAyCkkxCmFJLTIKYUYzLjUKYUkwMQphTmFW6QpwMwphc1ZiCnA0CihjX2NvZGVjcwplbmNvZGUKcDUKKFZcdTAwMDD/CnA2ClZsYXRpbjEKcDcKdHA4ClJwOQpMMTA5OTUxMTYyNzc3NkwKTC0xMDk5NTExNjI3Nzc2TAp0cDEwCnMu',
      'fXEAKFgBAAAAYXEBXXECKEsBSv7///9HQAwAAAAAAABJMDEKTlgCAAAAw6lxA2VYAQAAAGJxBChjX2NvZGVjcwplbmNvZGUKcQUoWAMAAAAAw79xBlgGAAAAbGF0aW4xcQd0cQhScQlMMTA5OTUxMTYyNzc3NkwKTC0xMDk5NTExNjI3Nzc2TAp0cQp1Lg==',
      'gAJ9cQAoWAEAAABhcQFdcQIoSwFK/v///0dADAAAAAAAAIhOWAIAAADDqXEDZVgBAAAAYnEEY19jb2RlY3MKZW5jb2RlCnEFWAMAAAAAw79xBlgGAAAAbGF0aW4xcQeGcQhScQmKBgAAAAAAAYoGAAAAAAD/h3EKdS4=',
      'gAN9cQAoWAEAAABhcQFdcQIoSwFK/v///0dADAAAAAAAAIhOWAIAAADDqXEDZVgBAAAAYnEEQwIA/3EFigYAAAAAAAGKBgAAAAAA/4dxBnUu',
      'gASVPwAAAAAAAAB9lCiMAWGUXZQoSwFK/v///0dADAAAAAAAAIhOjALDqZRljAFilEMCAP+UigYAAAAAAAGKBgAAAAAA/4eUdS4=',
      'gAWVPwAAAAAAAAB9lCiMAWGUXZQoSwFK/v///0dADAAAAAAAAIhOjALDqZRljAFilEMCAP+UigYAAAAAAAGKBgAAAAAA/4eUdS4=',
    ]
    for (const text of written) {
      const value = readPickle(Buffer.from(text, 'base64'), 'x') as Map<unknown, unknown>
      expect(value.get('a')).toEqual([1, -2, 3.5, true, null, 'é'])
      expect(value.get('b')).toEqual([Uint8Array.of(0, 255), 2 ** 40, -(2 ** 40)])
    }
  })
})

describe('mutated files', () => {
  const golden = join(import.meta.dirname, 'golden')
  const jpegs = ['dfl-00001_0.numpy1.jpg', 'dfl-00001_0.numpy2.jpg', 'dfl-00002_0.jpg'].map((name) =>
    readFileSync(join(golden, name)),
  )
  const pickles = jpegs.map((jpeg) => Buffer.from(readApp15(jpeg, 'x')!))
  const image = { filename: '00001_0.jpg', size: 64, place: 'x' }

  /** Reads bytes in every way that a file of another program is read; true when they gave data. */
  function read(bytes: Buffer, how: 'pickle' | 'jpeg' | 'png'): boolean {
    try {
      if (how === 'png') readFaceswapHeader(bytes, 'x')
      else {
        const content = how === 'jpeg' ? readApp15(bytes, 'x') : bytes
        const value = content && readPickle(content, 'x')
        if (value instanceof Map) fromDfl(value, image)
      }
      return true
    } catch (error) {
      if (isDflError(error, 'CORRUPT_FILE') && /^Expected .*, but got .+/s.test(error.message)) return false
      throw error
    }
  }

  // CI reads 100,000 of them: DFL_FUZZ_COUNT=100000
  const count = Number(process.env.DFL_FUZZ_COUNT ?? 3000)
  it(`end in data or one clear error: ${count} of them`, { timeout: 600_000 }, () => {
    const random = new Random(20241122)
    const header = Buffer.from(
      `faceswap\0\0\0\0\0{'alignments': {'x': 1, 'landmarks_xy': [[1.5, 2], (3, 4)]}, 'source': None}`,
    )
    const length = Buffer.alloc(4)
    length.writeUInt32BE(header.length)
    const png = Buffer.concat([
      Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
      length,
      Buffer.from('iTXt'),
      header,
      Buffer.alloc(20),
    ])
    const seeds = [
      ...pickles.map((bytes) => ({ bytes, how: 'pickle' as const })),
      ...jpegs.map((bytes) => ({ bytes, how: 'jpeg' as const })),
      { bytes: png, how: 'png' as const },
    ]
    let readable = 0
    for (let n = 0; n < count; n++) {
      const { bytes, how } = seeds[random.integer(seeds.length)]!
      if (read(mutated(bytes, random), how)) readable++
    }
    expect(readable).toBeGreaterThan(0)
    expect(readable).toBeLessThan(count)
  })
})

/** Bytes changed, taken out, doubled, cut off, or replaced by instructions of a pickle. */
function mutated(bytes: Buffer, random: Random): Buffer {
  const opcodes = Buffer.from(
    '()]}.0125BCGIJKLMNRSTUVXabcdefghijlpqrstu\x80\x81\x85\x8a\x8b\x8c\x8d\x8e\x8f\x91\x93\x94\x95\x96',
    'latin1',
  )
  let out = Buffer.from(bytes)
  for (let n = 1 + random.integer(6); n > 0 && out.length > 2; n--) {
    const at = random.integer(out.length)
    const length = Math.min(out.length - at, 1 + random.integer(16))
    switch (random.integer(6)) {
      case 0:
        out[at] = random.integer(256)
        break
      case 1:
        out[at]! ^= 1 << random.integer(8)
        break
      case 2:
        out[at] = opcodes[random.integer(opcodes.length)]!
        break
      case 3:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + length)])
        break
      case 4:
        out = Buffer.concat([out.subarray(0, at + length), out.subarray(at)])
        break
      default:
        if (random.chance(0.3)) out = Buffer.from(out.subarray(0, at))
    }
  }
  return out
}
