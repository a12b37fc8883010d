"""Golden numbers for @dfl/merge: Reinhard's colour transfer in CIE Lab, written independently of the package.

    pip install numpy && python scripts/golden/merge.py > packages/merge/test/golden/rct.json

CIE Lab (D65, 2 degrees) and the sRGB curve are those of IEC 61966-2-1 and ISO/CIE 11664-4.
"""

import json

import numpy as np

RGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = RGB_TO_XYZ.sum(axis=1)


def to_lab(rgb):
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    t = linear @ RGB_TO_XYZ.T / WHITE
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def to_rgb(lab):
    fy = (lab[..., 0] + 16) / 116
    f = np.stack([fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200], axis=-1)
    t = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    linear = np.clip((t * WHITE) @ np.linalg.inv(RGB_TO_XYZ).T, 0, None)
    rgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.clip(rgb, 0, 1)


def statistics(lab, weights):
    total = weights.sum()
    mean = (lab * weights[..., None]).sum(axis=(0, 1)) / total
    return mean, np.sqrt(((lab - mean) ** 2 * weights[..., None]).sum(axis=(0, 1)) / total)


def rct(face, dst, weights):
    lab = to_lab(face)
    (mean, std), (dst_mean, dst_std) = statistics(lab, weights), statistics(to_lab(dst), weights)
    return to_rgb((lab - mean) * dst_std / std + dst_mean)


random = np.random.default_rng(7)
size = 16
y, x = np.mgrid[0:size, 0:size] / size
face = np.clip(np.stack([0.5 + 0.3 * x, 0.4 + 0.2 * y, 0.3 + 0.2 * x * y], -1) + random.normal(0, 0.02, (size, size, 3)), 0, 1)
dst = np.clip(np.stack([0.35 + 0.2 * y, 0.3 + 0.25 * x, 0.35 + 0.1 * x], -1) + random.normal(0, 0.02, (size, size, 3)), 0, 1)
face, dst = face.round(4), dst.round(4)
weights = np.clip(1.2 - 2.2 * np.hypot(x - 0.5, y - 0.5), 0, 1).round(4)

flat = lambda a: [round(float(v), 6) for v in a.ravel()]
print(json.dumps({"size": size, "face": flat(face), "dst": flat(dst), "weights": flat(weights), "rct": flat(rct(face, dst, weights))}))
