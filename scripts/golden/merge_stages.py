"""Golden numbers for stages of @dfl/merge: sharpen, denoise, feather and the average of steadyMask, by their formulas.

    pip install numpy && python scripts/golden/merge_stages.py > packages/merge/test/golden/stages.json

Pixels near the edge, where stages may choose how to go on, are not compared: EDGE of them are left out.
"""

import json

import numpy as np

SIZE, EDGE = 24, 5
random = np.random.default_rng(11)
face = random.uniform(0.2, 0.8, (SIZE, SIZE, 3)).round(4)
mask = random.uniform(0, 1, (SIZE, SIZE)).round(4)


def gaussian(image, sigma):
    reach = 6
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    taps /= taps.sum()
    padded = np.pad(image, [(reach, reach), (reach, reach), (0, 0)], mode="edge")
    rows = sum(t * padded[k : k + SIZE] for k, t in enumerate(taps))
    return sum(t * rows[:, k : k + SIZE] for k, t in enumerate(taps))


def median(image):
    padded = np.pad(image, [(2, 2), (2, 2), (0, 0)], mode="edge")
    around = [padded[y : y + SIZE, x : x + SIZE] for y in range(5) for x in range(5)]
    return np.median(np.stack(around), axis=0)


def feather_top(values, wide):
    out = np.zeros_like(values)
    for y in range(SIZE):
        out[y] = values[y] * values[max(0, y - wide) : y + 1].sum(axis=0) / (wide + 1)
    return out


def averaged(values, seconds, fps):
    kept, out = values[0], []
    for i, value in enumerate(values):
        kept += max(1 / (i + 1), 1 - np.exp(-1 / fps / seconds)) * (value - kept)
        out.append(kept)
    return np.array(out)


flat = lambda a: [round(float(v), 6) for v in np.asarray(a).ravel()]
levels = random.uniform(0.4, 0.6, 12).round(3)
print(
    json.dumps(
        {
            "size": SIZE,
            "edge": EDGE,
            "face": flat(face),
            "mask": flat(mask),
            "sharpen60": flat(np.clip(face + 0.6 * (face - gaussian(face, 1)), 0, 1)),
            "sharpenMinus40": flat(np.clip(face - 0.4 * (face - gaussian(face, 1)), 0, 1)),
            "denoise70": flat(face + 0.7 * (median(face) - face)),
            "featherTop96": flat(feather_top(mask, round(96 * SIZE / 256))),
            "levels": flat(levels),
            "steadyMask": flat(averaged(levels, 0.25, 24)),
        }
    )
)
