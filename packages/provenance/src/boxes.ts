import type { FileHandle } from 'node:fs/promises'
import { broken } from './broken.js'

/** A box at the top level of an MP4 or MOV file. */
export interface Box {
  type: string
  /** Of a box of type `uuid`: which kind it is, as 32 hexadecimal digits. */
  uuid?: string
  start: number
  bytes: number
  /** Of its head, of which the kind is a part. */
  headBytes: number
}

/** The box of ISO media files that holds XMP. Source: XMP Specification Part 3 (2020), 1.2.7 */
export const XMP_BOX = 'be7acfcb97a942e89c71999491e3afac'

/** The box that holds a C2PA manifest store. Source: C2PA Technical Specification 2.1, A.5 */
export const C2PA_BOX = 'd8fec3d61b0e483c92975828877ec481'

/** Whether a file's first bytes are those of an MP4 or MOV file. */
export const isBoxFile = (bytes: Buffer) => ['ftyp', 'moov', 'wide', 'mdat'].includes(bytes.toString('latin1', 4, 8))

/** The boxes at the top level of a file, in order. Reads their heads only. Source: ISO/IEC 14496-12, 4.2 */
export async function boxesOf(file: FileHandle): Promise<Box[]> {
  const { size } = await file.stat()
  const boxes: Box[] = []
  const head = Buffer.alloc(32)
  for (let start = 0; start < size; ) {
    const { bytesRead } = await file.read(head, 0, head.length, start)
    if (bytesRead < 8) throw broken('MP4 or MOV')
    const short = head.readUInt32BE(0)
    const bytes = short === 0 ? size - start : short === 1 ? Number(head.readBigUInt64BE(8)) : short
    if (start + bytes > size) throw broken('MP4 or MOV')
    const type = head.toString('latin1', 4, 8)
    const at = short === 1 ? 16 : 8
    const headBytes = type === 'uuid' ? at + 16 : at
    if (bytes < headBytes) throw broken('MP4 or MOV')
    boxes.push({
      type,
      ...(type === 'uuid' ? { uuid: head.toString('hex', at, at + 16) } : {}),
      start,
      bytes,
      headBytes,
    })
    start += bytes
  }
  return boxes
}

/** Manifests take kilobytes, with thumbnails some megabytes; more than this is not read into memory. */
const MOST_BYTES = 2 ** 28

/** What the first box of this kind holds. */
export async function readBox(file: FileHandle, uuid: string): Promise<Buffer | undefined> {
  const box = (await boxesOf(file)).find((one) => one.uuid === uuid)
  if (!box) return undefined
  if (box.bytes > MOST_BYTES) throw broken('MP4 or MOV')
  const content = Buffer.alloc(box.bytes - box.headBytes)
  await file.read(content, 0, content.length, box.start + box.headBytes)
  return content
}

/** Puts a box of this kind at the end of a file, where nothing has to move for it. */
export async function appendBox(file: FileHandle, uuid: string, content: Uint8Array): Promise<void> {
  const { size } = await file.stat()
  const box = Buffer.alloc(24 + content.length)
  box.writeUInt32BE(box.length, 0)
  box.write('uuid', 4, 'latin1')
  box.write(uuid, 8, 'hex')
  box.set(content, 24)
  await file.write(box, 0, box.length, size)
}

/** Takes boxes of these kinds away from the end of a file: what an earlier seal put there. */
export async function dropLastBoxes(file: FileHandle, uuids: readonly string[]): Promise<void> {
  const boxes = await boxesOf(file)
  let last = boxes.length
  while (uuids.includes(boxes[last - 1]?.uuid ?? '')) last--
  if (last < boxes.length) await file.truncate(boxes[last]!.start)
}
