/** A value that is written as an array of NumPy. */
export interface NumpyArray {
  type: 'f4' | 'f8' | 'i4' | 'u1'
  shape: readonly number[]
  /** Row by row. */
  values: ArrayLike<number>
}

/** What can be written as a pickle. */
export type Picklable = null | number | string | NumpyArray | Picklable[] | { [name: string]: Picklable }

/**
 * Plain data as a pickle of Python 3, protocol 3: dictionaries, lists, texts, numbers (whole ones as int), NumPy arrays.
 *
 * Source: Python's documentation of pickletools; the layout of NumPy's ndarray.__reduce__
 */
export function writePickle(value: Picklable): Buffer {
  const parts: Buffer[] = [Buffer.from([0x80, 3])]
  const code = (text: string) => parts.push(Buffer.from(text, 'latin1'))
  const sized = (letter: string, bytes: Buffer) => {
    const head = Buffer.alloc(5)
    head.write(letter, 'latin1')
    head.writeUInt32LE(bytes.length, 1)
    parts.push(head, bytes)
  }
  const text = (content: string) => sized('X', Buffer.from(content, 'utf8'))
  const integer = (number: number) => {
    const bytes = Buffer.alloc(5)
    bytes.write('J', 'latin1')
    bytes.writeInt32LE(number, 1)
    parts.push(bytes)
  }
  const float = (number: number) => {
    const bytes = Buffer.alloc(9)
    bytes.write('G', 'latin1')
    bytes.writeDoubleBE(number, 1)
    parts.push(bytes)
  }
  const array = ({ type, shape, values }: NumpyArray) => {
    // _reconstruct(ndarray, (0,), b'b'), then its state: (1, shape, dtype, False, the bytes).
    code('cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85')
    sized('B', Buffer.from('b'))
    code('tR(K\x01(')
    for (const side of shape) integer(side)
    code('tcnumpy\ndtype\n(')
    text(type)
    code('K\x00K\x01tR(K\x03')
    text(type === 'u1' ? '|' : '<')
    code('NNN')
    integer(-1)
    integer(-1)
    code('K\x00tb\x89')
    sized('B', bytesOf(type, values))
    code('tb')
  }
  const write = (item: Picklable) => {
    if (item === null) code('N')
    else if (typeof item === 'string') text(item)
    else if (typeof item === 'number')
      if (Number.isInteger(item) && Math.abs(item) < 2 ** 31) integer(item)
      else float(item)
    else if (Array.isArray(item)) {
      code('](')
      for (const part of item) write(part)
      code('e')
    } else if (isArray(item)) array(item)
    else {
      code('}(')
      for (const [name, part] of Object.entries(item)) {
        text(name)
        write(part)
      }
      code('u')
    }
  }
  write(value)
  code('.')
  return Buffer.concat(parts)
}

const isArray = (item: object): item is NumpyArray => 'values' in item && 'shape' in item && 'type' in item

function bytesOf(type: NumpyArray['type'], values: ArrayLike<number>): Buffer {
  const width = Number(type.slice(1))
  const out = Buffer.alloc(values.length * width)
  for (let i = 0; i < values.length; i++)
    if (type === 'f4') out.writeFloatLE(values[i]!, i * 4)
    else if (type === 'f8') out.writeDoubleLE(values[i]!, i * 8)
    else if (type === 'i4') out.writeInt32LE(values[i]!, i * 4)
    else out[i] = values[i]!
  return out
}
