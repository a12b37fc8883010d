// Renders the pictures that starting weights are taught with: pairs of a random head and the one canonical head with the
// same pose, expression, light and background, as OUT/in/00000.png and OUT/canon/00000.png.
//
//   DFL_ICT_PACK=ict12.bin.br node packages/synth/scripts/render-start-heads.mjs OUT [COUNT] [START]
//
// The same numbers give the same pictures; those that are there are left, so it can be stopped and run again, and parts can
// be rendered side by side. Needs built packages: npm run build. Then: dfl extract both folders, and
// scripts/train-start-weights.mjs.
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeImage } from '@dfl/media'
import { eyesForward, loadHeadPack, renderHead, shapeOf, startHead } from '@dfl/synth'

const [out, count = '4000', start = '0'] = process.argv.slice(2)
if (!out) throw new Error('Usage: node packages/synth/scripts/render-start-heads.mjs OUT [COUNT] [START]')
const model = await loadHeadPack()
const folders = { head: join(out, 'in'), canonical: join(out, 'canon') }
for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true })
const end = Number(start) + Number(count)
for (let n = Number(start); n < end; n++) {
  const { expression, scene, ...people } = startHead(n)
  for (const [who, folder] of Object.entries(folders)) {
    const path = join(folder, `${String(n).padStart(5, '0')}.png`)
    if (existsSync(path)) continue
    const { identity, look, eyesForwardCm } = people[who]
    const shape = eyesForward(model, shapeOf(model, identity, expression), eyesForwardCm)
    const { image } = renderHead(model, shape, { look, scene })
    await writeImage(path, image)
  }
  if ((n + 1) % 100 === 0) console.log(`${n + 1 - Number(start)} of ${count} pairs`)
}
