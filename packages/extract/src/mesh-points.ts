// Which points of MediaPipe's face mesh are what.
// Source: the mesh's published map, https://github.com/google-ai-edge/mediapipe/blob/master/mediapipe/modules/face_geometry/data/canonical_face_model_uv_visualization.png

/** Points of the mesh, without and with the irises. */
export const MESH_POINTS = 468
export const ALL_POINTS = 478

/** Outer corners of the eyes, the one on the left of an upright image first. */
export const OUTER_EYE_CORNERS = [33, 263] as const

/** The mesh point of each of the 68 landmarks, in iBUG 300-W order. */
// biome-ignore format: one row for each part of the face
export const LANDMARK_POINTS: readonly number[] = [
  127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356, // jaw
  70, 63, 105, 66, 107, // brows
  336, 296, 334, 293, 300,
  168, 197, 195, 4, // nose
  98, 97, 2, 326, 327,
  33, 160, 158, 133, 153, 144, // eyes
  362, 385, 387, 263, 373, 380,
  61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, // outer lips
  78, 81, 13, 311, 308, 402, 14, 178, // inner lips
]

/** Mesh points that the attention mesh's refined outputs replace, by the output's name. */
// biome-ignore format: lists of points
export const REFINED_POINTS: Readonly<Record<string, readonly number[]>> = {
  output_lips: [
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409, 78, 95, 88, 178, 87, 14,
    317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415, 76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306,
    184, 74, 73, 72, 11, 302, 303, 304, 408, 62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268,
    271, 272, 407,
  ],
  output_left_eye: [
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173, 130, 25, 110, 24, 23, 22, 26, 112, 243,
    247, 30, 29, 27, 28, 56, 190, 226, 31, 228, 229, 230, 231, 232, 233, 244, 113, 225, 224, 223, 222, 221, 189, 35,
    124, 46, 53, 52, 65, 143, 111, 117, 118, 119, 120, 121, 128, 245, 156, 70, 63, 105, 66, 107, 55, 193,
  ],
  output_right_eye: [
    263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398, 359, 255, 339, 254, 253, 252, 256,
    341, 463, 467, 260, 259, 257, 258, 286, 414, 446, 261, 448, 449, 450, 451, 452, 453, 464, 342, 445, 444, 443, 442,
    441, 413, 265, 353, 276, 283, 282, 295, 372, 340, 346, 347, 348, 349, 350, 357, 465, 383, 300, 293, 334, 296, 336,
    285, 417,
  ],
  output_left_iris: [468, 469, 470, 471, 472],
  output_right_iris: [473, 474, 475, 476, 477],
}
