import { DflError, type Side } from '@dfl/core'
import { type Faceset, openFaceset } from '@dfl/faceset'
import type { Workspace } from './workspace.js'

/**
 * The faces of both sides of a workspace.
 *
 * @throws DflError `NO_SUCH_FILE`, `NO_FACES` where a side was not extracted yet, with what to do; `FACE_TYPE_MISMATCH`.
 */
export async function openSides(workspace: Workspace): Promise<Record<Side, Faceset>> {
  const sides = { src: await openSide(workspace, 'src'), dst: await openSide(workspace, 'dst') }
  expectSameFaceType(workspace, sides)
  return sides
}

/** What to do about heads that have no masks of their own; nothing for all other faces. */
export async function headAdvice(sides: Readonly<Record<Side, Faceset>>): Promise<string | undefined> {
  if (sides.src.info.faceType !== 'head') return undefined
  const bare: string[] = []
  for (const side of ['src', 'dst'] as const) if (!(await hasMasks(sides[side]))) bare.push(side)
  if (bare.length === 0) return undefined
  const who = bare.map((side) => side.toUpperCase()).join(' and ')
  const find = bare.map((side) => `dfl faceset head-masks --side ${side}`).join(' and ')
  return `The heads of ${who} have no masks of their own, so only what lies inside the landmarks is swapped, without the hair. Find them: ${find}.`
}

async function hasMasks(faceset: Faceset): Promise<boolean> {
  for await (const { mask, polygons } of faceset.faces()) if (mask || polygons?.length) return true
  return false
}

async function openSide(workspace: Workspace, side: Side): Promise<Faceset> {
  const folder = workspace.faceset[side]
  const advice = `Extract them first: dfl extract --side ${side} --input <clip> --workspace ${workspace.folder}`
  const missing = (code: 'NO_SUCH_FILE' | 'NO_FACES', cause?: unknown) =>
    new DflError(code, `Expected faces of ${side.toUpperCase()} in \`${folder}\`, but got none. ${advice}`, { cause })
  const faceset = await openFaceset(folder).catch((cause) => {
    throw cause instanceof DflError && cause.code === 'NO_SUCH_FILE' ? missing('NO_SUCH_FILE', cause) : cause
  })
  if (faceset.info.count === 0) throw missing('NO_FACES')
  return faceset
}

function expectSameFaceType({ folder }: Workspace, { src, dst }: Record<Side, Faceset>): void {
  if (src.info.faceType === dst.info.faceType) return
  throw new DflError(
    'FACE_TYPE_MISMATCH',
    `Expected SRC and DST of one face type in \`${folder}\`, but got ${src.info.faceType} for SRC and ${dst.info.faceType} for DST. Extract one of them again with the other's --face-type.`,
    { data: { src: src.info.faceType, dst: dst.info.faceType } },
  )
}
