import { DflError, type FaceType, type Pixels, type Side } from '@dfl/core'
import { compile, type DeviceChoice, type State, type tf } from '@dfl/engine'
import type { FaceModel } from '@dfl/nn'

/** Faces painted as both people. All [R, R, C] float32 0..1. */
export interface Painted {
  /** The face with each identity: [R, R, 3]. */
  face: Record<Side, Pixels>
  /** Where each identity's face is: [R, R, 1]. */
  mask: Record<Side, Pixels>
}

/** A model's forward pass for both identities. */
export interface Painter extends AsyncDisposable {
  readonly resolution: number
  /**
   * @param faces  [R, R, 3] float32 0..1 each.
   * @param controls  Numbers for the model's controls; their defaults where one is left out.
   */
  paint(faces: readonly Pixels[], controls?: Readonly<Record<string, number>>): Promise<Painted[]>
}

/** A face painted with SRC's identity. All [R, R, C] float32 0..1. */
export interface Swapped {
  /** [R, R, 3] */
  face: Pixels
  /** Where SRC's decoder sees the face: [R, R, 1]. */
  mask: Pixels
  /** Where DST's decoder sees it: [R, R, 1]. */
  dstMask: Pixels
}

/** A model's forward pass for the swap alone. */
export interface SwapPainter extends AsyncDisposable {
  readonly resolution: number
  /** As `paint` of a `Painter`. */
  paint(faces: readonly Pixels[], controls?: Readonly<Record<string, number>>): Promise<Swapped[]>
}

/** How a painter runs. */
export interface PainterOptions {
  /** Faces in one pass. */
  batchSize?: number
  /** Build the present weights into the graph: faster, but blind to later training. */
  freeze?: boolean
  /** Where it runs: `cpu` by default. */
  device?: DeviceChoice
  threads?: number
}

/** A painter with the weights of a state: its present ones with `freeze`, otherwise whatever it holds at each call. */
export async function createPainter(model: FaceModel, state: State, options: PainterOptions = {}): Promise<Painter> {
  const compiled = await compilePainter(model, state, options, ['src', 'dst'])
  return {
    resolution: model.resolution,
    async paint(faces, controls) {
      const painted = await compiled.paint(faces, controls)
      return painted.map((part) => ({
        face: { src: part('face/src'), dst: part('face/dst') },
        mask: { src: part('mask/src'), dst: part('mask/dst') },
      }))
    },
    [Symbol.asyncDispose]: compiled[Symbol.asyncDispose],
  }
}

/** As `createPainter`, for merging: DST's own face is not painted, which saves nearly half the time. */
export async function createSwapPainter(
  model: FaceModel,
  state: State,
  options: PainterOptions = {},
): Promise<SwapPainter> {
  const compiled = await compilePainter(model, state, options, ['src'])
  return {
    resolution: model.resolution,
    async paint(faces, controls) {
      const painted = await compiled.paint(faces, controls)
      return painted.map((part) => ({ face: part('face/src'), mask: part('mask/src'), dstMask: part('mask/dst') }))
    },
    [Symbol.asyncDispose]: compiled[Symbol.asyncDispose],
  }
}

/** A part of what was painted of one face, by its name in the graph. */
type Part = (name: `${'face' | 'mask'}/${Side}`) => Pixels

interface CompiledPainter extends AsyncDisposable {
  paint(faces: readonly Pixels[], controls?: Readonly<Record<string, number>>): Promise<Part[]>
}

