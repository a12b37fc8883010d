import { type DflParts, type DflPlace, weightsFromDfl } from '@dfl/nn'
import { xseg } from './xseg.js'

/**
 * The weights of a DeepFaceLab XSeg under our paths.
 *
 * @param parts  The file `XSeg_256.npy`, as the part `xseg`.
 * @param options  Those of DeepFaceLab unless given.
 * @throws DflError `BAD_SHAPE` where they do not fit.
 */
export function xsegWeightsFromDfl(parts: DflParts, { resolution = 256, baseDims = 32 } = {}) {
  const map = { side: resolution / 64, channels: 8 * baseDims }
  return weightsFromDfl(xseg.build({ resolution, baseDims }).params, parts, (path): DflPlace => {
    const colours = path === 'encoder/level1/conv1/conv/weight' ? ('inputs' as const) : undefined
    const flat = /dense(\d)\/(weight|bias)$/.exec(path)
    const axis = flat?.[1] === '1' ? 0 : 1
    const laidOut = flat && !(flat[1] === '1' && flat[2] === 'bias') ? { axis: axis as 0 | 1, ...map } : undefined
    return { part: 'xseg', name: dflName(path), colours, map: laidOut }
  })
}

/** 'encoder/level1/conv2/frn/eps' → 'conv02/frn/eps', 'decoder/level6/conv1/…' → 'uconv53/…', 'decoder/level6/up/…' → 'up5/…'. */
function dflName(path: string): string {
  const [side, level = '', layer = '', ...rest] = path.split('/')
  const n = Number(/\d+$/.exec(level)?.[0]) - 1
  if (level === 'out') return `out_conv/${rest.at(-1)}`
  if (level.startsWith('dense')) return `${level}/${layer}`
  if (layer === 'up') return `up${n}/${rest.join('/')}`
  const i = Number(/\d+$/.exec(layer)![0])
  if (side === 'encoder') return `conv${n}${i}/${rest.join('/')}`
  return `uconv${n}${(n >= 3 ? 3 : 2) + 1 - i}/${rest.join('/')}`
}
