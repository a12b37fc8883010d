import { DflError } from '@dfl/core'

/** Plain data out of a literal: bytes are left out as null. */
export type Literal = null | boolean | number | string | Literal[] | { [name: string]: Literal }

/** Deepest nesting that is read. */
const MAX_DEPTH = 64

/**
 * The data that a text writes down as JSON, or as Python prints lists and dictionaries. Nothing in it is ever run.
 *
 * @param place What messages call it, such as a file's path.
 * @throws DflError `CORRUPT_FILE` for anything else.
 *
 * Source: The Python Language Reference, 2.4 Literals, https://docs.python.org/3/reference/lexical_analysis.html
 */
export function readLiteral(text: string, place: string): Literal {
  let at = 0
  const refuse = (got: string): never => {
    throw new DflError(
      'CORRUPT_FILE',
      `Expected plain data in the metadata of \`${place}\`, but got ${got}. Take the file from where it came from again, ` +
        'or leave it out.',
      { data: { path: place } },
    )
  }
  const space = () => {
    while (' \t\n\r'.includes(text[at] ?? 'x')) at++
  }
  const take = (token: string): boolean => {
    space()
    if (!text.startsWith(token, at)) return false
    at += token.length
    return true
  }
  const items = (end: string, depth: number): Literal[] => {
    const out: Literal[] = []
    while (!take(end)) {
      out.push(value(depth + 1))
      if (take(',')) continue
      if (!take(end)) refuse('a list that does not end')
      break
    }
    return out
  }
  const dictionary = (depth: number): Literal => {
    const out: { [name: string]: Literal } = Object.create(null)
    while (!take('}')) {
      const key = value(depth + 1)
      if (typeof key !== 'string' && typeof key !== 'number') return refuse('a dictionary with a strange key')
      if (!take(':')) refuse('a dictionary without values')
      out[key] = value(depth + 1)
      if (take(',')) continue
      if (!take('}')) refuse('a dictionary that does not end')
      break
    }
    return out
  }
  const quoted = (): string => {
    const quote = text[at++]!
    let out = ''
    for (;;) {
      const char = text[at++]
      if (char === undefined || char === '\n') return refuse('a text that does not end')
      if (char === quote) return out
      out += char === '\\' ? escaped() : char
    }
  }
  const escaped = (): string => {
    const char = text[at++] ?? refuse('a text that does not end')
    const digits = { x: 2, u: 4, U: 8 }[char]
    if (digits === undefined) return { n: '\n', r: '\r', t: '\t', 0: '\0' }[char] ?? char
    const hex = text.slice(at, at + digits)
    at += digits
    const code = /^[0-9a-fA-F]+$/.test(hex) ? Number.parseInt(hex, 16) : Number.NaN
    return code <= 0x10ffff ? String.fromCodePoint(code) : refuse('a letter that is none')
  }
  const value = (depth: number): Literal => {
    if (depth > MAX_DEPTH) refuse(`data nested more than ${MAX_DEPTH} deep`)
    if (take('{')) return dictionary(depth)
    if (take('[')) return items(']', depth)
    if (take('(')) return items(')', depth)
    space()
    const rest = text.slice(at, at + 80)
    const word = /^(True|true|False|false|None|null)\b/.exec(rest)?.[0]
    if (word) {
      at += word.length
      return word.toLowerCase() === 'true' ? true : word.toLowerCase() === 'false' ? false : null
    }
    const bytes = /^[bB](?=['"])/.test(rest)
    if (bytes) at++
    if (bytes || rest.startsWith("'") || rest.startsWith('"')) {
      const content = quoted()
      return bytes ? null : content
    }
    const digits = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?/.exec(rest)?.[0]
    if (!digits) return refuse(`'${rest.slice(0, 20)}'`)
    at += digits.length
    return Number(digits)
  }
  const out = value(0)
  space()
  if (at < text.length) refuse('more than one value')
  return out
}
