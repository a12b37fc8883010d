import { DIGITAL_SOURCE_TYPE, SYNTHETIC_SENTENCE } from './synthetic.js'

const IPTC_EXTENSION = 'http://iptc.org/std/Iptc4xmpExt/2008-02-29/'

const STATEMENT = `  <rdf:Description rdf:about="" xmlns:Iptc4xmpExt="${IPTC_EXTENSION}">
   <Iptc4xmpExt:DigitalSourceType>${DIGITAL_SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>
  </rdf:Description>
`

const DESCRIPTION = `  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">${SYNTHETIC_SENTENCE}</rdf:li></rdf:Alt></dc:description>
  </rdf:Description>
`

const PACKET = `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
${STATEMENT}${DESCRIPTION} </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
`

/**
 * An XMP packet that says the media is a composite with the work of a trained model.
 *
 * @param existing A packet that the file has: rights, names and all else in it stay, another source type is replaced.
 * Source: XMP Specification Part 1 (ISO 16684-1:2019); IPTC Photo Metadata Standard, Digital Source Type.
 */
export function syntheticXmp(existing?: string): string {
  const end = existing?.lastIndexOf('</rdf:RDF>') ?? -1
  if (existing === undefined || end < 0) return PACKET
  if (sourceTypeOfXmp(existing) === DIGITAL_SOURCE_TYPE) return existing
  const without = (text: string) =>
    text
      .replace(/\s*<(\w+):DigitalSourceType\b[^>]*>[\s\S]*?<\/\1:DigitalSourceType>/g, '')
      .replace(/\s\w+:DigitalSourceType\s*=\s*(["'])[\s\S]*?\1/g, '')
  return `${without(existing.slice(0, end))}${STATEMENT} ${existing.slice(end)}`
}

/** The digital source type that an XMP packet names, written as an element or as an attribute; nothing where it names none. */
export function sourceTypeOfXmp(xmp: string): string | undefined {
  const element = /<(\w+):DigitalSourceType\b[^>]*>\s*([^<\s]+)\s*<\/\1:DigitalSourceType>/.exec(xmp)?.[2]
  return element ?? /\s\w+:DigitalSourceType\s*=\s*["']\s*([^"'\s]+)\s*["']/.exec(xmp)?.[1]
}
