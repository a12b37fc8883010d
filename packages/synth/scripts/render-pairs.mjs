// Renders pairs of clips whose true swap is known, for the quality benchmark and for looking at.
//
//   DFL_ICT_PACK=ict12.bin.br node packages/synth/scripts/render-pairs.mjs OUT [NAME ...]
//
// Without names all pairs of RENDERED_PAIRS. Clips that are there are left as they are. Needs built packages: npm run build.
import { loadHeadPack, RENDERED_PAIRS, writePair } from '@dfl/synth'

const [out, ...names] = process.argv.slice(2)
if (!out) throw new Error('Usage: node packages/synth/scripts/render-pairs.mjs OUT [NAME ...]')
const unknown = names.filter((name) => !RENDERED_PAIRS.some((pair) => pair.name === name))
if (unknown.length > 0)
  throw new Error(
    `Expected some of ${RENDERED_PAIRS.map(({ name }) => name).join(', ')}, but got ${unknown.join(', ')}.`,
  )
const model = await loadHeadPack()
for (const pair of RENDERED_PAIRS) {
  if (names.length > 0 && !names.includes(pair.name)) continue
  for await (const { clip, done, total } of writePair(model, pair, out))
    if (done === total) console.log(`${pair.name}-${clip}: ${total} frames`)
}
