"""Golden numbers for @dfl/nn: SSIM of 2004 with a Gaussian window, by scikit-image where it has that window, and by a
plain loop over windows in double precision everywhere.

    pip install numpy scikit-image && python scripts/golden/nn.py > packages/nn/test/golden/dssim.json

Made with numpy 2.4.6 and scikit-image 0.26.0. Formula: Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861
"""

import json

import numpy as np
from skimage.metrics import structural_similarity

SIGMA = 1.5


def dssim(a, b, window):
    """(1 - mean SSIM) / 2 over all windows that lie inside the image, [H, W, C] in 0..1."""
    offsets = np.arange(window) - (window - 1) / 2
    line = np.exp(-(offsets**2) / (2 * SIGMA**2))
    weights = np.outer(line, line)
    weights = (weights / weights.sum())[:, :, None]
    height, width, _ = a.shape
    values = []
    for y in range(height - window + 1):
        for x in range(width - window + 1):
            p, q = a[y : y + window, x : x + window], b[y : y + window, x : x + window]
            mean_p, mean_q = (weights * p).sum((0, 1)), (weights * q).sum((0, 1))
            var_p = (weights * (p - mean_p) ** 2).sum((0, 1))
            var_q = (weights * (q - mean_q) ** 2).sum((0, 1))
            cov = (weights * (p - mean_p) * (q - mean_q)).sum((0, 1))
            luminance = (2 * mean_p * mean_q + 0.01**2) / (mean_p**2 + mean_q**2 + 0.01**2)
            values.append(luminance * (2 * cov + 0.03**2) / (var_p + var_q + 0.03**2))
    return (1 - np.mean(values)) / 2


def by_skimage(a, b):
    """The same with skimage's window of 11: it cuts Gaussians of sigma 1.5 there."""
    similarity = structural_similarity(
        a, b, gaussian_weights=True, sigma=SIGMA, use_sample_covariance=False, data_range=1.0, channel_axis=-1
    )
    return (1 - similarity) / 2


rng = np.random.default_rng(1)
cases = []
for height, width, channels, window, noise in [(16, 14, 3, 11, 0.1), (13, 18, 3, 5, 0.3), (17, 17, 1, 16, 0.05), (12, 15, 1, 11, 0.2)]:
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    wave = 0.5 + 0.4 * np.sin(rows / 3)[:, :, None] * np.cos(columns[:, :, None] / 4 + np.arange(channels))
    a = np.round(np.clip(wave + rng.normal(0, 0.05, wave.shape), 0, 1), 4)
    b = np.round(np.clip(wave + rng.normal(0, noise, wave.shape), 0, 1), 4)
    value = dssim(a, b, window)
    if window == 11:
        assert abs(value - by_skimage(a, b)) < 1e-7, (value, by_skimage(a, b))
    cases.append({"shape": [height, width, channels], "window": window, "a": a.ravel().tolist(), "b": b.ravel().tolist(), "dssim": value})

print(json.dumps({"made": f"numpy {np.__version__}, scikit-image 0.26.0", "cases": cases}))
