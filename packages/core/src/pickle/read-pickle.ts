import { DflError } from '../errors.js'
import { byteReader } from './pickle-bytes.js'
import { type Dtype, fill, isKnownName, layOut, type NdArray } from './pickle-calls.js'

/** Plain data out of a pickle: lists, tuples and sets are arrays, dictionaries maps. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | NdArray
  | Dtype

/** What a pickle may take. */
export interface PickleLimits {
  /** Most values in all, those that stand in several places counted each time. */
  maxValues?: number
  /** Deepest nesting. */
  maxDepth?: number
}

/** A name that a pickle mentions; it is never looked up. */
interface Name {
  name: string
}

/** What stands on the stack: a value, a name, or a mark. */
type Item = PickleValue | Name | typeof MARK

const MARK = Symbol('mark')

/**
 * The plain data in a pickle of Python, protocols 0 to 5.
 *
 * A pickle is a program; this reads only the part of its language that describes data, and of calls only those by which
 * NumPy lays out arrays. Nothing that a pickle names is ever looked up, loaded or run, and it cannot make this take more
 * time or memory than its own length and `limits` allow.
 *
 * @param place What messages call it, such as a file's path.
 * @throws DflError `CORRUPT_FILE` for anything else than whole, plain data within the limits.
 *
 * Source: Python's documentation of pickletools, https://docs.python.org/3/library/pickletools.html
 */
export function readPickle(bytes: Uint8Array, place: string, limits: PickleLimits = {}): PickleValue {
  const { maxValues = 1_000_000, maxDepth = 32 } = limits
  const refuse = (got: string): never => {
    throw new DflError(
      'CORRUPT_FILE',
      `Expected plain data in the metadata of \`${place}\`, but got ${got}. Take the file from where it came from again, ` +
        'or leave it out.',
      { data: { path: place } },
    )
  }
  const value = run(bytes, maxValues, refuse)
  let left = maxValues
  const check = (item: PickleValue, depth: number): void => {
    if (depth > maxDepth) refuse(`data nested more than ${maxDepth} deep`)
    if (--left < 0) refuse(`more than ${maxValues} values`)
    if (Array.isArray(item)) for (const part of item) check(part, depth + 1)
    else if (item instanceof Map)
      for (const [key, part] of item) {
        check(key, depth + 1)
        check(part, depth + 1)
      }
  }
  check(value, 0)
  return value
}

