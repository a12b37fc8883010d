import { describe, expect, it } from 'vitest'
import { DIGITAL_SOURCE_TYPE, markImage, sourceTypeOfXmp, syntheticXmp, xmpOfImage } from '../src/index.js'
import { exr, jpeg, png, pngChunk, tiff, webp } from './support.js'

const RIGHTS = `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" e:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"><dc:rights>Ada</dc:rights></rdf:Description>
</rdf:RDF></x:xmpmeta><?xpacket end="w"?>`

describe('syntheticXmp', () => {
  it("names IPTC's term for a composite with the work of a trained model", () => {
    expect(sourceTypeOfXmp(syntheticXmp())).toBe(DIGITAL_SOURCE_TYPE)
  })

  it('keeps the rights of a packet that is there, and replaces its source type', () => {
    expect(sourceTypeOfXmp(RIGHTS)).toMatch(/digitalCapture$/)
    const xmp = syntheticXmp(RIGHTS)
    expect(sourceTypeOfXmp(xmp)).toBe(DIGITAL_SOURCE_TYPE)
    expect(xmp).toContain('<dc:rights>Ada</dc:rights>')
    expect(xmp).not.toContain('digitalCapture')
    expect(syntheticXmp(xmp)).toBe(xmp)
  })
})

describe('markImage', () => {
  const images = {
    png: png(),
    jpeg: jpeg(),
    webp: webp(),
    exr: exr(),
    tiff: tiff(),
    'big-endian tiff': tiff({ little: false }),
  }

  it.each(Object.entries(images))('puts XMP into a %s, and finds it again', (_, image) => {
    expect(xmpOfImage(image)).toBeUndefined()
    const marked = markImage(image)
    expect(sourceTypeOfXmp(xmpOfImage(marked)!)).toBe(DIGITAL_SOURCE_TYPE)
    expect(xmpOfImage(markImage(marked))).toBe(xmpOfImage(marked))
    expect(markImage(marked).toString('latin1').split('<x:xmpmeta').length).toBeLessThanOrEqual(
      image === images.tiff || image === images['big-endian tiff'] ? 3 : 2,
    )
  })

  it('leaves every other byte of a PNG as it was', () => {
    const own = pngChunk('iCCP', Buffer.from('profile'))
    const image = png(own)
    const marked = markImage(image)
    const at = marked.indexOf('iTXt') - 4
    const length = marked.readUInt32BE(at) + 12
    expect(Buffer.concat([marked.subarray(0, at), marked.subarray(at + length)])).toEqual(image)
  })

  it('moves nothing in a TIFF: the samples stay where the directory says', () => {
    const image = tiff()
    const marked = markImage(image)
    expect(marked.subarray(8, image.length)).toEqual(image.subarray(8))
    const directory = marked.readUInt32LE(4)
    const tags = Array.from({ length: marked.readUInt16LE(directory) }, (_, i) =>
      marked.readUInt16LE(directory + 2 + 12 * i),
    )
    expect(tags).toEqual([256, 257, 258, 259, 262, 273, 278, 279, 700])
  })

  it("leads OpenEXR's table to the same blocks, and keeps the other attributes", () => {
    const marked = markImage(exr())
    const blocks = marked.indexOf('first block')
    expect(Number(marked.readBigUInt64LE(blocks - 16))).toBe(blocks)
    expect(Number(marked.readBigUInt64LE(blocks - 8))).toBe(marked.indexOf('second block'))
    expect(marked.includes('owner\0string\0')).toBe(true)
  })

  it('tells readers of WebP the size of the picture and that there is XMP', () => {
    const marked = markImage(webp())
    expect(marked.readUInt32LE(4)).toBe(marked.length - 8)
    expect(marked.toString('latin1', 12, 16)).toBe('VP8X')
    expect([marked[20], marked.readUIntLE(24, 3), marked.readUIntLE(27, 3)]).toEqual([4, 2, 4])
  })

  it('puts XMP behind the segment that a JPEG begins with', () => {
    const marked = markImage(jpeg())
    expect(marked.subarray(0, 20)).toEqual(jpeg().subarray(0, 20))
    expect(marked.readUInt16BE(20)).toBe(0xffe1)
    expect(marked.subarray(-16)).toEqual(jpeg().subarray(-16))
  })

  it('refuses what is no image, and what is cut off', () => {
    expect(() => markImage(Buffer.from('a text that is no image'))).toThrow(
      'Expected a PNG, JPEG, TIFF, WebP, OpenEXR image, but got another file. Choose one of these formats.',
    )
    expect(() => markImage(png().subarray(0, 40))).toThrow(
      'Expected a whole PNG file, but got one that is cut off or damaged. Write it again.',
    )
  })
})
