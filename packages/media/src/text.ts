import type { Bitmap, Raster } from '@dfl/core'
import { encodeImage } from './images.js'
import { loadSharp } from './sharp.js'

/** A line of text on a picture. */
export interface Label {
  text: string
  /** Left end of the text's base line, in pixels of the picture. */
  x: number
  y: number
  sizePx?: number
  /** 0..255 each. */
  rgb?: readonly [number, number, number]
}

/**
 * The picture with lines of text on it, as RGB bytes, for previews. A thin dark edge keeps them readable on anything.
 *
 * @param raster [H, W, 1 or 3]; not changed.
 */
export async function drawText(raster: Raster, labels: readonly Label[]): Promise<Bitmap> {
  const { width, height } = raster
  const lines = labels.map(({ text, x, y, sizePx = 16, rgb = [255, 255, 255] }) => {
    const style = `font-family="sans-serif" font-size="${sizePx}" fill="rgb(${rgb.join(',')})"`
    const edge = `stroke="black" stroke-opacity="0.7" stroke-width="${sizePx / 6}" paint-order="stroke"`
    return `<text x="${x}" y="${y}" ${style} ${edge}>${escaped(text)}</text>`
  })
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${lines.join('')}</svg>`
  const sharp = await loadSharp()
  const image = sharp(await encodeImage(raster, 'png')).toColourspace('srgb')
  const { data } = await image
    .composite([{ input: Buffer.from(svg) }])
    .removeAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return { data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), width, height, channels: 3 }
}

const escaped = (text: string) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`).replace(/\p{Cc}/gu, ' ')