/** @param identities  Whose faces are painted; masks are of both. */
async function compilePainter(
  model: FaceModel,
  state: State,
  { batchSize = 4, freeze = true, device, threads }: PainterOptions,
  identities: readonly Side[],
): Promise<CompiledPainter> {
  const R = model.resolution
  const shapes = Object.fromEntries(Object.entries(model.params).map(([path, { shape }]) => [path, shape]))
  const controls = model.controls ?? {}
  const compiled = await compile(
    (params, { x, ...given }) => {
      const chosen = Object.fromEntries(Object.entries(controls).map(([name, { at }]) => [name, at(given[name]!)]))
      const outputs: Record<string, tf.Tensor> = {}
      const code = model.encode(params, x as tf.Tensor4D)
      for (const side of ['src', 'dst'] as const) {
        const { face, mask } = model.decode(params, code, side, chosen)
        if (identities.includes(side)) outputs[`face/${side}`] = face
        outputs[`mask/${side}`] = mask
      }
      return { outputs }
    },
    {
      state: shapes,
      inputs: { x: [batchSize, R, R, 3], ...Object.fromEntries(Object.keys(controls).map((name) => [name, []])) },
    },
    { device, threads, freeze: freeze ? state : undefined },
  )
  const paintBatch = async (faces: readonly Pixels[], values: Record<string, ArrayLike<number>>): Promise<Part[]> => {
    const x = new Float32Array(batchSize * R * R * 3)
    faces.forEach((face, i) => {
      if (face.width !== R || face.height !== R || face.channels !== 3)
        throw new DflError(
          'BAD_SHAPE',
          `Expected [${R}, ${R}, 3] for \`faces\`, but got [${face.height}, ${face.width}, ${face.channels}]. Cut faces at the model's resolution.`,
        )
      x.set(face.data, i * R * R * 3)
    })
    const out = await compiled.run(freeze ? undefined : state, { x, ...values })
    return faces.map((_, i) => (name) => {
      const channels = name.startsWith('face') ? 3 : 1
      const size = R * R * channels
      return { data: (out[name]!.data as Float32Array).slice(i * size, (i + 1) * size), width: R, height: R, channels }
    })
  }
  return {
    async paint(faces, given) {
      const chosen = Object.entries(controlsOf(model, given))
      const values = Object.fromEntries(chosen.map(([name, value]) => [name, [value]]))
      const out: Part[] = []
      for (let i = 0; i < faces.length; i += batchSize)
        out.push(...(await paintBatch(faces.slice(i, i + batchSize), values)))
      return out
    },
    [Symbol.asyncDispose]: () => compiled[Symbol.asyncDispose](),
  }
}

/**
 * A number for each control of a model: the given one, or its default.
 *
 * @throws DflError `UNKNOWN_NAME` for a control that the model does not have, `BAD_OPTION` for a number beyond its limits.
 */
export function controlsOf(
  { controls = {} }: Pick<FaceModel, 'controls'>,
  given: Readonly<Record<string, number>> = {},
): Record<string, number> {
  for (const [name, value] of Object.entries(given)) {
    const control = controls[name]
    if (!control)
      throw new DflError(
        'UNKNOWN_NAME',
        Object.keys(controls).length === 0
          ? `Expected no control, since this model has none, but got \`${name}\`. Leave it out.`
          : `Expected one of ${Object.keys(controls).join(', ')} as a control, but got \`${name}\`. This model has no other.`,
      )
    if (!(value >= control.min && value <= control.max))
      throw new DflError(
        'BAD_OPTION',
        `Expected a number between ${control.min} and ${control.max} for \`${name}\`, but got ${value}. ${control.description}`,
      )
  }
  return Object.fromEntries(Object.entries(controls).map(([name, control]) => [name, given[name] ?? control.default]))
}

/** Rows of the five-column preview: src, src→src, dst, dst→dst, dst→src (the swap). */
export interface PreviewRows {
  plain: Pixels[][]
  /** The same inside masks: the real ones for real faces, painted ones for painted faces, for the swap both people's. */
  masked: Pixels[][]
}

/**
 * The rows of the five-column preview.
 *
 * @param face  [R, R, 3] float32 0..1 faces of both sides, one for each row.
 * @param mask  [R, R, 1], where they are.
 * @param faceType  For `head` the swap is cut along SRC's mask alone: DST's head may end elsewhere.
 */
export async function previewRows(
  painter: Painter,
  face: Readonly<Record<Side, readonly Pixels[]>>,
  mask: Readonly<Record<Side, readonly Pixels[]>>,
  faceType?: FaceType,
): Promise<PreviewRows> {
  const painted = await painter.paint([...face.src, ...face.dst])
  const rows = face.src.map((src, i) => {
    const [ofSrc, ofDst] = [painted[i]!, painted[face.src.length + i]!]
    const dst = face.dst[i]!
    const plain = [src, ofSrc.face.src, dst, ofDst.face.dst, ofDst.face.src]
    const swap = faceType === 'head' ? ofDst.mask.src : product(ofDst.mask.src, ofDst.mask.dst)
    const masks = [mask.src[i]!, ofSrc.mask.src, mask.dst[i]!, ofDst.mask.dst, swap]
    return { plain, masked: plain.map((picture, k) => product(picture, masks[k]!)) }
  })
  return { plain: rows.map(({ plain }) => plain), masked: rows.map(({ masked }) => masked) }
}

/** A picture times a mask. */
const product = (picture: Pixels, { data: mask }: Pixels): Pixels => ({
  ...picture,
  data: picture.data.map((v, i) => v * mask[Math.floor(i / picture.channels)]!),
})
