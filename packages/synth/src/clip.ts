import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Landmarks } from '@dfl/core'
import { exists, writeFileAtomic } from '@dfl/core/files'
import { bitmapFrame, createVideo, type VideoInfo } from '@dfl/media'
import { type HeadModel, type Identity, shapeOf } from './head-model.js'
import type { Look } from './look.js'
import { type Moment, type PerformanceRange, performance } from './performance.js'
import { landmarksOf, type RenderedHead, renderHead } from './render-head.js'
import { type Scene, USUAL_SCENE } from './scene.js'
import { hum } from './tone.js'

/** Everything that decides a clip: the same description gives the same frames. */
export interface ClipSpec {
  identity: Identity
  look: Look
  /** Which performance. */
  seed: number
  range: PerformanceRange
  frames: number
  /** Whole frames a second. */
  fps: number
  /** Camera, light and background; the lamp goes around with the performance. */
  scene: Omit<Scene, 'pose' | 'shiftCm'>
}

/** What is known of one frame of a clip. */
export interface ClipTruth {
  /** 68 points in pixels of the frame, iBUG 300-W order. */
  lm68: Landmarks
  pose: Scene['pose']
  lightDegrees: number
}

const LAMP_UP = 0.5
const LAMP_NEAR = 0.9

/** What the head does in a frame, and the scene it does it in. */
export function momentOf(spec: ClipSpec, frame: number): { moment: Moment; scene: Scene } {
  const moment = performance(spec.seed, spec.range)(frame / spec.fps)
  const around = (moment.lightDegrees * Math.PI) / 180
  const direction = [LAMP_NEAR * Math.sin(around), LAMP_UP, LAMP_NEAR * Math.cos(around)] as const
  const scene = {
    ...spec.scene,
    light: { ...spec.scene.light, direction },
    pose: moment.pose,
    shiftCm: moment.shiftCm,
  }
  return { moment, scene }
}

/** One frame of a clip, rendered. */
export function renderFrame(model: HeadModel, spec: ClipSpec, frame: number): RenderedHead {
  const { moment, scene } = momentOf(spec, frame)
  return renderHead(model, shapeOf(model, spec.identity, moment.weights), { look: spec.look, scene })
}

/** What is true of one frame of a clip, without rendering it. */
export function truthOf(model: HeadModel, spec: ClipSpec, frame: number): ClipTruth {
  const { moment, scene } = momentOf(spec, frame)
  const landmarks = landmarksOf(model, shapeOf(model, spec.identity, moment.weights), scene)
  const round = (v: number) => Math.round(100 * v) / 100
  return {
    lm68: landmarks.map(([x, y]) => [round(x), round(y)] as const),
    pose: {
      yawDegrees: round(moment.pose.yawDegrees),
      pitchDegrees: round(moment.pose.pitchDegrees),
      rollDegrees: round(moment.pose.rollDegrees),
    },
    lightDegrees: round(moment.lightDegrees),
  }
}

/**
 * Writes a clip as `<path>.mp4`, with a hum that follows the mouth, and what is true of it as `<path>.json`; walk it, a
 * report comes after each frame. A clip that is there and has the same description is left as it is.
 */
export async function* writeClip(
  model: HeadModel,
  spec: ClipSpec,
  path: string,
): AsyncGenerator<{ done: number; total: number }> {
  const madeFrom = JSON.stringify(spec)
  if ((await exists(`${path}.mp4`)) && (await readMadeFrom(`${path}.json`)) === madeFrom) return
  const truths = Array.from({ length: spec.frames }, (_, frame) => truthOf(model, spec, frame))
  const sound = await mkdtemp(join(tmpdir(), 'dfl-synth-'))
  try {
    const audioFrom = join(sound, 'hum.wav')
    const opening = truths.map((_, frame) => momentOf(spec, frame).moment.weights.jawOpen ?? 0)
    await writeFile(audioFrom, hum(opening, spec.fps, 110 + 13 * (spec.seed % 7)))
    const like = infoOf(`${path}.mp4`, spec)
    await using video = await createVideo(`${path}.mp4`, { like, audioFrom, crf: 14, preset: 'medium' })
    for (let index = 0; index < spec.frames; index++) {
      const { image } = renderFrame(model, spec, index)
      await video.write(
        bitmapFrame(image, { index, pts: index, timeBase: like.timeBase, name: `${path}.mp4#${index}` }),
      )
      yield { done: index + 1, total: spec.frames }
    }
    await video.finish()
  } finally {
    await rm(sound, { recursive: true, force: true })
  }
  const { width, height } = spec.scene
  const record = { madeFrom, fps: spec.fps, size: [width, height], frames: truths }
  await writeFileAtomic(`${path}.json`, JSON.stringify(record))
}

async function readMadeFrom(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').then(
    (text) => (JSON.parse(text) as { madeFrom?: string }).madeFrom,
    () => undefined,
  )
}

/** A clip as `createVideo` is told about it. */
function infoOf(path: string, { fps, frames, scene }: ClipSpec): VideoInfo {
  return {
    path,
    width: scene.width,
    height: scene.height,
    rotationDegrees: 0,
    sampleAspectRatio: { num: 1, den: 1 },
    frameRate: { num: fps, den: 1 },
    variableFrameRate: false,
    frameCount: frames,
    frameCountIsEstimate: false,
    durationSeconds: frames / fps,
    timeBase: { num: 1, den: fps },
    codec: 'h264',
    pixelFormat: 'yuv420p',
    bitDepth: 8,
    color: { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', range: 'limited' },
    chromaSite: 'left',
    audio: [],
    metadata: {},
  }
}

/** A camera, light and background as clips have when nothing else is said. */
export const usualScene = (change: Partial<ClipSpec['scene']> = {}): ClipSpec['scene'] => {
  const { pose: _, shiftCm: __, ...scene } = USUAL_SCENE
  return { ...scene, ...change }
}
