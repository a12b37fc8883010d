"""Makes packages/align/test/golden/align.json: alignment matrices by Umeyama's method with singular values.

Run: python3 scripts/golden/align.py packages/align/test/golden/align.json
Made with Python 3.11, NumPy 2.4.6. Independent of the TypeScript code: the published algorithm and the face types'
published definition (half diagonals, corners, three-point affine), not its closed form.
"""

import json
import platform
import sys

import numpy as np

TEMPLATE = np.array([
    [.000213, .106454], [.075262, .038915], [.18113, .018748], [.29077, .034489], [.393397, .077391],
    [.586856, .077391], [.689483, .034489], [.799124, .018748], [.904991, .038915], [.98004, .106454],
    [.490127, .203352], [.490127, .307009], [.490127, .409805], [.490127, .515625],
    [.36688, .587326], [.426036, .609345], [.490127, .628106], [.554217, .609345], [.613373, .587326],
    [.121737, .216423], [.187122, .178758], [.265825, .179852], [.334606, .231733], [.260918, .245099],
    [.182743, .244077], [.645647, .231733], [.714428, .179852], [.793132, .178758], [.858516, .216423],
    [.79751, .244077], [.719335, .245099], [.254149, .780233], [.726104, .780233],
])
PADDING = {"half_face": 0.0, "midfull_face": .0675, "full_face": .2109375, "whole_face": .4, "head": .7}


def umeyama(src, dst):
    """Umeyama 1991, equations 34 to 43: the similarity from src to dst as a 2x3 matrix."""
    mean_src, mean_dst = src.mean(0), dst.mean(0)
    covariance = (dst - mean_dst).T @ (src - mean_src) / len(src)
    u, d, vt = np.linalg.svd(covariance)
    s = np.ones(2)
    if np.linalg.det(u) * np.linalg.det(vt) < 0:
        s[1] = -1
    rotation = u @ np.diag(s) @ vt
    scale = (d * s).sum() / (src - mean_src).var(0).sum()
    return np.hstack([scale * rotation, (mean_dst - scale * rotation @ mean_src)[:, None]])


def apply(mat, points):
    return points @ mat[:, :2].T + mat[:, 2]


def image_to_face_mat(landmarks, face_type, size, scale=1.0):
    mat = umeyama(landmarks[[*range(17, 49), 54]], TEMPLATE)
    inverse = np.linalg.inv(np.vstack([mat, [0, 0, 1]]))[:2]
    p0, p1, p2, p3, c = apply(inverse, np.array([[0, 0], [1, 0], [1, 1], [0, 1], [.5, .5]], float))
    if face_type == "whole_face":
        c = c + .07 * (p0 - p3)
    if face_type == "head":
        x = apply(mat, landmarks)[:, 0]
        yaw = np.mean(x[[16, 15, 14]] - x[[27, 28, 29]]) - np.mean(x[[27, 28, 29]] - x[[0, 1, 2]])
        yaw *= abs(np.tanh(2 * yaw))
        c = c - (p0 - p1) * yaw / 2 + .5 * (p0 - p3)
    half = np.linalg.norm(p0 - p2) * (np.sqrt(2) * PADDING[face_type] + .5) / scale
    u, v = (p2 - p0) / np.linalg.norm(p2 - p0), (p1 - p3) / np.linalg.norm(p1 - p3)
    corners = np.array([c - u * half, c + v * half, c + u * half])
    target = np.array([[0, 0], [size, 0], [size, size]]) - .5  # edges of the pixels, not centres
    return np.linalg.solve(np.hstack([corners, np.ones((3, 1))]), target).T


def main():
    random = np.random.default_rng(20240229)
    cases = []
    for n in range(4):
        landmarks = random.uniform(-.1, 1.3, (68, 2))
        landmarks[[*range(17, 49), 54]] = TEMPLATE + random.normal(0, .02, TEMPLATE.shape)
        landmarks[:17, 0] = np.linspace(-.15 - .2 * n, 1.1 + .05 * n, 17)
        angle, size = random.uniform(-3, 3), random.uniform(60, 400)
        turn = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        landmarks = np.round(landmarks @ turn.T + random.uniform(200, 900, 2), 3)
        mats = {t: image_to_face_mat(landmarks, t, 256).ravel().tolist() for t in PADDING}
        scaled = image_to_face_mat(landmarks, "whole_face", 192, 1.15).ravel().tolist()
        cases.append({"landmarks": landmarks.tolist(), "mats256": mats, "wholeFace192Scale115": scaled})
    src, dst = random.normal(0, 5, (7, 2)).round(3), random.normal(0, 9, (7, 2)).round(3)
    mirrored = src * [-1, 1]
    similarity = {"from": src.tolist(), "to": dst.tolist(), "mat": umeyama(src, dst).ravel().tolist(),
                  "mirrored": mirrored.tolist(), "matMirrored": umeyama(src, mirrored).ravel().tolist()}
    made_with = {"python": platform.python_version(), "numpy": np.__version__}
    with open(sys.argv[1], "w") as file:
        json.dump({"madeWith": made_with, "script": "scripts/golden/align.py", "cases": cases,
                   "similarity": similarity}, file, indent=1)


main()
