"""Golden numbers for the modes of @dfl/merge, by other people's code: seamless by a direct solution of Poisson's equation,
hist-match by scikit-image, multi-band by pyramids of Pillow.

    pip install numpy==2.4.6 scipy==1.17.1 scikit-image==0.26.0 pillow==13.0.0
    python scripts/golden/merge_modes.py > packages/merge/test/golden/modes.json
"""

import json

import numpy as np
from PIL import Image
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve
from skimage.exposure import match_histograms

SIZE = 32
y, x = np.mgrid[:SIZE, :SIZE] / SIZE
wave = lambda a, b, c: np.stack([0.5 + 0.2 * np.sin(a * x + b * y + c * k) + 0.1 * x for k in range(3)], -1)
frame = np.round(wave(7, 4, 1.3) * 65535) / 65535
painted = (wave(11, -6, 0.7) * [0.9, 0.7, 0.8] + 0.05).round(4)
radius = np.hypot((x - 0.5) / 0.42, (y - 0.47) / 0.45)
alpha = np.clip((1 - radius) * 4, 0, 1).round(4)


def seamless():
    """Pérez, Gangnet, Blake 2003, equation 7, for every pixel whose mask is above 0.1 and that has painted neighbours."""
    bare = np.pad(alpha == 0, 1)
    inside = (alpha > 0.1) & ~(bare[:-2, 1:-1] | bare[2:, 1:-1] | bare[1:-1, :-2] | bare[1:-1, 2:])
    number = np.where(inside, np.cumsum(inside).reshape(alpha.shape) - 1, -1)
    matrix, sums = lil_matrix((inside.sum(),) * 2), np.zeros((inside.sum(), 3))
    for i, j in zip(*np.nonzero(inside)):
        here = number[i, j]
        for k, l in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
            matrix[here, here] += 1
            sums[here] += painted[i, j] - painted[k, l]
            if inside[k, l]:
                matrix[here, number[k, l]] = -1
            else:
                sums[here] += frame[k, l]
    out = frame.copy()
    out[inside] = spsolve(matrix.tocsr(), sums)
    return out, inside


def resized(image, side, how):
    return np.stack([np.asarray(Image.fromarray(c.astype(np.float32)).resize((side, side), how)) for c in np.moveaxis(image, -1, 0)], -1)


def bands(down, up, levels):
    """Burt, Adelson 1983: each band of both pictures blended as the mask of its own size says, and all added up."""

    def blended(top, bottom, mask, left):
        if left == 1:
            return bottom + mask * (top - bottom)
        low_top, low_bottom, low_mask = down(top), down(bottom), down(mask)
        coarse = blended(low_top, low_bottom, low_mask, left - 1)
        fine_top, fine_bottom = top - up(low_top), bottom - up(low_bottom)
        return up(coarse) + fine_bottom + mask * (fine_top - fine_bottom)

    # Nothing is painted beyond the mask.
    return blended(np.where(alpha[..., None] == 0, frame, painted), frame, alpha[..., None], levels)


solved, inside = seamless()
by_pillow = bands(
    lambda image: resized(image, image.shape[0] // 2, Image.Resampling.BOX),
    lambda image: resized(image, image.shape[0] * 2, Image.Resampling.BICUBIC),
    4,
)
flat = lambda a: [round(float(v), 5) for v in np.asarray(a).ravel()]
print(
    json.dumps(
        {
            "size": SIZE,
            "frame": [int(v) for v in np.rint(frame * 65535).ravel()],
            "painted": flat(painted),
            "alpha": flat(alpha),
            "inside": [int(v) for v in inside.ravel()],
            "seamless": flat(solved),
            "histMatch": flat(match_histograms(painted, frame, channel_axis=-1)),
            "multiBand": flat(by_pillow),
        }
    )
)
