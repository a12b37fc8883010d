import { open } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { writeFileAtomic } from '@dfl/core/files'
import { isVideoPath } from '@dfl/media'

/**
 * IPTC's term for footage in which a trained model replaced a part.
 *
 * Source: https://cv.iptc.org/newscodes/digitalsourcetype/
 */
export const DIGITAL_SOURCE_TYPE = 'http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia'

const SENTENCE = 'Synthetic media: faces were replaced by a trained model (dfl).'

/** What a container says of a merged video, by libav's names; containers keep those that they know. */
export const SYNTHETIC_METADATA: Readonly<Record<string, string>> = {
  comment: `${SENTENCE} Digital source type: ${DIGITAL_SOURCE_TYPE}`,
  DIGITAL_SOURCE_TYPE,
}

const XMP = `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:dc="http://purl.org/dc/elements/1.1/">
   <Iptc4xmpExt:DigitalSourceType>${DIGITAL_SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">${SENTENCE}</rdf:li></rdf:Alt></dc:description>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
`

/** The box of ISO media files that holds XMP. Source: XMP Specification Part 3, 2020, section 1.2.7 */
const XMP_UUID = Buffer.from('be7acfcb97a942e89c71999491e3afac', 'hex')

/**
 * Marks a finished result as synthetic with XMP: inside MP4 and MOV files, as `synthetic-media.xmp` in a folder of images.
 * Other containers carry `SYNTHETIC_METADATA` only. Marking twice changes nothing.
 */
export async function markAsSynthetic(path: string): Promise<void> {
  const ending = extname(path).toLowerCase()
  if (['.mp4', '.m4v', '.mov'].includes(ending)) return appendXmp(path)
  if (!isVideoPath(path)) await writeFileAtomic(join(path, 'synthetic-media.xmp'), XMP)
}

/** A box at the end of the file: players skip boxes that they do not know. */
async function appendXmp(path: string): Promise<void> {
  const text = Buffer.from(XMP)
  const box = Buffer.alloc(24 + text.length)
  box.writeUInt32BE(box.length, 0)
  box.write('uuid', 4, 'latin1')
  XMP_UUID.copy(box, 8)
  text.copy(box, 24)
  const file = await open(path, 'r+')
  try {
    const { size } = await file.stat()
    const end = Buffer.alloc(box.length)
    await file.read(end, 0, end.length, Math.max(0, size - end.length))
    if (end.equals(box)) return
    await file.write(box, 0, box.length, size)
    await file.sync()
  } finally {
    await file.close()
  }
}
