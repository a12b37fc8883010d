import { defineOptions, FACE_TYPES, type FaceType, type OptionsOf } from '@dfl/core'

/** What can be chosen when a faceset is extracted. */
export const extractOptions = defineOptions({
  side: {
    type: 'choice',
    default: 'src',
    choices: ['src', 'dst'],
    description: 'Whose footage it is: src gives the identity, dst the performance; landmarks of dst are smoothed.',
  },
  faceType: {
    type: 'choice',
    default: 'full_face',
    choices: FACE_TYPES,
    description: 'How much of the head the aligned images show.',
  },
  size: {
    type: 'number',
    default: 0,
    min: 0,
    max: 2048,
    multipleOf: 16,
    unit: 'px',
    description: 'Side of the aligned images; 0 takes 256, for whole_face 384 and for head 512.',
  },
  maxFaces: {
    type: 'number',
    default: 0,
    min: 0,
    max: 100,
    integer: true,
    description: 'The largest so many faces of each frame; 0 takes all.',
  },
  minSize: {
    type: 'number',
    default: 32,
    min: 8,
    max: 4096,
    unit: 'px',
    description: 'Faces smaller than this in the frame are left out.',
  },
  minScore: {
    type: 'number',
    default: 0.5,
    min: 0,
    max: 1,
    description: 'Faces that are less certain than this are left out.',
  },
  rotations: {
    type: 'choice',
    default: 'auto',
    choices: ['auto', 'off'],
    description: 'Look for lying and upside-down faces where no upright one is found.',
  },
  tiles: {
    type: 'choice',
    default: 'auto',
    choices: ['auto', 'on', 'off'],
    description:
      'Look at parts of the frame for small faces: auto does for large frames, in wide shots, and where nothing is found.',
  },
  detectEvery: {
    type: 'number',
    default: 8,
    min: 1,
    max: 64,
    integer: true,
    unit: 'frames',
    description: 'The detector looks at every so many frames; faces are followed in between.',
  },
  smooth: {
    type: 'choice',
    default: 'auto',
    choices: ['auto', 'on', 'off'],
    description: 'Calm the landmarks over time before faces are cut, so that nothing trembles; auto does it for dst.',
  },
  gaps: {
    type: 'choice',
    default: 'auto',
    choices: ['auto', 'fill', 'keep'],
    description:
      'Put a face that is missing in up to five frames where it must be, with a score of 0.25; auto does it for dst.',
  },
  person: {
    type: 'string',
    default: '',
    description:
      'Take the faces of this person only: the path of a picture of them, or a name that `faceset persons` gave.',
  },
  fast: {
    type: 'boolean',
    default: false,
    description:
      'Look at faces in every second frame, and put them halfway in between (short blinks get shorter); detector and identities at half the rate.',
  },
  embedEvery: {
    type: 'number',
    default: 4,
    min: 0,
    max: 1000,
    integer: true,
    unit: 'frames',
    description:
      'Store the identity of the faces of every so many frames, and where a shot begins, for sorting by person; 0 stores none.',
  },
  everyNth: {
    type: 'number',
    default: 1,
    min: 1,
    max: 10000,
    integer: true,
    unit: 'frames',
    description: 'Take every so many frames only; for long src footage.',
  },
  firstFrame: {
    type: 'number',
    default: 0,
    min: 0,
    integer: true,
    description: 'Leave out the frames before this one; they count from 0.',
  },
  lastFrame: {
    type: 'number',
    default: 0,
    min: 0,
    integer: true,
    description: 'Leave out the frames after this one; 0 leaves out none.',
  },
  debugFolder: {
    type: 'string',
    default: '',
    description: 'Also write every frame there with landmarks, outline, box and aligned square drawn in.',
  },
})

/** The values of `extractOptions`. */
export type ExtractOptions = OptionsOf<typeof extractOptions>

/** The side of aligned images, in pixels. */
export function alignedSize({ size, faceType }: Pick<ExtractOptions, 'size' | 'faceType'>): number {
  const usual: Partial<Record<FaceType, number>> = { whole_face: 384, head: 512 }
  return size > 0 ? size : (usual[faceType] ?? 256)
}