function run(bytes: Uint8Array, maxValues: number, refuse: (got: string) => never): PickleValue {
  const { u8, u16, u32, u64, i32, f64, raw, utf8, latin1, line, long } = byteReader(bytes, refuse)
  const stack: Item[] = []
  const memo = new Map<number, Item>()

  const push = (item: Item) => {
    if (stack.length >= maxValues) refuse(`more than ${maxValues} values`)
    stack.push(item)
  }
  const pop = (): Item => (stack.length > 0 ? stack.pop()! : refuse('instructions that take what is not there'))
  const value = (item: Item): PickleValue => {
    if (item === MARK) return refuse('a mark in place of a value')
    if (isName(item)) return refuse(`'${item.name}' in place of a value`)
    return item
  }
  const popValue = () => value(pop())
  const popToMark = (): PickleValue[] => {
    const from = stack.lastIndexOf(MARK)
    if (from < 0) refuse('instructions that take what is not there')
    return stack.splice(from).slice(1).map(value)
  }
  const top = (): Item => (stack.length > 0 ? stack[stack.length - 1]! : refuse('an empty stack'))
  const append = (items: readonly PickleValue[]) => {
    const list = top()
    if (!Array.isArray(list)) return refuse('items without a list')
    if (list.length + items.length > maxValues) refuse(`more than ${maxValues} values`)
    for (const item of items) list.push(item)
  }
  const setItems = (items: readonly PickleValue[]) => {
    const map = top()
    if (!(map instanceof Map) || items.length % 2 !== 0) return refuse('items without a dictionary')
    for (let i = 0; i < items.length; i += 2) map.set(items[i]!, items[i + 1]!)
  }
  const remember = (key: number) => {
    if (memo.size >= maxValues) refuse(`more than ${maxValues} values`)
    memo.set(key, top())
  }
  const recall = (key: number) => push(memo.get(key) ?? refuse('a reference to nothing'))
  const pushName = (module: string, member: string) => {
    const name = `${module === '__builtin__' ? 'builtins' : module}.${member}`.slice(0, 200)
    if (!isKnownName(name)) refuse(`the name '${name}', which is no data and is never used`)
    push({ name })
  }
  const call = (callee: Item, args: PickleValue) => {
    if (!isName(callee) || !Array.isArray(args)) return refuse('a call of something that is no name')
    push(layOut(callee.name, args) ?? refuse(`'${callee.name}' with data it does not take`))
  }
  /** Arguments of a call may hold the name of a class, which only says what is laid out. */
  const withoutNames = (items: Item[]): PickleValue[] => items.map((item) => (isName(item) ? item.name : value(item)))
  const number = (digits: string): number => {
    const parsed = Number(digits.replace(/L$/, ''))
    return digits !== '' && Number.isFinite(parsed) ? parsed : refuse('a number that is none')
  }

  for (;;) {
    const code = String.fromCharCode(u8())
    switch (code) {
      case '\x80': // PROTO
        if (u8() > 5) refuse('a newer kind of file')
        break
      case '\x95': // FRAME
        u64()
        break
      case '.': {
        if (stack.length !== 1) refuse('instructions that leave more than one value')
        return popValue()
      }
      case '(':
        push(MARK)
        break
      case '0':
        pop()
        break
      case '1':
        popToMark()
        break
      case '2':
        push(top())
        break
      case 'N':
        push(null)
        break
      case '\x88':
        push(true)
        break
      case '\x89':
        push(false)
        break
      case 'I': {
        const digits = line()
        push(digits === '00' ? false : digits === '01' ? true : number(digits))
        break
      }
      case 'L':
      case 'F':
        push(number(line()))
        break
      case 'J':
        push(i32())
        break
      case 'K':
        push(u8())
        break
      case 'M':
        push(u16())
        break
      case '\x8a':
        push(long(u8()))
        break
      case '\x8b':
        push(long(u32()))
        break
      case 'G':
        push(f64())
        break
      case 'S': // A text in quotes, of protocol 0; it never has more than latin letters where faces are concerned.
        push(line().replace(/^(['"])(.*)\1$/, '$2'))
        break
      case 'V':
        push(line().replace(/\\u([0-9a-fA-F]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))))
        break
      case 'T':
        push(latin1(u32()))
        break
      case 'U':
        push(latin1(u8()))
        break
      case 'X':
        push(utf8(u32()))
        break
      case '\x8c':
        push(utf8(u8()))
        break
      case '\x8d':
        push(utf8(u64()))
        break
      case 'B':
        push(raw(u32()))
        break
      case 'C':
        push(raw(u8()))
        break
      case '\x8e':
      case '\x96':
        push(raw(u64()))
        break
      case ']':
      case ')':
      case '\x8f': // Lists, tuples, sets.
        push([])
        break
      case 'l':
      case 't':
      case '\x91': {
        const from = stack.lastIndexOf(MARK)
        if (from < 0) refuse('instructions that take what is not there')
        push(withoutNames(stack.splice(from).slice(1)))
        break
      }
      case '\x85':
      case '\x86':
      case '\x87': {
        const count = code.charCodeAt(0) - 0x84
        if (stack.length < count) refuse('instructions that take what is not there')
        push(withoutNames(stack.splice(stack.length - count)))
        break
      }
      case '}':
        push(new Map())
        break
      case 'd': {
        const items = popToMark()
        push(new Map())
        setItems(items)
        break
      }
      case 'a':
        append([popValue()])
        break
      case 'e':
      case '\x90':
        append(popToMark())
        break
      case 's': {
        const item = popValue()
        setItems([popValue(), item])
        break
      }
      case 'u':
        setItems(popToMark())
        break
      case 'p':
        remember(number(line()))
        break
      case 'q':
        remember(u8())
        break
      case 'r':
        remember(u32())
        break
      case '\x94':
        remember(memo.size)
        break
      case 'g':
        recall(number(line()))
        break
      case 'h':
        recall(u8())
        break
      case 'j':
        recall(u32())
        break
      case 'c': {
        const module = line()
        pushName(module, line())
        break
      }
      case '\x93': {
        const member = popValue()
        const module = popValue()
        if (typeof module !== 'string' || typeof member !== 'string') refuse('a name that is no text')
        pushName(module as string, member as string)
        break
      }
      case 'R': {
        const args = popValue()
        call(pop(), args)
        break
      }
      case 'b': {
        const state = popValue()
        if (!fill(value(top()), state)) refuse('an object with data it does not take')
        break
      }
      default:
        refuse(`an instruction that is no data (0x${code.charCodeAt(0).toString(16).padStart(2, '0')})`)
    }
  }
}

const isName = (item: Item): item is Name => typeof item === 'object' && item !== null && 'name' in item
