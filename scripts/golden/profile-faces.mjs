// Renders packages/extract/test/golden/profiles.jpg and profiles.json: heads seen from the side, side by side, with their exact
// landmarks. The people are among those that the network for profiles has not learnt from; the last one is turned away.
//
//   DFL_ICT_PACK=ict12.bin.br node scripts/golden/profile-faces.mjs
//
// Needs built packages: npm run build.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const load = (name) => import(pathToFileURL(join(root, 'packages', name, 'dist/index.js')))
const [synth, { writeImage }] = await Promise.all(['synth', 'media'].map(load))

const TILE = { width: 280, height: 220 }
const HEADS = [
  { person: 1, yawDegrees: 90, pitchDegrees: 0, rollDegrees: 0 },
  { person: 2, yawDegrees: -90, pitchDegrees: 5, rollDegrees: 0 },
  { person: 7, yawDegrees: 85, pitchDegrees: -5, rollDegrees: 20 },
  { person: 9, yawDegrees: -95, pitchDegrees: 0, rollDegrees: -10 },
  { person: 1, yawDegrees: 180, pitchDegrees: 0, rollDegrees: 0 },
]

const model = await synth.loadHeadPack()
const width = TILE.width * HEADS.length
const strip = { data: new Uint8Array(width * TILE.height * 3), width, height: TILE.height, channels: 3 }
const faces = HEADS.map(({ person, ...pose }, i) => {
  const shape = synth.shapeOf(model, person, { jawOpen: 0.1 * i })
  const scene = { ...synth.USUAL_SCENE, ...TILE, pose }
  const { image, landmarks } = synth.renderHead(model, shape, { look: synth.lookOf(person), scene })
  const frontal = { yawDegrees: 0, pitchDegrees: 0, rollDegrees: 0 }
  const front = synth.landmarksOf(model, shape, { ...scene, pose: frontal })
  for (let y = 0; y < TILE.height; y++)
    strip.data.set(image.data.subarray(3 * y * TILE.width, 3 * (y + 1) * TILE.width), 3 * (y * width + i * TILE.width))
  const round = (v) => Math.round(v * 100) / 100
  return {
    ...pose,
    // In pixels of the tile.
    landmarks: landmarks.map(([x, y]) => [round(x), round(y)]),
    eyeDistance: round(Math.hypot(front[36][0] - front[45][0], front[36][1] - front[45][1])),
  }
})
const folder = join(root, 'packages/extract/test/golden')
await mkdir(folder, { recursive: true })
await writeImage(join(folder, 'profiles.jpg'), strip, { quality: 85 })
await writeFile(join(folder, 'profiles.json'), `${JSON.stringify({ tile: TILE, faces })}\n`)
