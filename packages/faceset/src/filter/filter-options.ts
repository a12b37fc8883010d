import { defineOptions } from '@dfl/core'

/** When a face is put aside. Each test is off at the value that its sentence tells. */
export const FILTER_OPTIONS = defineOptions({
  minSize: {
    type: 'number',
    default: 32,
    min: 0,
    max: 8192,
    unit: 'px',
    description: 'Shorter side that a face has in its frame at least; 0 takes all.',
  },
  minSharpness: {
    type: 'number',
    default: 0.15,
    min: 0,
    max: 1,
    description: 'Sharpness that a face has at least, as a share of what is usual among these faces; 0 takes all.',
  },
  maxOutside: {
    type: 'number',
    default: 0.1,
    min: 0,
    max: 1,
    description: 'Share of the landmarks that may lie beyond the edge of the frame; 1 takes all.',
  },
  maxDeviation: {
    type: 'number',
    default: 0.05,
    min: 0,
    max: 1,
    description:
      'How far landmarks may lie from those of other faces of the same pose, in sides of the image; 1 takes all.',
  },
  maxOccluded: {
    type: 'number',
    default: 0.5,
    min: 0,
    max: 1,
    description: "Share of the face's outline that its own mask may leave out, where it has one; 1 takes all.",
  },
  person: {
    type: 'string',
    default: '',
    description: 'Whose faces stay, as `persons` calls them; those of nobody known stay too.',
  },
  duplicates: {
    type: 'number',
    default: 0.4,
    min: 0,
    max: 255,
    description: 'Faces that differ from a sharper one by no more gray levels than this on average go; 0 keeps all.',
  },
})
